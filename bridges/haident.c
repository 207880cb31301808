#include "bridges/haident.h"

#include "core/base/mem.h"
#include "core/base/text.h"

#include <string.h>

enum { LONGEST = 120 };

static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_", between[] = "-_ .:/";

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool add_char(struct text *id, char c)
{
	bool fits = strchr(allowed, c) != NULL;
	if (fits && (id->size || !strchr("-_", c)))
		text_add_n(id, &c, 1);
	else if (id->size && !fits && ((unsigned char)c & 0xC0) != 0x80)
		text_add(id, "-");
	return fits;
}

char *haident_of(const char *identity)
{
	struct text id = { 0 };
	const char *at = identity + strspn(identity, "-_");
	bool lost = *at == '\0';
	for (; *at && id.size < LONGEST; at++)
		lost |= !add_char(&id, lower(*at));
	if (lost || *at)
		text_addf(&id, "%s%08x", id.size ? "-" : "", text_hash(identity, strlen(identity), 0));
	return id.data;
}

static bool is_in(const char *part, size_t size, const char *whole)
{
	for (const char *at = whole; *at; at += strcspn(at, between)) {
		at += strspn(at, between);
		size_t n = strcspn(at, between);
		if (n && n == size && strncasecmp(at, part, size) == 0)
			return true;
	}
	return false;
}

char *haident_point(const char *unique, const char *identity, const char *kind)
{
	struct text left = { 0 };
	for (const char *at = unique; *at;) {
		size_t gap = strspn(at, between), size = strcspn(at + gap, between);
		if (size && !is_in(at + gap, size, identity)) {
			if (left.size)
				text_add(&left, "_");
			text_add_n(&left, at + gap, size);
		}
		at += gap + size;
	}
	char *id = haident_of(left.size ? left.data : kind);
	text_free(&left);
	return id;
}
