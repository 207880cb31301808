/*
 * One value of a row, from text and back. Called through setting.h; pure, any thread.
 */
#pragma once

#include "core/conf/setting.h"

struct scalar_type {
	size_t size; /* in the struct that is filled */
	int (*parse)(const struct setting *row, const char *text, void *at,
		     struct err *e); /* at: the place in the struct */
	bool (*print)(const struct setting *row, const void *at, struct text *to);
};

/* NULL functions: a type that is more than one value. */
const struct scalar_type *scalar_type(enum setting_type type);

void scalar_quote(struct text *to, const char *text); /* "text" with the escapes of the configuration file */
void scalar_put(struct text *to, const char *key, const char *text); /* ` key = "text";`; NULL: nothing */
bool scalar_print_decimal(struct decimal d, struct text *to);
