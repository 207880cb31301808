/*
 * The history of points in RAM: per point a ring of what was seen, bounded in time; all together bounded in bytes, which
 * every point has an even share of and may use more of while others leave room.
 *
 * A ring belongs to the past and is found by the key of its point, so it outlives the point when a changed configuration
 * makes another with the same key and meaning. Only what was seen is kept: news of the point, and each PAST_SEEN_MS that it is
 * still so. Pure: monotonic times are handed in. Loop thread.
 */
#pragma once

#include "core/base/list.h"
#include "core/base/map.h"
#include "core/model/pack.h"

struct past;

enum { PAST_SEEN_MS = 15 * 60 * 1000 };

struct past_ring {
	struct list link; /* in past.rings */
	struct past *past;
	char *key;
	uint32_t meaning; /* what its values are, by who made it: another meaning is another history */
	int64_t keep_ms;
	struct past_block *first, *last;
	size_t bytes;
	struct pack run;   /* at the end of last */
	uint64_t next;     /* number of the next sample */
	uint64_t saved;    /* core/spill.c's: number of the first one that is not on disk */
	uint64_t saving;   /* core/spill.c's: and when what is being written is there */
	bool cleared;      /* the disk has not forgotten what was cleared */
	bool clearing;     /* core/spill.c's: but is about to */
	int64_t added_ms;  /* monotonic, of the last one; 0: never */
	bool wanted;       /* since the last past_sweep */
};

struct past {
	size_t most, bytes; /* most may be changed at any time */
	size_t n;
	struct map by_key;
	struct list rings;
	void (*on_clear)(void *ctx); /* a ring was cleared; or NULL */
	void (*on_drop)(void *ctx, const char *key); /* a ring goes, of which something may be on disk; or NULL */
	void *ctx;
};

void past_begin(struct past *past, size_t most);
void past_end(struct past *past);

/* The ring of this key with its samples if they have the same meaning, else a new one. Owned by the past. */
struct past_ring *past_want(struct past *past, const char *key, uint32_t meaning, int64_t keep_ms);
void past_sweep(struct past *past); /* frees the rings that were not wanted since the last sweep */

void past_clear(struct past_ring *r);       /* forgets all: a thing as it came from the factory has no past */

/* Keeps a copy, unless it is of no known time or too long. */
void past_add(struct past_ring *r, const struct sample *s, unsigned flags, int64_t now_ms);
void past_trim(struct past_ring *r, int64_t now_ms); /* forgets what is older than keep_ms, by when it came */

/* The samples from number `from` on. No add, trim or sweep while it walks. */
struct past_walk {
	const struct past_ring *ring;
	const struct past_block *block;
	size_t at;
	struct pack run;
	uint64_t next; /* number of the sample that past_next gives next */
};
void past_walk(struct past_walk *w, const struct past_ring *r, uint64_t from);
bool past_next(struct past_walk *w, struct pack_sample *ret); /* ret is good until the ring changes; false: no more */
