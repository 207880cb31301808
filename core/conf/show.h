/*
 * The effective configuration as a file that loads to the same: what is a default has "# default" behind it, secrets are
 * *** or the name of their file. Part of conf.h.
 */
#pragma once

#include "core/conf/conf.h"

void show_conf(const struct conf *c, const struct protocol *const *protocols, struct text *to);
