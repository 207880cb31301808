/*
 * `jidgate read`, `write` and `watch`: points for an installer, with the range, words, scale and confirmation that a friend's
 * request gets: through the daemon when it runs, which also keeps interval and deadline, else on the bus itself. A point is named
 * DEVICE.POINT as in the configuration, whether it is a thing or not.
 */
#pragma once

#include "core/cli/cli.h"

int values_read(struct cli *c);
int values_write(struct cli *c);
int values_watch(struct cli *c);
