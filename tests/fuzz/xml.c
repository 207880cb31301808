#include "core/xmpp/jid.h"
#include "core/xmpp/parser.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* A server's stream in pieces: trees within their limits, with texts that are UTF-8. The first byte is the size of the pieces. */

static bool is_utf8(const char *text)
{
	const char *end = text + strlen(text);
	for (size_t n; text < end; text += n)
		if ((n = text_char(text, end)) == 0)
			return false;
	return true;
}

static size_t check(const struct element *e, size_t depth)
{
	size_t n = 1;
	must(depth <= LIMIT_STANZA_DEPTH && e->name && e->xmlns && is_utf8(e->text));
	for (const struct attribute *a = e->attributes; a; a = a->next)
		must(a->name && is_utf8(a->name) && is_utf8(a->value));
	for (const struct element *child = e->first; child; child = child->next) {
		must(child->parent == e);
		n += check(child, depth + 1);
	}
	return n;
}

static void take_jid(const char *text)
{
	struct jid j;
	char bare[JID_BARE_ROOM], again[JID_BARE_ROOM];
	if (text && jid_parse(&j, text) == 0 && jid_bare(text, bare) == 0)
		must(strcmp(bare, j.bare) == 0 && jid_bare(bare, again) == 0 && strcmp(bare, again) == 0);
}

static void on_stanza(void *ctx, struct element *stanza)
{
	(void)ctx;
	must(check(stanza, 1) <= LIMIT_STANZA_ELEMENTS);
	take_jid(element_get(stanza, "from"));
	take_jid(element_get(stanza, "to"));
}

static void on_header(void *ctx, const struct element *header)
{
	(void)ctx;
	must(header->name);
}

static void on_over(void *ctx, struct element *start)
{
	(void)ctx;
	must(!start->first && !*start->text);
}

static void on_footer(void *ctx)
{
	(void)ctx;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char head[] = "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'>";
	static const struct parser_events events = { on_header, on_stanza, on_over, on_footer };
	struct err e;
	if (size < 1)
		return 0;
	struct parser *p = parser_new(&events, NULL);
	size_t piece = 1 + bytes[0];
	int status = bytes[0] & 1 ? parser_feed(p, head, strlen(head), &e) : 0;
	for (size_t at = 1; at < size && status == 0; at += piece)
		status = parser_feed(p, (const char *)bytes + at, size - at < piece ? size - at : piece, &e);
	parser_free(p);
	return 0;
}
