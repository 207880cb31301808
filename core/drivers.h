/* The list of drivers: a new protocol is one file under bridges/ and one line in drivers.c of core/. */
#pragma once

#include "core/bridge/bridge.h"

extern const struct bridge_driver *const driver_list[]; /* NULL at the end; defined in core/drivers.c */

const struct protocol **
drivers_protocols(void); /* what conf_load wants to know of them; NULL at the end, mem_free it */
