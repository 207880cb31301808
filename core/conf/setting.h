/*
 * Rows of options: each key of a configuration block has one row, and the row is its type, its place in the struct that
 * it fills, its default as text, its range or words and its help. One table serves parsing, checking, `show-config`,
 * the manual page and the test that the shipped defaults are the built-in ones.
 *
 * One block of the file may be filled by several tables at once: the core's and the driver's. A key stands in one of
 * them, with one exception: a SETTING_GROUP of the same key in two tables is one group in the file, and its members are
 * those of both. So the driver's row {"write", SETTING_GROUP, .rows = ...} adds its keys to the core's `write = {
 * confirm ... }`.
 *
 * The struct is the caller's; texts, lists and names in it are heap (mem.h) and freed by setting_free. Pure, any
 * thread.
 */
#pragma once

#include "core/base/err.h"
#include "core/base/text.h"
#include "core/model/value.h"

enum setting_type {
	SETTING_TEXT,     /* char *; NULL when neither given nor default; of min..max bytes unless both are 0 */
	SETTING_BOOL,     /* bool; with SETTING_NOT the struct keeps the opposite */
	SETTING_INT,      /* int64_t, in min..max unless both are 0; words, if any, are kept as -1, -2, ...: "auto" */
	SETTING_INT32,    /* the same in an int */
	SETTING_DECIMAL,  /* struct decimal; integer, float or "text" in the file */
	SETTING_DURATION, /* int64_t ms, in min..max unless both are 0; "500ms" "5s" "15m" "25h" "7d"; below 0: not set
			   */
	SETTING_SIZE,     /* int64_t bytes, the same; "500B" "64KiB" "1MiB" */
	SETTING_WORD,     /* int or enum; one of words, kept as min + its index there */
	SETTING_SECRET,   /* char *; key "password" also accepts "password_file"; never printed */
	SETTING_NAMES,    /* struct names; text, or group by language */
	SETTING_GROUP,  /* struct inside the struct, filled by rows; REQUIRED rows in it only count when it is given */
	SETTING_LIST,   /* struct setting_list of structs filled by rows */
	SETTING_VALUES, /* struct setting_values: list of plain values (nan) */
	SETTING_BLOCKS, /* core/conf only: a list of blocks that the building code reads itself; rows are for the manual
			 */
	SETTING_LATER,  /* core/conf only: of any kind, the building code reads it itself */
	SETTING_TYPES
};

enum {
	SETTING_REQUIRED = 1,
	SETTING_GIVEN = 2, /* `given` is the offset of a bool that tells whether it was in the file; also for a group */
	SETTING_NOT = 4,
	SETTING_ZERO = 8, /* zero is a value too, not "not given": it is printed */
};

struct setting {
	const char *key;
	enum setting_type type;
	size_t offset; /* in the struct */
	const char *
		fallback; /* default, as in the file but without the quotes of a text; NULL: none (zero, NULL, empty) */
	int64_t min, max; /* TEXT (bytes), INT, DURATION (ms), SIZE; WORD: min is the number of the first word */
	const char *const *words;   /* WORD, INT; NULL at the end */
	const struct setting *rows; /* GROUP (offsets count from the group's own offset), LIST: NULL key at the end */
	size_t size;                /* LIST: of one element */
	unsigned flags;
	size_t given;
	size_t file;      /* SECRET: offset of a char * that keeps the name of its file, 0: not kept */
	const char *help; /* one line, for the manual page */
};

struct setting_list { /* a pointer to the struct's own type and a size_t behind it will do */
	void *elements;
	size_t n;
};

struct setting_values { /* the same with struct value */
	struct value *list;
	size_t n;
};

/* A struct of its own on the heap, with its defaults in it, that knows its rows; NULL when size is 0. setting_drop ends
 * it. */
void *setting_new(const struct setting *rows, size_t size);
void setting_drop(void *filled); /* also house.free_options; NULL is allowed */

void setting_defaults(const struct setting *rows, void *filled); /* into a zeroed struct */
void setting_free(const struct setting *rows, void *filled);     /* what the rows own inside, not `filled` itself */

/* From text as in `fallback`, for scalars; replaces what was there. -1: not of this type, not in range, not a word. */
int setting_parse(const struct setting *row, const char *text, void *filled, struct err *e);

/* As the configuration file would have it, for scalars, names and values; false and nothing added: not set. */
bool setting_print(const struct setting *row, const void *filled, struct text *to);

const struct setting *setting_find(const struct setting *rows, const char *key); /* NULL rows are allowed */
const char *setting_nearest(const struct setting *rows, const char *key);        /* for "did you mean", or NULL */
