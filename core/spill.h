/*
 * History on disk, only while it is needed (core/store/journal.h): in RAM as long as friends can hear of it and the process
 * lives; written when XMPP has been away for a minute, each ten minutes while it stays away, and at the stop; forgotten there
 * at once when a thing is reset or a point is gone. At the start what is there is put into the rings, so that reads never ask the disk.
 *
 * A disk that is full or broken is a line in the log: what could not be written stays in RAM and is tried again. Owned by
 * history.c; loop thread, the journal's worker writes.
 */
#pragma once

#include "core/base/log.h"
#include "core/model/past.h"
#include "core/store/journal.h"

struct spill {
	struct past *past;
	struct loop *loop;
	struct log *log;
	struct journal *journal;
	struct journal_bounds bounds;
	struct timer timer;
	struct text forgets; /* chunks, for keys that have no ring any more: the disk has to forget them */
	size_t forgetting;   /* how much of that is on its way */
	struct map strangers; /* keys on disk that no ring has, until spill_each_stranger */
	bool away;       /* XMPP is */
	bool flying;     /* a record is on its way */
	bool again;      /* something was reset meanwhile */
	bool failed;     /* said already */
	int64_t hour_ms; /* monotonic begin of the hour that is counted */
	int64_t written; /* bytes in this hour: a share of what the files may have, so that flash lives long */
};

/* The rings are there. Reads what earlier runs wrote. */
int spill_begin(struct spill *s, struct past *past, const char *directory, const struct journal_bounds *bounds,
		struct loop *loop, struct log *log, struct err *e);
void spill_away(struct spill *s, bool away); /* XMPP has gone, or is back */
void spill_reset(struct spill *s);           /* a ring was cleared: the disk must forget, too */
void spill_forget(struct spill *s, const char *key); /* a ring is gone: so must what the disk has of it */

/* Once, after spill_begin: what an earlier run wrote of points that there are no more. */
void spill_each_stranger(struct spill *s, void (*fn)(void *ctx, const char *key), void *ctx);
void spill_end(struct spill *s);             /* writes what is not there; the loop stands still */
