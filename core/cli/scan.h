/*
 * `jidgate scan`: who answers on a Modbus bus, what he is, and the configuration for him, ready to paste. Of the configuration or of
 * a port or host given; nothing is ever written.
 */
#pragma once

#include "core/cli/cli.h"

int scan_run(struct cli *c);
