/*
 * `jidgate help`: the words; `jidgate help settings`: every key of the configuration, which is also that part of the manual.
 */
#pragma once

#include "core/cli/cli.h"

int help_run(struct cli *c);
void help_usage(FILE *to);
