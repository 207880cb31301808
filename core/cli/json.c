#include "core/cli/json.h"

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
