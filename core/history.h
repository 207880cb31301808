/*
 * The history of the points that are to have one: who has a ring in the past (core/model/past.h), by the key "device.point"
 * and by what its values mean; and what of it is on disk (core/spill.h). Owned by gateway.c; loop thread.
 */
#pragma once

#include "core/conf/conf.h"
#include "core/spill.h"

struct history {
	struct past past;
	struct spill spill;
	bool spills;
};

/* Gives each point its past, also what an earlier run has left in the state directory. Memory alone is enough: a disk that
 * cannot be used is said in the log. */
void history_begin(struct history *h, const struct conf_gateway *settings, const struct house *house, struct loop *loop,
		   struct log *log);

/* The house has changed: each point finds what is its own, and the history of points that are gone is forgotten. A point with
 * another unit or sort of value than before begins anew. */
void history_attach(struct history *h, const struct house *house);

void history_away(struct history *h, bool away); /* friends cannot hear of anything, or can again */
void history_end(struct history *h);             /* no sample comes any more, the loop stands still */
