/*
 * A typed value and a sample: a value, how good it is and when it was measured.
 *
 * A value of type text owns its text (heap); value_free empties it. Everything else is plain data.
 * "Take" moves: the source is left empty. Any thread.
 */
#pragma once

#include "core/model/decimal.h"

#include <stdbool.h>
#include <stdint.h>

enum value_type { VALUE_NONE, VALUE_BOOL, VALUE_NUMBER, VALUE_TEXT, VALUE_TIME };

struct value {
	enum value_type type;
	union {
		bool yes;
		struct decimal number;
		char *text;   /* clean UTF-8, at most LIMIT_TEXT_VALUE bytes */
		int64_t time; /* UTC, ms since 1970 */
	};
};

/* Unknown, old and bad are three different things, and none of them is zero. */
enum quality {
	QUALITY_UNKNOWN, /* never seen */
	QUALITY_GOOD,
	QUALITY_OLD, /* seen, but too long ago, or a retained message of unknown age */
	QUALITY_BAD, /* the newest attempt failed; value may hold the last good one for people, never as current */
};

/* Why a sample is not good; the words are for people and for XMPP. */
enum trouble {
	TROUBLE_NONE,
	TROUBLE_AWAY,     /* bus, broker or device cannot be reached */
	TROUBLE_TIMEOUT,  /* the device did not answer */
	TROUBLE_REFUSED,  /* the device answered with an error */
	TROUBLE_GARBLED,  /* the answer was not what the protocol or the configuration says */
	TROUBLE_TYPE,     /* a value, but not of the configured type */
	TROUBLE_RANGE,    /* a value out of min..max or not among the words */
	TROUBLE_NO_VALUE, /* the device says that it has none (nan) */
};

struct sample {
	struct value value;
	enum quality quality;
	enum trouble trouble;
	int64_t utc_ms; /* when it was measured; 0 if never */
};

struct value value_bool(bool yes);
struct value value_number(struct decimal number);
struct value value_integer(int64_t integer);
struct value value_time(int64_t utc_ms);
struct value value_text(const char *text, size_t size); /* copies */

void value_free(struct value *v);
struct value value_take(struct value *from);
struct value value_copy(const struct value *from);
bool value_same(const struct value *a, const struct value *b); /* numbers by size: 1.0 equals 1 */

/* For people and for stanzas: "true", "23.40", the text, "2026-11-21T04:16:49.123Z"; "" for none. The result is in ret
 * or is the value's own text. */
const char *value_print(const struct value *v, char ret[DECIMAL_ROOM]);

const char *quality_word(enum quality q); /* "unknown" "good" "old" "bad" */
const char *trouble_word(enum trouble t); /* "cannot be reached", ... */

void sample_free(struct sample *s);
struct sample sample_take(struct sample *from);
struct sample sample_good(struct value take, int64_t utc_ms);
struct sample sample_bad(enum trouble why, int64_t utc_ms);
