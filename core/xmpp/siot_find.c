#include "core/xmpp/siot_find.h"

#include "core/base/mem.h"
#include "core/base/text.h"
#include "core/xmpp/siot.h"
#include "core/xmpp/things.h"

#include <string.h>

#define INFO_NS  "http://jabber.org/protocol/disco#info"
#define ITEMS_NS "http://jabber.org/protocol/disco#items"

static const int64_t AGAIN_MS = 600000;

enum { MOST_ITEMS = 64 }; /* a server lists its components; whoever lists more is not asked one by one */

static void ask(struct things *t, const char *to, const char *xmlns, ask_fn *fn);

static void conclude(struct things *t)
{
	struct siot_find *f = &t->find;
	if (f->open)
		return;
	if (t->closing || !link_up(t->link, f->from)) {
		siot_find_end(t); /* asked again after the next connect */
		return;
	}
	if (f->n == 1) {
		log_info(t->log, "provisioning service %s: found by service discovery", f->match);
		t->gate->service = mem_text(f->match);
	} else {
		log_warn(t->log,
			 "%s found by service discovery: name one in provisioning.service; until then nobody is let in",
			 f->n ? "several provisioning services" : "no provisioning service");
	}
	bool found = f->n == 1;
	siot_find_end(t);
	f->again_ms = loop_now(t->loop) + AGAIN_MS;
	if (found)
		siot_up_all(t);
}

static const struct element *query_of(const struct element *stanza, const char *xmlns)
{
	bool good = stanza && text_same(element_get(stanza, "type"), "result");
	return good ? element_child(stanza, "query", xmlns) : NULL;
}

static bool speaks_siot(const struct element *query)
{
	const struct element *e = query ? element_child(query, "feature", NULL) : NULL;
	for (; e; e = element_next(e, "feature", NULL))
		if (text_same(element_get(e, "var"), SIOT_NS))
			return true;
	return false;
}

static void take_info(void *ctx, const struct element *stanza)
{
	struct things *t = ctx;
	char from[JID_BARE_ROOM];
	const char *who = stanza ? element_get(stanza, "from") : NULL;
	t->find.open--;
	if (speaks_siot(query_of(stanza, INFO_NS)) && who && jid_bare(who, from) == 0 && t->find.n++ == 0)
		t->find.match = mem_text(from);
	conclude(t);
}

static void take_items(void *ctx, const struct element *stanza)
{
	struct things *t = ctx;
	const struct element *query = query_of(stanza, ITEMS_NS);
	const struct element *e = query ? element_child(query, "item", NULL) : NULL;
	for (size_t n = 0; e && n < MOST_ITEMS; e = element_next(e, "item", NULL), n++) {
		const char *jid = element_get(e, "jid");
		char bare[JID_BARE_ROOM];
		if (jid && !element_get(e, "node") && jid_bare(jid, bare) == 0 && !text_same(bare, t->link->domain))
			ask(t, bare, INFO_NS, take_info);
	}
	t->find.open--;
	conclude(t);
}

static void ask(struct things *t, const char *to, const char *xmlns, ask_fn *fn)
{
	struct writer_address from = { t->find.from, t->link->domain, t->find.from ? THINGS_RESOURCE : NULL };
	struct text *w = ask_begin(&t->asks, &from, to, "get", NULL, fn, t);
	if (!w)
		return;
	t->find.open++;
	writer_raw(w, "<query");
	writer_attribute(w, "xmlns", xmlns);
	writer_raw(w, "/>");
	ask_end(&t->asks);
}

/* A component hangs below the domain of its server; an account is on it. */
static const char *server_of(const struct link *link)
{
	const char *dot = strchr(link->domain, '.');
	return link->accounts ? link->domain : dot ? dot + 1 : NULL;
}

void siot_find_begin(struct things *t, const char *local)
{
	const char *server = server_of(t->link);
	if (t->gate->service || t->find.open || !server)
		return;
	if (local && loop_now(t->loop) < t->find.again_ms)
		return; /* another account has looked */
	t->find.from = mem_text(local);
	ask(t, server, ITEMS_NS, take_items);
}

void siot_find_end(struct things *t)
{
	mem_free(t->find.from);
	mem_free(t->find.match);
	t->find = (struct siot_find){ 0 };
}
