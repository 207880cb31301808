/*
 * Many devices from one block: units = "1-3, 8, hall" makes five, and in each of them ${unit} stands for 1, 2, 3, 8 or hall.
 * Pure, any thread.
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

bool repeat_is_in(const char *text);                   /* is there a ${unit} in it */
char *repeat_text(const char *text, const char *unit); /* the caller's; unit NULL: a plain copy */
