/*
 * Samples as bytes: a few for a number that changes a little after a little while. For history in RAM and on disk.
 *
 * A run of samples is written and read from its beginning with one zeroed struct pack that remembers the one before. Pure,
 * any thread. Times are UTC ms; 0 is no time.
 */
#pragma once

#include "core/model/value.h"

#include <stddef.h>

enum {
	PACK_AFTER_GAP = 1, /* between the one before and this one the value was not good */
	PACK_END = 2,       /* the last one of its series: the counter began anew behind it */
};

enum {
	PACK_TEXT = 200,                 /* longer texts have no history */
	PACK_ROOM = 1 + 10 + 3 + 10 + PACK_TEXT /* bytes that hold any sample */
};

struct pack {
	int64_t utc_ms;
	bool counts; /* there was a number that fits into number */
	int64_t number;
	int16_t exp10;
	const char *text; /* of the last text, in the bytes */
	size_t text_size;
};

struct pack_sample { /* value.text is not terminated and not owned: it is in the bytes, text_size long */
	struct value value;
	size_t text_size;
	int64_t utc_ms;
	unsigned flags;
};

/* The bytes that were written into ret, at most PACK_ROOM; 0: it cannot be kept, as it has no value or too long a text. The
 * bytes must stay where they are as long as the run goes on. */
size_t pack_put(struct pack *run, const struct sample *s, unsigned flags, uint8_t *ret);

/* As others know it: it owns nothing, a text is in room. */
struct sample pack_sample(const struct pack_sample *s, char room[PACK_TEXT + 1]);

/* The bytes that were read; 0: they are not a sample. */
size_t pack_get(struct pack *run, const uint8_t *bytes, size_t size, struct pack_sample *ret);
