#include "core/base/json.h"

#include <string.h>

static void add_character(struct text *to, const char *at, size_t n)
{
	unsigned char c = (unsigned char)*at;
	if (n == 0)
		text_add(to, "?");
	else if (c == '"' || c == '\\')
		text_addf(to, "\\%c", c);
	else if (c < 0x20)
		text_addf(to, "\\u%04x", c);
	else
		text_add_n(to, at, n);
}

void json_text(struct text *to, const char *bytes, size_t size)
{
	text_add(to, "\"");
	for (const char *at = bytes; at < bytes + size;) {
		size_t n = text_char(at, bytes + size);
		add_character(to, at, n);
		at += n ? n : 1;
	}
	text_add(to, "\"");
}

static void begin_value(struct text *to, const char *key)
{
	if (to->size && !strchr("{[\n", to->data[to->size - 1]))
		text_add(to, ", ");
	if (!key)
		return;
	json_text(to, key, strlen(key));
	text_add(to, ": ");
}

void json_begin(struct text *to, const char *key, char bracket)
{
	begin_value(to, key);
	text_add_n(to, &bracket, 1);
}

void json_end(struct text *to, char bracket)
{
	text_add_n(to, &bracket, 1);
}

void json_put(struct text *to, const char *key, const char *text)
{
	begin_value(to, key);
	if (text)
		json_text(to, text, strlen(text));
	else
		text_add(to, "null");
}

void json_put_number(struct text *to, const char *key, int64_t number)
{
	begin_value(to, key);
	text_addf(to, "%lld", (long long)number);
}

void json_put_bool(struct text *to, const char *key, bool yes)
{
	begin_value(to, key);
	text_add(to, yes ? "true" : "false");
}
