/*
 * The effective configuration as a file that loads to the same: what is a default has "# default" behind it, secrets are
 * *** or the name of their file. Part of conf.h.
 */
#pragma once

#include "core/conf/conf.h"

void show_point(const struct point *p, const struct protocol *protocol, struct text *to); /* one block "{ ... }" */

/* A device with those of its points that `keep` wants, as bridge_found takes it: without its bus. False: it wants none. */
bool show_device(const struct device *d, const struct protocol *protocol, bool (*keep)(void *ctx, const struct point *p),
		 void *ctx, struct text *to);

void show_conf(const struct conf *c, const struct protocol *const *protocols, struct text *to);
