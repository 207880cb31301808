/*
 * Happy path: start tag -> element in the arena, hung under the one above; text -> its frame; the end tag of a stanza
 * -> event, and the arena is empty again.
 *
 * Expat works without its namespaces: nearly every stanza has one xmlns='' and no prefix, and that is cheaper done
 * here.
 *
 * Expat keeps every element and attribute name it has ever seen until it is reset, so strangers could fill our memory
 * with invented names over the months a stream lives. Therefore it is reset between two stanzas after each REFRESH
 * bytes, and the start tag of the stream is fed to it again.
 */
#include "core/xmpp/parser.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/text.h"

#include <expat.h>
#include <string.h>

enum { REFRESH = 256 * 1024, MARKUP = 4 /* bytes a tag or attribute has besides its names: they count too */ };

struct declaration {
	const char *prefix;
	const char *xmlns;
	struct declaration *next;
};

struct frame {
	struct element *element;
	struct element *last; /* child */
	const char *xmlns;    /* of what has no prefix */
	struct declaration *declared;
	char *text;
	size_t text_size, text_room;
};

struct parser {
	const struct parser_events *events;
	void *ctx;
	XML_Parser xml;
	struct arena *stanza; /* of the stanza that is being read */
	struct arena *stream; /* what the start tag of the stream declared */
	char *root;           /* "<stream:stream>", to feed again */
	size_t fed;           /* bytes since the last reset of expat */
	size_t quiet;         /* bytes since the last event: an unfinished token */
	const char *refused;
	bool priming;
	size_t depth; /* open tags; 1: in the stream, 2: in a stanza */
	bool over;
	size_t n_elements, n_bytes, n_prefixes;
	struct frame frames[1 + LIMIT_STANZA_DEPTH]; /* of depth 1 and up */
};

static struct frame *top(struct parser *p)
{
	return &p->frames[p->depth - 1];
}

static struct arena *arena_now(struct parser *p)
{
	return p->depth == 1 ? p->stream : p->stanza;
}

/* The stream's namespace has another name in each transport; above there is one. */
static const char *one_name(const char *xmlns)
{
	return strcmp(xmlns, "jabber:component:accept") == 0 ? ELEMENT_CLIENT : xmlns;
}

static const char *xmlns_of_prefix(const struct parser *p, const char *prefix, size_t size)
{
	if (size == 3 && memcmp(prefix, "xml", 3) == 0)
		return ELEMENT_XML;
	for (size_t i = p->depth; i-- > 0;)
		for (const struct declaration *d = p->frames[i].declared; d; d = d->next)
			if (strncmp(d->prefix, prefix, size) == 0 && d->prefix[size] == '\0')
				return d->xmlns;
	return NULL;
}

/* "x:thing" -> "thing" and what x stands for. */
static void resolve(const struct parser *p, const char **name, const char **xmlns)
{
	const char *colon = strchr(*name, ':');
	if (!colon)
		return;
	*xmlns = xmlns_of_prefix(p, *name, (size_t)(colon - *name));
	if (*xmlns)
		*name = colon + 1;
	else
		*xmlns = "";
}

static void declare(struct parser *p, const char *prefix, const char *xmlns)
{
	struct declaration *d = arena_take(arena_now(p), sizeof(*d));
	d->prefix = prefix;
	d->xmlns = one_name(xmlns);
	d->next = top(p)->declared;
	top(p)->declared = d;
	p->n_prefixes++;
}

/* Takes the declarations out of the attributes, then gives the names that have a prefix their namespace. */
static void resolve_all(struct parser *p, struct element *e)
{
	for (struct attribute **at = &e->attributes; *at;) {
		if (!text_begins((*at)->name, "xmlns:")) {
			at = &(*at)->next;
			continue;
		}
		declare(p, (*at)->name + 6, (*at)->value);
		*at = (*at)->next;
	}
	if (p->n_prefixes > LIMIT_STANZA_PREFIXES) {
		p->over = true;
		return;
	}
	resolve(p, &e->name, &e->xmlns);
	for (struct attribute *a = e->attributes; a; a = a->next)
		resolve(p, &a->name, &a->xmlns);
}

static struct attribute *attribute_new(struct arena *arena, const char *name, size_t name_size, const char *value,
				       size_t value_size)
{
	struct attribute *a = arena_take(arena, sizeof(*a) + name_size + value_size + 2);
	char *at = (char *)(a + 1);
	a->name = memcpy(at, name, name_size + 1);
	a->value = memcpy(at + name_size + 1, value, value_size + 1);
	return a;
}

