#include "core/provisioner/provisioner.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/provisioner/about.h"
#include "core/provisioner/attend.h"
#include "core/provisioner/claims.h"
#include "core/provisioner/contacts.h"
#include "core/provisioner/decisions.h"
#include "core/provisioner/inside.h"
#include "core/provisioner/load.h"
#include "core/provisioner/notice.h"
#include "core/provisioner/owner.h"
#include "core/provisioner/queries.h"
#include "core/provisioner/register.h"
#include "core/provisioner/retention.h"
#include "core/provisioner/talk.h"
#include "core/provisioner/unregister.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, PATIENCE_MS = 2000 };

static const struct route routes[] = {
	{ ROUTE_SET, SIOT, "register", register_take },
	{ ROUTE_SET, SIOT, "claim", claims_take },
	{ ROUTE_GET, SIOT, "is-friend-query", queries_take_friend },
	{ ROUTE_GET, ELEMENT_CLIENT, "is-friend-query", queries_take_friend }, /* S16: the examples have no xmlns */
	{ ROUTE_GET, SIOT, "pending-friend-query", queries_take_pending },
	{ ROUTE_SET, SIOT, "friend-state-update", decisions_take },
	{ ROUTE_SET, SIOT_X, "give-up", owner_take_give_up },
	{ ROUTE_SET, SIOT_X, "unregister", unregister_take },
	{ ROUTE_GET, SIOT_X, "things", owner_take_things },
	{ ROUTE_GET, SIOT_X, "friends", owner_take_friends },
	{ ROUTE_GET, "http://jabber.org/protocol/disco#info", "query", about_take_info },
	{ ROUTE_GET, "http://jabber.org/protocol/disco#items", "query", about_take_items },
	{ ROUTE_GET, "urn:xmpp:ping", "ping", about_take_ping },
	{ ROUTE_MESSAGE, NULL, NULL, talk_take },
	{ ROUTE_PRESENCE, NULL, "", contacts_take_available },
	{ ROUTE_PRESENCE, NULL, "unavailable", contacts_take_unavailable },
	{ ROUTE_PRESENCE, NULL, "subscribe", contacts_take_subscribe },
	{ ROUTE_PRESENCE, NULL, "subscribed", contacts_take_subscribed },
	{ ROUTE_PRESENCE, NULL, "unsubscribe", contacts_take_unsubscribe },
	{ ROUTE_PRESENCE, NULL, "unsubscribed", contacts_take_unsubscribed },
	{ ROUTE_PRESENCE, NULL, "probe", contacts_take_probe },
	{ .take = NULL },
};
static const struct route nothing[] = { { .take = NULL } };

static void on_up(void *ctx, const char *local)
{
	struct provisioner *p = ctx;
	(void)local;
	attend_up(p);
	if (p->events && p->events->on_up)
		p->events->on_up(p->ctx);
}

static void on_down(void *ctx, const char *local, const struct err *why)
{
	struct provisioner *p = ctx;
	(void)local;
	attend_down(p);
	if (p->events && p->events->on_down)
		p->events->on_down(p->ctx, why);
}

/* Only the domain itself is somebody here. What comes from it is our own, sent back. */
static void on_stanza(void *ctx, struct element *stanza)
{
	struct provisioner *p = ctx;
	struct incoming in;
	struct incoming_room room;
	if (incoming_read(&in, &room, p->link, stanza) < 0)
		return;
	bool ours = !in.to_local && !text_same(in.from_bare, p->link->domain);
	route_take(ours && !p->closing ? routes : nothing, p, &in);
}

static void on_closed(void *ctx)
{
	struct provisioner *p = ctx;
	p->link_closed = true;
	provisioner_settle(p);
}

const struct link_events provisioner_link_events = { on_up, on_down, on_stanza, on_closed };

struct provisioner *provisioner_new(struct store *store, struct loop *loop, struct log *log,
				    const struct provisioner_events *events, void *ctx, struct err *e)
{
	struct provisioner *p = mem_new(sizeof(*p));
	p->store = store;
	p->loop = loop;
	p->log = log;
	p->events = events;
	p->ctx = ctx;
	list_init(&p->due_things);
	list_init(&p->due_owners);
	registry_init(&p->registry, loop);
	quota_init(&p->claims, loop, MINUTE_MS, LIMIT_CLAIMS_MINUTE);
	quota_init(&p->queries, loop, HOUR_MS, LIMIT_QUERIES_HOUR);
	quota_init(&p->words, loop, MINUTE_MS, LIMIT_WORDS_MINUTE);
	if (load_all(p, e) == 0)
		return p;
	provisioner_free(p);
	return NULL;
}

void provisioner_start(struct provisioner *p, struct link *link)
{
	must(!p->link);
	p->link = link;
	retention_begin(p);
	link_open(link);
}

struct provisioner *provisioner_open(const struct conf_xmpp *settings, struct store *store, struct loop *loop,
				     struct log *log, const struct provisioner_events *events, void *ctx, struct err *e)
{
	struct provisioner *p = provisioner_new(store, loop, log, events, ctx, e);
	if (p)
		provisioner_start(p, component_new("provisioner", settings, loop, log, &provisioner_link_events, p));
	return p;
}

static void hang_up(void *ctx)
{
	struct provisioner *p = ctx;
	timer_stop(p->loop, &p->patience);
	if (!p->hung_up)
		link_close(p->link);
	p->hung_up = true;
}

void provisioner_settle(struct provisioner *p)
{
	if (!p->closing || p->n_changes > 0)
		return;
	hang_up(p);
	if (!p->link_closed || p->closed)
		return;
	p->closed = true;
	if (p->events && p->events->on_closed)
		p->events->on_closed(p->ctx);
}

static void say_goodbye(struct provisioner *p)
{
	struct owner *owner;
	for (size_t at = 0; (owner = map_next(&p->registry.owners, &at));)
		notice_presence(p, owner->jid, "unavailable", false);
}

/* Those whose change is on its way to the disk get their answer, unless the disk takes too long. */
const struct link *provisioner_link(const struct provisioner *p)
{
	return p ? p->link : NULL;
}

size_t provisioner_count(const struct provisioner *p)
{
	return p ? p->registry.things.n : 0;
}

void provisioner_close(struct provisioner *p)
{
	if (p->closing)
		return;
	p->closing = true;
	retention_end(p);
	say_goodbye(p);
	timer_set(p->loop, &p->patience, PATIENCE_MS, hang_up, p);
	provisioner_settle(p);
}

void provisioner_free(struct provisioner *p)
{
	if (!p)
		return;
	must(p->n_changes == 0);
	retention_end(p);
	timer_stop(p->loop, &p->due);
	timer_stop(p->loop, &p->patience);
	while (list_pop(&p->due_things) || list_pop(&p->due_owners))
		;
	registry_free(&p->registry);
	quota_free(&p->claims);
	quota_free(&p->queries);
	quota_free(&p->words);
	link_free(p->link);
	mem_free(p);
}
