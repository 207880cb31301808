#include "bridges/literal.h"

#include <string.h>

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
		at++;
	return at;
}

static const char *skip_string(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\' && at + 1 < end)
			at++;
	return at < end ? at + 1 : end;
}

/* Counts brackets instead of calling itself: depth costs no stack. */
static const char *skip_tree(const char *at, const char *end)
{
	size_t depth = 0;
	while (at < end) {
		if (*at == '"') {
			at = skip_string(at, end);
			continue;
		}
		if (*at == '{' || *at == '[')
			depth++;
		else if ((*at == '}' || *at == ']') && --depth == 0)
			return at + 1;
		at++;
	}
	return end;
}

static const char *skip_word(const char *at, const char *end)
{
	while (at < end && !strchr(",]} \t\r\n:", *at))
		at++;
	return at;
}

static const char *take(const char *at, const char *end, struct literal *ret)
{
	const char *after;
	if (*at == '"')
		after = skip_string(at, end);
	else if (*at == '{' || *at == '[')
		after = skip_tree(at, end);
	else
		after = skip_word(at, end);
	*ret = (struct literal){ at, (size_t)(after - at) };
	return after;
}

bool literal_root(const char *json, size_t size, struct literal *ret)
{
	const char *end = json + size, *at = skip_space(json, end);
	if (at == end)
		return false;
	take(at, end, ret);
	return true;
}

bool literal_is_tree(struct literal l)
{
	return l.size > 0 && (*l.at == '{' || *l.at == '[');
}

bool literal_is_text(struct literal l)
{
	return l.size >= 2 && *l.at == '"';
}

struct literal_walk literal_walk(struct literal tree)
{
	bool is_tree = literal_is_tree(tree) && tree.size >= 2;
	const char *end = tree.at + (is_tree ? tree.size - 1 : 0);
	return (struct literal_walk){ is_tree ? tree.at + 1 : end, end, is_tree && *tree.at == '{' };
}

bool literal_next(struct literal_walk *w, struct literal *ret_key, struct literal *ret)
{
	const char *at = skip_space(w->at, w->end);
	if (at < w->end && *at == ',')
		at = skip_space(at + 1, w->end);
	if (w->object) {
		if (at == w->end || *at != '"')
			return false;
		at = skip_space(take(at, w->end, ret_key), w->end);
		if (at == w->end || *at != ':')
			return false;
		at = skip_space(at + 1, w->end);
	}
	if (at == w->end)
		return false;
	const char *after = take(at, w->end, ret);
	if (after == at)
		return false;
	w->at = after;
	return true;
}

static unsigned hex4(const char *at)
{
	unsigned n = 0;
	for (int i = 0; i < 4; i++) {
		unsigned c = (unsigned char)at[i];
		n = n << 4 | ((c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10) & 0xF);
	}
	return n;
}

static void add_character(struct text *to, unsigned c)
{
	char utf8[4];
	size_t n = 0;
	if (c < 0x80) {
		utf8[n++] = (char)c;
	} else if (c < 0x800) {
		utf8[n++] = (char)(0xC0 | c >> 6);
		utf8[n++] = (char)(0x80 | (c & 0x3F));
	} else if (c < 0x10000) {
		utf8[n++] = (char)(0xE0 | c >> 12);
		utf8[n++] = (char)(0x80 | (c >> 6 & 0x3F));
		utf8[n++] = (char)(0x80 | (c & 0x3F));
	} else {
		utf8[n++] = (char)(0xF0 | c >> 18);
		utf8[n++] = (char)(0x80 | (c >> 12 & 0x3F));
		utf8[n++] = (char)(0x80 | (c >> 6 & 0x3F));
		utf8[n++] = (char)(0x80 | (c & 0x3F));
	}
	text_add_n(to, utf8, n);
}

/* at is behind "\u"; the parser has seen that the digits are there and that surrogates come in pairs. */
static const char *add_escaped(const char *at, const char *end, struct text *to)
{
	if (end - at < 4)
		return end;
	unsigned c = hex4(at);
	at += 4;
	if (c >= 0xD800 && c < 0xDC00 && end - at >= 6) {
		c = 0x10000 + ((c - 0xD800) << 10) + (hex4(at + 2) - 0xDC00);
		at += 6;
	}
	add_character(to, c & 0x1FFFFF);
	return at;
}

void literal_text(struct literal string, struct text *to)
{
	static const char codes[] = "bfnrt", bytes[] = "\b\f\n\r\t";
	const char *at = string.at + 1, *end = string.at + string.size - 1;
	while (at < end) {
		const char *escape = memchr(at, '\\', (size_t)(end - at));
		const char *stop = escape ? escape : end;
		text_add_n(to, at, (size_t)(stop - at));
		if (!escape || stop + 1 >= end)
			return;
		const char *code = strchr(codes, stop[1]);
		at = stop + 2;
		if (stop[1] == 'u')
			at = add_escaped(at, end, to);
		else
			text_add_n(to, code ? &bytes[code - codes] : stop + 1, 1);
	}
}
