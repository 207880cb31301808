#include "tests/lib/fake_link.h"

#include "core/base/mem.h"

#include <criterion/criterion.h>
#include <expat.h>
#include <stdarg.h>
#include <string.h>

#define STREAM ELEMENT_CLIENT

struct fake_link_sent {
	struct element *stanza;
	const char *text;
	struct fake_link_sent *next;
};

struct builder {
	struct arena *arena;
	struct element *at; /* the element that is open */
	struct element root;
	size_t n; /* stanzas */
};

/* expat joins "xmlns name" with a separator. */
static const char *split(struct arena *arena, const char *joined, const char **ret_xmlns)
{
	const char *gap = strchr(joined, '\n');
	*ret_xmlns = gap ? arena_text(arena, joined, (size_t)(gap - joined)) : NULL;
	const char *name = gap ? gap + 1 : joined;
	return arena_text(arena, name, strlen(name));
}

static void append(struct element *parent, struct element *child)
{
	struct element **at = &parent->first;
	while (*at)
		at = &(*at)->next;
	*at = child;
	child->parent = parent;
}

static void on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct builder *b = ctx;
	if (!b->at) {
		b->at = &b->root;
		return;
	}
	struct element *e = arena_take(b->arena, sizeof(*e));
	e->name = split(b->arena, name, &e->xmlns);
	if (!e->xmlns)
		e->xmlns = ""; /* as the parser has it */
	e->text = "";
	struct attribute **last = &e->attributes;
	for (; *attributes; attributes += 2) {
		struct attribute *a = arena_take(b->arena, sizeof(*a));
		a->name = split(b->arena, attributes[0], &a->xmlns);
		a->value = arena_text(b->arena, attributes[1], strlen(attributes[1]));
		*last = a;
		last = &a->next;
	}
	append(b->at, e);
	b->n += b->at == &b->root;
	b->at = e;
}

static void on_end(void *ctx, const XML_Char *name)
{
	struct builder *b = ctx;
	(void)name;
	if (b->at != &b->root)
		b->at = b->at->parent;
}

static void on_text(void *ctx, const XML_Char *bytes, int size)
{
	struct builder *b = ctx;
	if (!b->at || b->at == &b->root)
		return;
	struct text joined = { 0 };
	text_add(&joined, b->at->text);
	text_add_n(&joined, bytes, (size_t)size);
	b->at->text = arena_text(b->arena, joined.data, joined.size);
	text_free(&joined);
}

struct element *fake_link_parse(struct arena *arena, const char *xml, size_t size, size_t *ret_n)
{
	static const char head[] = "<stream xmlns='" STREAM "'>", tail[] = "</stream>";
	struct builder b = { .arena = arena };
	XML_Parser parser = XML_ParserCreateNS("UTF-8", '\n');
	XML_SetUserData(parser, &b);
	XML_SetElementHandler(parser, on_start, on_end);
	XML_SetCharacterDataHandler(parser, on_text);
	bool ok = XML_Parse(parser, head, sizeof(head) - 1, 0) && XML_Parse(parser, xml, (int)size, 0) &&
		  XML_Parse(parser, tail, sizeof(tail) - 1, 1);
	cr_assert(ok, "%s in: %.*s", XML_ErrorString(XML_GetErrorCode(parser)), (int)size, xml);
	XML_ParserFree(parser);
	for (struct element *e = b.root.first; e; e = e->next)
		e->parent = NULL;
	if (ret_n)
		*ret_n = b.n;
	return b.root.first;
}

static bool from_us(const struct fake_link *f, const char *from)
{
	const char *domain = from && strchr(from, '@') ? strchr(from, '@') + 1 : from;
	size_t size = strlen(f->link.domain);
	return domain && strncmp(domain, f->link.domain, size) == 0 && (domain[size] == '\0' || domain[size] == '/');
}

static void fake_open(struct link *l)
{
	((struct fake_link *)(void *)l)->opened = true;
}

static void closed(void *ctx)
{
	struct fake_link *f = ctx;
	f->closed = true;
	f->up = false;
	f->link.events->on_closed(f->link.ctx);
}

static void fake_close(struct link *l)
{
	struct fake_link *f = (struct fake_link *)(void *)l;
	timer_set(l->loop, &f->closing, 0, closed, f);
}

static bool fake_is_up(const struct link *l, const char *local)
{
	(void)local;
	return ((const struct fake_link *)(const void *)l)->up;
}

