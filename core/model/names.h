/*
 * A label for people, in one or several languages. Owned by the struct it is in; names_free empties it. Any thread.
 */
#pragma once

#include <stddef.h>

struct name {
	char *language; /* BCP 47, "" for the one without a language */
	char *text;
};

struct names {
	struct name *list;
	size_t n;
};

void names_add(struct names *names, const char *language, const char *text);
/* The name in the wanted language ("de-AT" also finds "de"), else the first; NULL only if there is none. */
const char *names_find(const struct names *names, const char *language);
void names_copy(struct names *to, const struct names *from);
void names_free(struct names *names);
