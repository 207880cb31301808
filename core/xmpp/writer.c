#include "core/xmpp/writer.h"

#include "core/base/err.h"

#include <string.h>

/* What a byte becomes: '.' stays, 'e' is escaped, 'a' is escaped in attributes (readers make it a space), 'x' is forbidden, 'u'
 * begins a character beyond ASCII. The NUL at the end of a string is no '.'. */
static const char kinds[] = "xxxxxxxxxaaxxexx"
			    "xxxxxxxxxxxxxxxx"
			    "..e...ee........"
			    "............e.e."
			    "................"
			    "................"
			    "................"
			    "...............x"
			    "uuuuuuuuuuuuuuuu"
			    "uuuuuuuuuuuuuuuu"
			    "uuuuuuuuuuuuuuuu"
			    "uuuuuuuuuuuuuuuu"
			    "uuuuuuuuuuuuuuuu"
			    "uuuuuuuuuuuuuuuu"
			    "uuuuuuuuuuuuuuuu"
			    "uuuuuuuuuuuuuuuu";

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

static size_t add_unicode(struct text *t, const char *s)
{
	size_t n = text_char(s, s + strnlen(s, 4));
	if (n && text_is_clean(s, n))
		text_add_n(t, s, n);
	else
		text_add_n(t, "\xEF\xBF\xBD", 3);
	return n ? n : 1;
}

/* One character that is not '.'; how many bytes it has. */
static size_t add_odd(struct text *t, const char *s, char kind, bool attribute)
{
	if (kind == 'u')
		return add_unicode(t, s);
	if (kind == 'x')
		text_add_n(t, "\xEF\xBF\xBD", 3);
	else if (kind == 'a' && !attribute)
		text_add_n(t, s, 1);
	else
		add_escape(t, *s);
	return 1;
}

static void add_escaped(struct text *t, const char *s, bool attribute)
{
	for (;;) {
		const char *at = s;
		while (kinds[(unsigned char)*at] == '.')
			at++;
		text_add_n(t, s, (size_t)(at - s));
		if (!*at)
			return;
		s = at + add_odd(t, at, kinds[(unsigned char)*at], attribute);
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
