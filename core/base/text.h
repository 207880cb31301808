/*
 * A growing string, and the few questions that are asked of bytes from outside.
 *
 * struct text is the caller's (zero it to begin, text_free to end); data is NUL-terminated once something was added.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	char *data;
	size_t size; /* bytes without the NUL */
	size_t room;
};

void text_add(struct text *t, const char *s);
void text_addf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_reserve(struct text *t, size_t more); /* room for `more` bytes and a NUL */
void text_clear(struct text *t);                /* keeps the memory */
void text_free(struct text *t);

/* Inline: stanzas are made of constants, and those then become a few moves. */
static inline void text_add_n(struct text *t, const char *bytes, size_t size)
{
	if (t->room - t->size <= size)
		text_reserve(t, size);
	if (size)
		memcpy(t->data + t->size, bytes, size);
	t->size += size;
	t->data[t->size] = '\0';
}

/* FNV-1a, 32 bits: for tables and names that need not be secret. With another seed it is another function. */
static inline uint32_t text_hash(const char *bytes, size_t size, uint32_t seed)
{
	uint32_t h = 2166136261u ^ seed;
	for (size_t i = 0; i < size; i++)
		h = (h ^ (unsigned char)bytes[i]) * 16777619u;
	return h;
}

bool text_same(const char *a, const char *b);      /* NULL equals only NULL */
bool text_same_word(const char *a, const char *b); /* without regard to ASCII case */
bool text_begins(const char *text, const char *prefix);

/* Well-formed UTF-8 without NUL, and nothing that XML 1.0 forbids (control characters but tab, LF, CR; U+FFFE, U+FFFF).
 */
bool text_is_clean(const char *bytes, size_t size);

/* Copies at most room-1 bytes, cut at a character, control characters as '?': a stranger's text for a log line or
 * error. */
const char *text_quote(char *ret, size_t room, const char *bytes, size_t size);

/* The caller's: one line for a terminal, with spaces for tab, LF and CR, and '?' for other control characters. */
char *text_plain(const char *text);

/* Number of edits between two words, for "did you mean"; at most 64 bytes of each are looked at. */
size_t text_distance(const char *a, const char *b);

/* Length in bytes of the UTF-8 character that begins at `at`, 0 if it is not well-formed before `end`. */
size_t text_char(const char *at, const char *end);

/* "2026-11-21T04:16:49.123Z" (24 bytes and NUL) from milliseconds since 1970; years 0000 to 9999. */
bool text_utc_fits(int64_t utc_ms); /* is it in one of these years */
void text_utc(int64_t utc_ms, char ret[25]);

/* XEP-0082 dateTime: "2026-11-21T04:16:49[.123][Z|+01:00]"; without a zone it is taken as UTC. -1: not one. */
int text_parse_utc(const char *text, size_t size, int64_t *ret);
