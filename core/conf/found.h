/*
 * Devices that a bus has told of, in the words of the file, checked as a file's are. Any thread that has `known` to itself or reads
 * only what does not change.
 */
#pragma once

#include "core/conf/conf.h"

struct found_block {
	char *bus, *key; /* the bus's id; what the bus calls it */
	char *text;      /* "{ id = ...; }" without a bus */
};

/*
 * Adds what the block makes to c->house, with its things; device.found is the key. known: the house whose buses, ids and JIDs it must
 * fit; c->house itself, or one that runs, where it may take the place of what the same key made before. -1: a mistake in it, nothing
 * was added, and c->errors has the sentences: what else there is is not touched by them.
 */
int found_build(struct conf *c, const struct house *known, const struct found_block *block,
		const struct protocol *const *protocols);
