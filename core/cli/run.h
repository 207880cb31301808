/* `jidgate run`: the daemon, in the foreground, for systemd. */
#pragma once

#include "core/cli/cli.h"

int run_run(struct cli *c);