static struct element *element_new(struct parser *p, const char *name, size_t name_size)
{
	struct element *e = arena_take(arena_now(p), sizeof(*e) + name_size + 1);
	e->name = memcpy(e + 1, name, name_size + 1);
	e->text = "";
	e->parent = p->depth > 2 ? top(p)[-1].element : NULL;
	e->xmlns = top(p)->xmlns = p->depth > 1 ? top(p)[-1].xmlns : "";
	return e;
}

static bool count(struct parser *p, size_t bytes)
{
	p->n_bytes += bytes;
	if (p->n_bytes > LIMIT_STANZA_BYTES)
		p->over = true;
	return !p->over;
}

static void add_attributes(struct parser *p, struct element *e, const char **pairs, bool *prefixed)
{
	struct attribute **last = &e->attributes;
	for (; *pairs; pairs += 2) {
		size_t name_size = strlen(pairs[0]), value_size = strlen(pairs[1]);
		if (!count(p, name_size + value_size + MARKUP))
			return;
		if (name_size == 5 && memcmp(pairs[0], "xmlns", 5) == 0) {
			e->xmlns = top(p)->xmlns = one_name(arena_text(arena_now(p), pairs[1], value_size));
			continue;
		}
		*last = attribute_new(arena_now(p), pairs[0], name_size, pairs[1], value_size);
		last = &(*last)->next;
		*prefixed |= memchr(pairs[0], ':', name_size) != NULL;
	}
}

static void hang(struct frame *above, struct element *e)
{
	if (above->last)
		above->last->next = e;
	else
		above->element->first = e;
	above->last = e;
}

static void open_element(struct parser *p, const char *name, const char **pairs)
{
	size_t name_size = strlen(name);
	*top(p) = (struct frame){ 0 };
	if (p->n_elements++ >= LIMIT_STANZA_ELEMENTS || !count(p, name_size + MARKUP)) {
		p->over = true;
		return;
	}
	bool prefixed = memchr(name, ':', name_size) != NULL;
	struct element *e = element_new(p, name, name_size);
	top(p)->element = e;
	add_attributes(p, e, pairs, &prefixed);
	if (prefixed)
		resolve_all(p, e);
	if (p->depth > 2)
		hang(&top(p)[-1], e);
}

static bool is_short_address(const char *name, const char *value)
{
	static const char *const kept[] = { "from", "to", "id", "type" };
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (strcmp(name, kept[i]) == 0)
			return strlen(value) <= LIMIT_JID;
	return false;
}

/* A start tag that is itself too large: what it takes to answer is kept. */
static void open_start_only(struct parser *p, const char *name, const char **pairs)
{
	size_t name_size = strlen(name);
	struct element *e = element_new(p, name_size <= LIMIT_JID ? name : "", name_size <= LIMIT_JID ? name_size : 0);
	for (; *pairs; pairs += 2) {
		if (!is_short_address(pairs[0], pairs[1]))
			continue;
		struct attribute *a = attribute_new(p->stanza, pairs[0], strlen(pairs[0]), pairs[1], strlen(pairs[1]));
		a->next = e->attributes;
		e->attributes = a;
	}
	top(p)->element = e;
}

static void begin_count(struct parser *p)
{
	p->over = false;
	p->n_elements = p->n_bytes = p->n_prefixes = 0;
}

static void open_stream(struct parser *p, const char *name, const char **pairs)
{
	begin_count(p);
	open_element(p, name, pairs);
	if (p->over) {
		p->refused = "the start tag of the stream is too large";
		XML_StopParser(p->xml, XML_FALSE);
		return;
	}
	mem_free(p->root);
	p->root = mem_format("<%s>", name);
	p->events->on_header(p->ctx, top(p)->element);
}

static void on_start(void *ctx, const char *name, const char **pairs)
{
	struct parser *p = ctx;
	p->quiet = 0;
	p->depth++;
	if (p->depth == 1) {
		if (!p->priming)
			open_stream(p, name, pairs);
		return;
	}
	if (p->depth == 2)
		begin_count(p);
	if (p->depth > 1 + LIMIT_STANZA_DEPTH)
		p->over = true;
	if (!p->over)
		open_element(p, name, pairs);
	if (p->over && p->depth == 2)
		open_start_only(p, name, pairs);
}

static void give_stanza(struct parser *p, struct element *e)
{
	if (p->over) {
		e->first = NULL;
		e->text = "";
		p->events->on_over(p->ctx, e);
	} else {
		p->events->on_stanza(p->ctx, e);
	}
	arena_clear(p->stanza);
	if (p->fed > REFRESH)
		XML_StopParser(p->xml, XML_TRUE);
}

