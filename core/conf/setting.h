/*
 * Rows of options: each key of a configuration block has one row, and the row is its type, its place in the struct that it
 * fills, its default as text, its range or words and its help. One table serves parsing, checking, `show-config`, the
 * manual page and the test that the shipped defaults are the built-in ones.
 *
 * setting_fill owns nothing; texts in the struct are heap (mem.h) and freed by setting_free. Pure, any thread.
 */
#pragma once

#include "core/base/err.h"
#include "core/base/text.h"
#include "core/model/value.h"

struct names;

enum setting_type {
	SETTING_TEXT,     /* char * ; NULL when neither given nor default */
	SETTING_BOOL,     /* bool */
	SETTING_INT,      /* int64_t, in min..max */
	SETTING_DECIMAL,  /* struct decimal; integer, float or "text" in the file */
	SETTING_DURATION, /* int64_t ms; "500ms" "5s" "15m" "25h" "7d" */
	SETTING_SIZE,     /* int64_t bytes; "64KiB" "1MiB" "500B" */
	SETTING_WORD,     /* int; one of words, its index there */
	SETTING_SECRET,   /* char *; the row `secret` also accepts `secret_file`: see secret.h */
	SETTING_NAMES,    /* struct names; text or group by language */
	SETTING_GROUP,    /* embedded struct filled by `rows` */
	SETTING_LIST,     /* struct setting_list of structs filled by `rows` */
	SETTING_VALUES,   /* struct setting_values: list of plain values (nan) */
};

enum { SETTING_REQUIRED = 1, SETTING_GIVEN = 2 /* `given` is the offset of a bool that tells whether it was in the file */ };

struct setting {
	const char *key;
	enum setting_type type;
	size_t offset;             /* in the struct */
	const char *fallback;      /* default, as an installer would write it; NULL: none */
	int64_t min, max;          /* SETTING_INT, DURATION (ms), SIZE */
	const char *const *words;  /* SETTING_WORD, NULL at the end */
	const struct setting *rows; /* GROUP, LIST: NULL key at the end */
	size_t size;               /* LIST: of one element */
	unsigned flags;
	size_t given;
	const char *help; /* one line, for the manual page */
};

struct setting_list {
	void *elements;
	size_t n;
};

struct setting_values {
	struct value *list;
	size_t n;
};

void setting_free(const struct setting *rows, void *filled); /* what the rows own inside, not `filled` itself */
void setting_defaults(const struct setting *rows, void *filled);
int setting_parse(const struct setting *row, const char *text, void *filled, struct err *e); /* from text, for scalars */
const struct setting *setting_find(const struct setting *rows, const char *key);
const char *setting_nearest(const struct setting *rows, const char *key); /* for "did you mean", or NULL */
