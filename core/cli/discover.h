/* `jidgate discover [BUS] [WHERE...]`: CoAP devices and what they have, as configuration. Nothing of it needs XMPP or the daemon. */
#pragma once

#include "core/cli/cli.h"

int discover_run(struct cli *c);
