/* `jidgate listen BUS [SECONDS] [--topics FILTER]`: what is on a broker, as configuration. Without XMPP and without the daemon, which it does
 * not disturb: it comes as another client and only listens. */
#pragma once

#include "core/cli/cli.h"

int listen_run(struct cli *c);