static void on_end(void *ctx, const char *name)
{
	struct parser *p = ctx;
	(void)name;
	p->quiet = 0;
	if (p->refused)
		return;
	if (!p->over && top(p)->text)
		top(p)->element->text = top(p)->text;
	if (p->depth == 2)
		give_stanza(p, top(p)->element);
	if (p->depth == 1)
		p->events->on_footer(p->ctx);
	p->depth--;
}

/* Pieces come one by one (each newline is one), so the room doubles. */
static void grow_text(struct parser *p, struct frame *f, size_t size)
{
	size_t room = f->text ? 2 * (f->text_size + size) + 1 : size + 1;
	char *larger = arena_take(p->stanza, room);
	if (f->text)
		memcpy(larger, f->text, f->text_size);
	f->text = larger;
	f->text_room = room;
}

static void on_text(void *ctx, const char *bytes, int n)
{
	struct parser *p = ctx;
	size_t size = (size_t)n;
	p->quiet = 0;
	if (p->depth < 2 || p->over || !count(p, size))
		return;
	struct frame *f = top(p);
	if (f->text_size + size + 1 > f->text_room)
		grow_text(p, f, size);
	memcpy(f->text + f->text_size, bytes, size);
	f->text_size += size;
	f->text[f->text_size] = '\0';
}

static void on_doctype(void *ctx, const char *name, const char *sysid, const char *pubid, int internal)
{
	struct parser *p = ctx;
	(void)name, (void)sysid, (void)pubid, (void)internal;
	p->refused = "a document type is not allowed";
	XML_StopParser(p->xml, XML_FALSE);
}

/* After a reset expat has forgotten all of this. */
static void set_up(struct parser *p)
{
#ifdef JIDGATE_EXPAT_DEFERRAL
	/* Otherwise a start tag that a read cut in two stays unparsed until much more comes. */
	XML_SetReparseDeferralEnabled(p->xml, XML_FALSE);
#endif
	XML_SetUserData(p->xml, p);
	XML_SetElementHandler(p->xml, on_start, on_end);
	XML_SetCharacterDataHandler(p->xml, on_text);
	XML_SetStartDoctypeDeclHandler(p->xml, on_doctype);
	p->fed = 0;
	p->depth = 0;
}

struct parser *parser_new(const struct parser_events *events, void *ctx)
{
	struct parser *p = mem_new(sizeof(*p));
	p->events = events;
	p->ctx = ctx;
	p->stanza = arena_new();
	p->stream = arena_new();
	p->xml = XML_ParserCreate("UTF-8");
	must(p->xml);
	set_up(p);
	return p;
}

static void refresh(struct parser *p)
{
	XML_ParserReset(p->xml, "UTF-8");
	set_up(p);
	p->priming = true;
	must(XML_Parse(p->xml, p->root, (int)strlen(p->root), 0) == XML_STATUS_OK);
	p->priming = false;
	p->fed = strlen(p->root);
}

static int give_up(const struct parser *p, struct err *e)
{
	if (p->refused)
		return err_set(e, "%s", p->refused);
	return err_set(e, "XML that is not well-formed: %s", XML_ErrorString(XML_GetErrorCode(p->xml)));
}

int parser_feed(struct parser *p, const char *bytes, size_t size, struct err *e)
{
	while (size > 0) {
		must(size <= LIMIT_XML_TOKEN);
		size_t before = p->fed;
		p->fed += size;
		p->quiet += size;
		enum XML_Status status = XML_Parse(p->xml, bytes, (int)size, 0);
		if (status == XML_STATUS_ERROR)
			return give_up(p, e);
		if (p->quiet > LIMIT_XML_TOKEN)
			return err_set(e, "one tag above %d bytes", LIMIT_XML_TOKEN);
		if (status == XML_STATUS_OK)
			return 0;
		size_t end = (size_t)XML_GetCurrentByteIndex(p->xml) + (size_t)XML_GetCurrentByteCount(p->xml);
		must(end >= before && end - before <= size);
		bytes += end - before;
		size -= end - before;
		refresh(p);
	}
	return 0;
}

void parser_reset(struct parser *p)
{
	XML_ParserReset(p->xml, "UTF-8");
	arena_clear(p->stanza);
	arena_clear(p->stream);
	set_up(p);
	begin_count(p);
	p->quiet = 0;
	p->refused = NULL;
}

void parser_free(struct parser *p)
{
	if (!p)
		return;
	XML_ParserFree(p->xml);
	arena_free(p->stanza);
	arena_free(p->stream);
	mem_free(p->root);
	mem_free(p);
}
