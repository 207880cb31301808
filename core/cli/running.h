/* `jidgate status`, `things`, `friends` and `log`: what runs, as the daemon says it. */
#pragma once

#include "core/cli/cli.h"

int running_status(struct cli *c);
int running_things(struct cli *c);
int running_friends(struct cli *c);
int running_log(struct cli *c);
int running_reload(struct cli *c);
