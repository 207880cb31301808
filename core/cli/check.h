/*
 * The words that only need the configuration: `check` and `show-config`.
 */
#pragma once

#include "core/cli/cli.h"

int check_run(struct cli *c);
int check_show(struct cli *c);
