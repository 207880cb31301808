/*
 * Raw pieces of a JSON document that a strict parser has already accepted: a value with the very digits of its source.
 *
 * Literals point into the document and own nothing. Never reads past `size`, whatever the bytes are; any thread.
 */
#pragma once

#include "core/base/text.h"

struct literal {
	const char *at; /* first byte of the value: { [ " t f n - or a digit */
	size_t size;
};

/* The members of an object or the elements of an array, in the order of the document. */
struct literal_walk {
	const char *at, *end;
	bool object;
};

bool literal_root(const char *json, size_t size, struct literal *ret); /* false: nothing but white space */
bool literal_is_tree(struct literal l);                                /* object or array */
bool literal_is_text(struct literal l);
struct literal_walk literal_walk(struct literal tree);
bool literal_next(struct literal_walk *w, struct literal *ret_key, struct literal *ret); /* key: of objects only */

/* The bytes that a JSON string stands for, added to `to`. */
void literal_text(struct literal string, struct text *to);
