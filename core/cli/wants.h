/*
 * `jidgate reset THING` and `jidgate forget THING`: at once by the daemon that runs, else when it starts next. A thing is named by its localpart or
 * its JID.
 */
#pragma once

#include "core/cli/cli.h"

int wants_reset(struct cli *c);
int wants_forget(struct cli *c);
