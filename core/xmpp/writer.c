#include "core/xmpp/writer.h"

#include "core/base/err.h"

#include <string.h>

/* What ASCII becomes: '.' stays, 'e' is escaped, 'a' is escaped in attributes (readers make it a space), 'x' is
 * forbidden. */
static const char kinds[] = "xxxxxxxxxaaxxexx"
			    "xxxxxxxxxxxxxxxx"
			    "..e...ee........"
			    "............e.e."
			    "................"
			    "................"
			    "................"
			    "...............x";

struct escape {
	char c;
	const char *code;
};

static const struct escape escapes[] = {
	{ '<', "&lt;" },   { '>', "&gt;" },   { '&', "&amp;" },  { '\'', "&apos;" },
	{ '"', "&quot;" }, { '\r', "&#13;" }, { '\n', "&#10;" }, { '\t', "&#9;" },
};

static void add_escape(struct text *t, char c)
{
	size_t i = 0;
	while (escapes[i].c != c)
		i++;
	text_add(t, escapes[i].code);
}

/* Bytes at the front that go out as they are. */
static size_t plain_run(const char *at, const char *end, bool attribute)
{
	const char *from = at;
	while (at < end) {
		unsigned char c = (unsigned char)*at;
		size_t n = 1;
		if (c >= 0x80) {
			n = text_char(at, end);
			if (n == 0 || !text_is_clean(at, n))
				break;
		} else if (kinds[c] != '.' && (kinds[c] != 'a' || attribute)) {
			break;
		}
		at += n;
	}
	return (size_t)(at - from);
}

static void add_escaped(struct text *t, const char *s, bool attribute)
{
	const char *end = s + strlen(s);
	for (;;) {
		size_t run = plain_run(s, end, attribute);
		text_add_n(t, s, run);
		s += run;
		if (s == end)
			return;
		unsigned char c = (unsigned char)*s;
		size_t n = text_char(s, end);
		if (c < 0x80 && kinds[c] != 'x')
			add_escape(t, *s);
		else
			text_add_n(t, "\xEF\xBF\xBD", 3);
		s += n ? n : 1;
	}
}

void writer_text(struct text *t, const char *s)
{
	if (s)
		add_escaped(t, s, false);
}

void writer_attribute(struct text *t, const char *name, const char *value)
{
	if (!value)
		return;
	text_add_n(t, " ", 1);
	text_add(t, name);
	text_add_n(t, "='", 2);
	add_escaped(t, value, true);
	text_add_n(t, "'", 1);
}

void writer_number(struct text *t, long long n)
{
	char digits[24];
	char *at = digits + sizeof(digits);
	unsigned long long rest = n < 0 ? 0ULL - (unsigned long long)n : (unsigned long long)n;
	do {
		*--at = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (n < 0)
		*--at = '-';
	text_add_n(t, at, (size_t)(digits + sizeof(digits) - at));
}

void writer_stanza(struct text *t, const char *name, const char *type, const struct writer_address *from,
		   const char *to, const char *id)
{
	must(from->domain);
	text_reserve(t, 256);
	text_add_n(t, "<", 1);
	text_add(t, name);
	writer_attribute(t, "type", type);
	writer_raw(t, " from='");
	if (from->local) {
		add_escaped(t, from->local, true);
		text_add_n(t, "@", 1);
	}
	add_escaped(t, from->domain, true);
	if (from->resource) {
		text_add_n(t, "/", 1);
		add_escaped(t, from->resource, true);
	}
	text_add_n(t, "'", 1);
	writer_attribute(t, "to", to);
	writer_attribute(t, "id", id);
}
