#include "core/xmpp/parser.h"

#include "core/base/limits.h"
#include "core/base/text.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#define HEADER                                                                                                         \
	"<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "                                         \
	"xmlns:stream='http://etherx.jabber.org/streams' from='things.example' id='s1'>"

struct seen {
	struct parser *parser;
	struct text log; /* what came, in a form that shows namespaces */
	size_t n_stanzas, n_over;
};

static void show(struct text *t, const struct element *e)
{
	text_addf(t, "{%s}%s", e->xmlns, e->name);
	for (const struct attribute *a = e->attributes; a; a = a->next)
		text_addf(t, " %s%s%s=%s", a->xmlns ? a->xmlns : "", a->xmlns ? "|" : "", a->name, a->value);
	if (*e->text)
		text_addf(t, " \"%s\"", e->text);
	for (const struct element *child = e->first; child; child = child->next) {
		cr_assert_eq(child->parent, e);
		text_add(t, "(");
		show(t, child);
		text_add(t, ")");
	}
}

static void on_header(void *ctx, const struct element *header)
{
	struct seen *s = ctx;
	text_addf(&s->log, "header %s id=%s\n", header->name, element_get(header, "id"));
}

static void on_stanza(void *ctx, struct element *stanza)
{
	struct seen *s = ctx;
	s->n_stanzas++;
	cr_assert_null(stanza->parent);
	cr_assert_null(stanza->next);
	show(&s->log, stanza);
	text_add(&s->log, "\n");
}

static void on_over(void *ctx, struct element *start)
{
	struct seen *s = ctx;
	s->n_over++;
	cr_assert_null(start->first);
	cr_assert_str_eq(start->text, "");
	const char *from = element_get(start, "from"), *id = element_get(start, "id");
	text_addf(&s->log, "over {%s}%s from=%s id=%s\n", start->xmlns, start->name, from ? from : "-", id ? id : "-");
}

static void on_footer(void *ctx)
{
	struct seen *s = ctx;
	text_add(&s->log, "footer\n");
}

static const struct parser_events events = { on_header, on_stanza, on_over, on_footer };
static struct seen seen;

static void begin(void)
{
	seen = (struct seen){ 0 };
	text_add(&seen.log, "");
	seen.parser = parser_new(&events, &seen);
}

static void end(void)
{
	parser_free(seen.parser);
	text_free(&seen.log);
}

TestSuite(parser, .init = begin, .fini = end);

static int feed_n(const char *bytes, size_t size, struct err *e)
{
	while (size > 0) { /* as the loop gives it */
		size_t piece = size < 65536 ? size : 65536;
		if (parser_feed(seen.parser, bytes, piece, e) < 0)
			return -1;
		bytes += piece;
		size -= piece;
	}
	return 0;
}

static void feed(const char *text)
{
	struct err e;
	cr_assert_eq(feed_n(text, strlen(text), &e), 0, "%s", e.text);
}

static void saw(const char *wanted)
{
	cr_assert_str_eq(seen.log.data, wanted);
	text_clear(&seen.log);
}

static const char conversation[] =
	HEADER "<handshake/>\n <iq type='get' from='a@b/c' to='t@x' id='&lt;1&gt;'><req xmlns='urn:sd' seqnr='1'/></iq>"
	       "<message><body>a &amp; b<x/>c</body><q:y xmlns:q='urn:q' q:z='1' z='2'><q:w/><v/></q:y></message>"
	       "<p:presence xmlns:p='jabber:component:accept' xml:lang='de'/><e xmlns=''><f/></e><u:n u:a='1'/>"
	       "</stream:stream>";

static const char conversation_seen[] = "header stream id=s1\n"
					"{jabber:client}handshake\n"
					"{jabber:client}iq type=get from=a@b/c to=t@x id=<1>({urn:sd}req seqnr=1)\n"
					"{jabber:client}message({jabber:client}body \"a & bc\"({jabber:client}x))"
					"({urn:q}y urn:q|z=1 z=2({urn:q}w)({jabber:client}v))\n"
					"{jabber:client}presence http://www.w3.org/XML/1998/namespace|lang=de\n"
					"{}e({}f)\n"
					"{}u:n |u:a=1\n"
					"footer\n";