static struct text *fake_begin(struct link *l, const char *local, bool answer)
{
	struct fake_link *f = (struct fake_link *)(void *)l;
	(void)local;
	if (!f->up || (f->congested && !answer))
		return NULL;
	if (f->on_begin)
		f->on_begin(f->on_begin_ctx);
	cr_assert_eq(f->out.size, 0, "link_begin before link_end");
	return &f->out;
}

static void fake_end(struct link *l)
{
	struct fake_link *f = (struct fake_link *)(void *)l;
	if (f->out.size == 0) /* it was too large */
		return;
	struct fake_link_sent *sent = arena_take(f->arena, sizeof(*sent));
	sent->text = arena_text(f->arena, f->out.data ? f->out.data : "", f->out.size);
	text_clear(&f->out);
	size_t n;
	sent->stanza = fake_link_parse(f->arena, sent->text, strlen(sent->text), &n);
	cr_assert_eq(n, 1, "not one stanza: %s", sent->text);
	cr_assert(from_us(f, element_get(sent->stanza, "from")), "a server closes the stream: %s", sent->text);
	bool to_all = l->accounts && element_is(sent->stanza, "presence", NULL);
	cr_assert(to_all || element_get(sent->stanza, "to"), "no addressee: %s", sent->text);
	if (f->last)
		f->last->next = sent;
	else
		f->first = sent;
	f->last = sent;
	f->n_sent++;
}

static bool fake_congested(const struct link *l)
{
	return ((const struct fake_link *)(const void *)l)->congested;
}

static void fake_free(struct link *l)
{
	((struct fake_link *)(void *)l)->freed = true;
}

static const struct link_driver driver = {
	.open = fake_open,
	.close = fake_close,
	.up = fake_is_up,
	.begin = fake_begin,
	.end = fake_end,
	.congested = fake_congested,
	.free = fake_free,
};

struct fake_link *fake_link_new(const char *domain, struct loop *loop, struct log *log,
				const struct link_events *events, void *ctx)
{
	struct fake_link *f = mem_new(sizeof(*f));
	f->link = (struct link){ .driver = &driver,
				 .domain = domain,
				 .events = events,
				 .ctx = ctx,
				 .loop = loop,
				 .log = log,
				 .name = "fake" };
	f->arena = arena_new();
	return f;
}

void fake_link_free(struct fake_link *f)
{
	if (f->link.loop)
		timer_stop(f->link.loop, &f->closing);
	text_free(&f->out);
	arena_free(f->arena);
	mem_free(f);
}

void fake_link_up(struct fake_link *f, const char *local)
{
	f->up = true;
	f->link.events->on_up(f->link.ctx, local);
}

void fake_link_down(struct fake_link *f, const char *local)
{
	struct err why;
	err_set(&why, "the test took it down");
	f->up = false;
	f->link.events->on_down(f->link.ctx, local, &why);
}

void fake_link_give(struct fake_link *f, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int size = vsnprintf(NULL, 0, format, args);
	char *xml = mem_new((size_t)size + 1);
	vsnprintf(xml, (size_t)size + 1, format, again);
	va_end(again);
	va_end(args);
	struct arena *arena = arena_new();
	struct element *next;
	for (struct element *e = fake_link_parse(arena, xml, (size_t)size, NULL); e; e = next) {
		next = e->next;
		e->next = NULL;
		f->link.events->on_stanza(f->link.ctx, e);
	}
	arena_free(arena);
	mem_free(xml);
}

struct element *fake_link_take(struct fake_link *f, const char **ret_text)
{
	struct fake_link_sent *sent = f->first;
	if (!sent)
		return NULL;
	f->first = sent->next;
	if (!f->first)
		f->last = NULL;
	if (ret_text)
		*ret_text = sent->text;
	return sent->stanza;
}

const char *fake_link_find(struct fake_link *f, const char *fragment)
{
	struct fake_link_sent *before = NULL;
	for (struct fake_link_sent *sent = f->first; sent; before = sent, sent = sent->next) {
		if (!strstr(sent->text, fragment))
			continue;
		if (before)
			before->next = sent->next;
		else
			f->first = sent->next;
		if (f->last == sent)
			f->last = before;
		return sent->text;
	}
	return NULL;
}

void fake_link_forget(struct fake_link *f)
{
	f->first = f->last = NULL;
}
