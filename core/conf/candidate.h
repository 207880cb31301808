/*
 * Templates by which a device can be known: those of a protocol that say in `probe` which value is plausible. Before a loop
 * runs.
 */
#pragma once

#include "core/conf/conf.h"

struct candidate {
	char *template, *point;
	struct decimal min, max; /* of what the point shows */
};

/* How many; in the order of their names. file: the configuration, whose own templates go before the installed ones. One with a
 * mistake is none. The caller frees *ret. */
size_t candidate_list(const char *file, const struct protocol *protocol, struct candidate **ret);
void candidate_free(struct candidate *list, size_t n);