Test(parser, resolves_namespaces)
{
	feed(conversation);
	saw(conversation_seen);
}

/* Each end must be seen with the byte that makes it, not with some later one. */
Test(parser, may_be_cut_at_every_byte)
{
	struct err e;
	for (size_t cut = 1; cut < sizeof(conversation) - 1; cut++) {
		parser_reset(seen.parser);
		cr_assert_eq(feed_n(conversation, cut, &e), 0, "%s", e.text);
		cr_assert_eq(feed_n(conversation + cut, sizeof(conversation) - 1 - cut, &e), 0, "%s", e.text);
		saw(conversation_seen);
	}
	parser_reset(seen.parser);
	for (size_t i = 0; i < sizeof(conversation) - 1; i++)
		feed_n(conversation + i, 1, &e);
	saw(conversation_seen);
}

Test(parser, does_not_wait_for_more_after_a_cut_tag)
{
	static const char stanza[] = "<iq type='get' from='a@b/c' to='t@x' id='1'><req xmlns='urn:sd' seqnr='1'/></iq>";
	struct err e;
	feed(HEADER);
	for (size_t cut = 1; cut < sizeof(stanza) - 1; cut++) {
		size_t before = seen.n_stanzas;
		feed_n(stanza, cut, &e);
		feed_n(stanza + cut, sizeof(stanza) - 1 - cut, &e);
		cr_assert_eq(seen.n_stanzas, before + 1, "stuck when cut at %zu", cut);
	}
}

static char *repeat(struct text *t, const char *what, size_t n)
{
	for (size_t i = 0; i < n; i++)
		text_add(t, what);
	return t->data;
}

static void survives(struct text *t, const char *wanted)
{
	feed(t->data);
	saw(wanted);
	feed("<presence id='next'/>");
	saw("{jabber:client}presence id=next\n");
	text_free(t);
}

#define OVER "over {jabber:client}iq from=a@b id=1\n"

Test(parser, skips_64k_siblings)
{
	struct text t = { 0 };
	feed(HEADER);
	text_clear(&seen.log);
	text_add(&t, "<iq from='a@b' id='1'>");
	repeat(&t, "<a/>", 64 * 1024);
	text_add(&t, "</iq>");
	survives(&t, OVER);
}

Test(parser, skips_what_is_100000_deep)
{
	struct text t = { 0 };
	feed(HEADER);
	text_clear(&seen.log);
	text_add(&t, "<iq from='a@b' id='1'>");
	repeat(&t, "<a>", 100000);
	repeat(&t, "</a>", 100000);
	text_add(&t, "</iq>");
	survives(&t, OVER);
}

Test(parser, skips_256k_newlines)
{
	struct text t = { 0 };
	feed(HEADER);
	text_clear(&seen.log);
	text_add(&t, "<iq from='a@b' id='1'><body>");
	repeat(&t, "\n", 256 * 1024);
	text_add(&t, "</body></iq>");
	survives(&t, OVER);
}

Test(parser, skips_a_start_tag_that_is_too_large_and_keeps_whom_to_answer)
{
	struct text t = { 0 };
	feed(HEADER);
	text_clear(&seen.log);
	text_add(&t, "<iq x='");
	repeat(&t, "y", 1024 * 1024);
	text_add(&t, "' from='a@b' id='1'>");
	repeat(&t, "<b c='d'>text</b>", 10000);
	text_add(&t, "</iq>");
	survives(&t, OVER);
}

Test(parser, skips_too_many_prefixes)
{
	struct text t = { 0 };
	feed(HEADER);
	text_clear(&seen.log);
	text_add(&t, "<iq from='a@b' id='1'><x ");
	for (int i = 0; i <= LIMIT_STANZA_PREFIXES; i++)
		text_addf(&t, " xmlns:p%d='u'", i);
	text_add(&t, "/></iq>");
	survives(&t, OVER);
}

static void deep(struct text *t, size_t depth)
{
	text_add(t, "<iq from='a@b' id='1'>");
	repeat(t, "<a>", depth - 1);
	repeat(t, "</a>", depth - 1);
	text_add(t, "</iq>");
}

