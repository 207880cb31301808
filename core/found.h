/*
 * What buses have told of: the newest word for each device, and what has not been taken over yet. Owned by core/reload.c; loop thread.
 */
#pragma once

#include "core/base/list.h"
#include "core/base/map.h"
#include "core/conf/found.h"
#include "core/loop/loop.h"

struct found_item {
	struct list link; /* in found.fresh */
	struct found_block block; /* text NULL: it is gone */
	char *name;               /* of bus and key, for the map */
};

struct found {
	struct log *log;
	struct map items; /* struct found_item by name */
	struct list fresh; /* to be taken over */
};

void found_begin(struct found *f, struct log *log);
void found_end(struct found *f);
void found_load(struct found *f, const char *const *values); /* a row of STORE_FOUNDS: taken over already */
bool found_take(struct found *f, const char *bus, const char *key, const char *text); /* true: there is something to take over */
void found_drop(struct found *f, const struct found_block *block); /* forgets it, unless the bus has said more meanwhile */
char *found_name(const char *bus, const char *key);
struct found_block *found_copy(const struct found *f, size_t *ret_n);         /* of all that are there */
struct found_block *found_take_fresh(struct found *f, size_t *ret_n);         /* of those that are fresh, which are no longer */
void found_free(struct found_block *blocks, size_t n);
