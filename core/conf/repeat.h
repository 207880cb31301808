/*
 * Many devices from one block: units = "1-3, 8, hall" makes five, and in each of them ${unit} stands for 1, 2, 3, 8 or hall.
 * The same is done with ${level}, what a topic has where a pattern has it (pattern.h). Pure, any thread.
 */
#pragma once

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct repeat {
	char **units; /* owned */
	size_t n;
};

/* -1: not a list of numbers, ranges and words, or one of them twice, or more than LIMIT_UNITS; ret untouched. */
int repeat_parse(const char *text, struct repeat *ret, struct err *e);
void repeat_free(struct repeat *r);

extern const char repeat_unit[], repeat_level[]; /* "${unit}" and "${level}" */

struct repeat_mark {              /* what stands for what in the texts of one device */
	const char *mark, *value; /* ${level} is also what ${unit} of a template is */
};

bool repeat_is_in(const char *text, const char *mark);
bool repeat_is_any(const char *text); /* is one of them in it: then it cannot be written into a configuration */
bool repeat_knows(const struct repeat_mark *is, const char *mark); /* NULL knows none */
char *repeat_text(const char *text, const struct repeat_mark *is); /* the caller's; NULL: a plain copy */