Test(parser, takes_exactly_what_the_limits_allow)
{
	struct text t = { 0 };
	feed(HEADER);
	deep(&t, LIMIT_STANZA_DEPTH);
	text_add(&t, "<iq>");
	repeat(&t, "<a/>", LIMIT_STANZA_ELEMENTS - 1);
	text_add(&t, "</iq><iq>");
	repeat(&t, "x", LIMIT_STANZA_BYTES - 16);
	text_add(&t, "</iq>");
	feed(t.data);
	cr_assert_eq(seen.n_stanzas, 3);
	cr_assert_eq(seen.n_over, 0);
	text_clear(&t);
	deep(&t, LIMIT_STANZA_DEPTH + 1);
	text_add(&t, "<iq>");
	repeat(&t, "<a/>", LIMIT_STANZA_ELEMENTS);
	text_add(&t, "</iq><iq>");
	repeat(&t, "x", LIMIT_STANZA_BYTES);
	text_add(&t, "</iq>");
	feed(t.data);
	cr_assert_eq(seen.n_stanzas, 3);
	cr_assert_eq(seen.n_over, 3);
	text_free(&t);
}

static void refuses(const char *bytes, size_t size, const char *why)
{
	struct err e = { "nothing wrong" };
	cr_assert_eq(feed_n(bytes, size, &e), -1);
	cr_assert_not_null(strstr(e.text, why), "%s", e.text);
}

#define refuses_text(text, why) refuses(text, strlen(text), why)

Test(parser, ends_the_stream_when_it_is_not_xml)
{
	feed(HEADER);
	refuses_text("<a></b>", "mismatched tag");
	parser_reset(seen.parser);
	feed(HEADER);
	refuses_text("<a b='\x01'/>", "not well-formed");
	parser_reset(seen.parser);
	feed(HEADER);
	refuses_text("<a>\xFF</a>", "not well-formed");
	parser_reset(seen.parser);
	feed(HEADER);
	refuses_text("<a>&who;</a>", "undefined entity");
	parser_reset(seen.parser);
	feed(HEADER);
	refuses_text("<a b='1' b='2'/>", "duplicate attribute");
	parser_reset(seen.parser);
	feed(HEADER);
	refuses("\0", 1, "not well-formed");
	parser_reset(seen.parser);
	text_clear(&seen.log);
	feed(conversation);
	saw(conversation_seen);
}

Test(parser, refuses_document_types)
{
	refuses_text("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "document type");
	saw("");
}

Test(parser, does_not_keep_a_tag_without_end)
{
	struct text t = { 0 };
	feed(HEADER "<iq x='");
	repeat(&t, "y", LIMIT_XML_TOKEN + 65536);
	refuses(t.data, t.size, "one tag above");
	text_free(&t);
}

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t allocated(void)
{
	return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes()
						       : mallinfo2().uordblks;
}

Test(parser, forgets_the_names_that_strangers_invent_and_reads_on)
{
	struct text t = { 0 };
	feed(HEADER);
	text_clear(&seen.log);
	size_t n = 0, before = 0;
	for (int round = 0; round < 40; round++) { /* 3 MB of names that come once */
		text_clear(&t);
		for (int i = 0; i < 1000; i++, n++)
			text_addf(&t, "<m%zu a%zu='1'/><stream:m xmlns='urn:n'><n/> text of %zu</stream:m>\n", n, n, n);
		feed(t.data);
		cr_assert_eq(seen.n_stanzas, 2 * n);
		char wanted[160];
		snprintf(wanted, sizeof(wanted), "{http://etherx.jabber.org/streams}m \" text of %zu\"({urn:n}n)\n",
			 n - 1);
		cr_assert_not_null(strstr(seen.log.data, wanted));
		text_clear(&seen.log);
		before = round == 10 ? allocated() : before;
	}
	cr_assert_lt(allocated(), before + 1024 * 1024, "%zu bytes after %zu", allocated(), before);
	feed("</stream:stream>");
	saw("footer\n");
	text_free(&t);
}
