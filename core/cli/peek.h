/* `jidgate peek BUS UNIT TABLE ADDRESS N`: a window of registers in every type and order, and the likely ones as configuration. */
#pragma once

#include "core/cli/cli.h"

int peek_run(struct cli *c);
