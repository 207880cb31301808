/*
 * What counters that wrap must know after a restart (core/model/counter.h): kept in the store at each turn, but not twice in five
 * seconds, each sixteenth of one but not more often than each ten minutes, and at the stop. Owned by gateway.c; loop thread.
 */
#pragma once

#include "core/model/house.h"
#include "core/store/store.h"

struct turns {
	struct store *store;
	struct loop *loop;
};

/* Before the first sample; it blocks. Who has been away too long, or by a clock that was set, begins anew. */
int turns_load(struct turns *t, const struct house *house, struct err *e);
void turns_seen(struct turns *t, struct point *p);                /* there is news of the point */
void turns_end(struct turns *t, const struct house *house); /* the store is still open */
