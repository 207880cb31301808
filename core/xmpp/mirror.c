#include "core/xmpp/mirror.h"

#include "core/base/mem.h"
#include "core/base/text.h"
#include "core/xmpp/roster.h"

#include <string.h>

static const char *const subscriptions[] = {
	[SUBSCRIPTION_NONE] = "none",
	[SUBSCRIPTION_FROM] = "from",
	[SUBSCRIPTION_TO] = "to",
	[SUBSCRIPTION_BOTH] = "both",
};

/* -1: remove, or a word that nobody knows: no rights either way */
static int subscription_of(const struct element *item)
{
	const char *word = element_get(item, "subscription");
	for (int s = SUBSCRIPTION_NONE; s <= SUBSCRIPTION_BOTH; s++)
		if (text_same(word, subscriptions[s]))
			return s;
	return -1;
}

/* Not one who is being let in, or was told no: the server has not shown that yet. */
static void drop_known(struct friend *f)
{
	if (f && f->out)
		f->subscription = SUBSCRIPTION_NONE;
	else if (f && (f->subscription != SUBSCRIPTION_NONE || f->asked))
		thing_drop_friend(f);
}

static void take_item(struct things *t, struct thing *thing, const struct element *item)
{
	const char *jid = element_get(item, "jid");
	char bare[JID_BARE_ROOM];
	if (!jid || jid_bare(jid, bare) < 0)
		return;
	int s = subscription_of(item);
	bool asked = text_same(element_get(item, "ask"), "subscribe"), in = s > 0 && (s & SUBSCRIPTION_FROM);
	if (!in)
		gate_confirm_out(t->gate, thing, bare);
	struct friend *f = thing_find_friend(thing, bare);
	if (s < 0 || (s == SUBSCRIPTION_NONE && !asked)) {
		drop_known(f);
		return;
	}
	f = thing_add_friend(thing, bare);
	f->subscription = (enum subscription)(f->out ? s & SUBSCRIPTION_TO : s);
	f->asked = asked;
	f->role = gate_is_service(t->gate, bare) ? ROLE_SERVICE : gate_is_owner(thing, bare) ? ROLE_OWNER : ROLE_FRIEND;
}

struct fetch {
	struct things *things;
	char *local;
};

static const struct element *find_item(const struct element *query, const char *jid)
{
	char bare[JID_BARE_ROOM];
	const struct element *e = query ? element_child(query, "item", NULL) : NULL;
	for (; e; e = element_next(e, "item", NULL)) {
		const char *said = element_get(e, "jid");
		if (said && jid_bare(said, bare) == 0 && text_same(bare, jid))
			break;
	}
	return e;
}

/* Who was told no while the account was away, or just before: the server has not heard it. */
static void check_out(struct things *t, struct thing *thing, const struct friend *f, const struct element *query)
{
	const struct element *item = find_item(query, f->jid);
	int s = item ? subscription_of(item) : -1;
	if (s > 0 && (s & SUBSCRIPTION_FROM))
		roster_say_out(t, thing, f->jid);
	else
		gate_confirm_out(t->gate, thing, f->jid);
}

static void take_all(struct things *t, struct thing *thing, const struct element *query)
{
	list_each (at, &thing->friends) {
		const struct friend *f = list_of(at, struct friend, link);
		if (f->out)
			check_out(t, thing, f, query);
	}
	for (const struct element *e = query ? element_child(query, "item", NULL) : NULL; e;
	     e = element_next(e, "item", NULL))
		take_item(t, thing, e);
}

static void fetched(void *ctx, const struct element *stanza)
{
	struct fetch *f = ctx;
	struct things *t = f->things;
	struct thing *thing = house_find_thing(t->house, f->local, strlen(f->local));
	bool good = stanza && text_same(element_get(stanza, "type"), "result");
	if (good && thing) {
		take_all(t, thing, element_child(stanza, "query", "jabber:iq:roster"));
		things_ready(t, f->local);
	} else if (thing && !t->closing && link_up(t->link, f->local)) {
		log_error(t->log, "thing '%s': the server does not give its roster: nobody is let in", f->local);
		if (!stanza)
			mirror_up(t, f->local);
	}
	mem_free(f->local);
	mem_free(f);
}

/* What the server showed the last time counts no more: until it is known what it shows now, nobody is in. */
static void forget_known(struct things *t, const char *local)
{
	struct thing *thing = house_find_thing(t->house, local, strlen(local));
	list_each (at, &thing->friends)
		drop_known(list_of(at, struct friend, link));
}

void mirror_up(struct things *t, const char *local)
{
	forget_known(t, local);
	struct fetch *f = mem_new(sizeof(*f));
	char *own = mem_format("%s@%s", local, t->link->domain);
	struct writer_address from = { local, t->link->domain, THINGS_RESOURCE };
	*f = (struct fetch){ t, mem_text(local) };
	struct text *w = ask_begin(&t->asks, &from, own, "get", NULL, fetched, f);
	if (w) {
		writer_raw(w, "<query xmlns='jabber:iq:roster'/>");
		ask_end(&t->asks);
	} else {
		mem_free(f->local);
		mem_free(f);
	}
	mem_free(own);
}

bool mirror_is_server(const struct things *t, const struct incoming *in)
{
	if (!t->link->accounts)
		return false;
	const char *at = strchr(in->from_bare, '@');
	if (!at)
		return text_same(in->from_bare, t->link->domain);
	size_t size = (size_t)(at - in->from_bare);
	return text_same(at + 1, t->link->domain) && strlen(in->to_local) == size &&
	       memcmp(in->to_local, in->from_bare, size) == 0;
}

void mirror_take_push(void *self, struct incoming *in)
{
	const struct element *item = element_child(in->payload, "item", NULL);
	if (!strchr(in->from_bare, '@') || !item) { /* from the own account only, never from the domain */
		reply_refuse(&in->answer, &reply_service_unavailable, NULL);
		return;
	}
	take_item(self, in->target, item);
	reply_empty(&in->answer);
}
