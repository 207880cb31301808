/*
 * The little JSON that we write (RFC 8259), into a text. A value that follows another gets its comma by itself: the text is looked
 * at. Pure, any thread.
 */
#pragma once

#include "core/base/text.h"

void json_text(struct text *to, const char *bytes, size_t size); /* in quotes; what is not UTF-8 becomes '?' */

/* Members of an object, or, with key NULL, of an array. */
void json_begin(struct text *to, const char *key, char bracket);   /* '{' or '[' */
void json_end(struct text *to, char bracket);                      /* '}' or ']' */
void json_put(struct text *to, const char *key, const char *text); /* NULL: null */
void json_put_number(struct text *to, const char *key, int64_t number);
void json_put_bool(struct text *to, const char *key, bool yes);
