#include "core/xmpp/things.h"

#include "core/base/text.h"
#include "core/xmpp/control.h"
#include "core/xmpp/disco.h"
#include "core/xmpp/mirror.h"
#include "core/xmpp/presence.h"
#include "core/xmpp/roster.h"
#include "core/xmpp/sensor.h"
#include "core/xmpp/siot.h"

#include <string.h>

/*
 * Who is spoken to, and may he know that there is anybody? A stranger gets from a thing exactly what he gets from a JID
 * that does not exist (wire.md 1.8). Somebody who asked to be let in gets `forbidden`, there as here.
 */

static void take_answer(void *self, struct incoming *in)
{
	struct things *t = self;
	if (!ask_take(&t->asks, in))
		log_debug(t->log, "%s: an answer that nobody waits for is dropped", t->link->name);
}

static const struct route thing_routes[] = {
	{ ROUTE_GET, SENSOR_NS, "req", sensor_take_req },
	{ ROUTE_GET, SENSOR_NS, "cancel", sensor_take_cancel },
	{ ROUTE_SET, SENSOR_NS, "cancel", sensor_take_cancel },
	{ ROUTE_SET, CONTROL_NS, "set", control_take_set },
	{ ROUTE_MESSAGE, CONTROL_NS, "set", control_take_message },
	{ ROUTE_GET, "http://jabber.org/protocol/disco#info", "query", disco_take_info },
	{ ROUTE_GET, "http://jabber.org/protocol/disco#items", "query", disco_take_items },
	{ ROUTE_GET, "urn:xmpp:ping", "ping", disco_take_ping },
	{ ROUTE_MESSAGE, SIOT_NS, "owner", siot_take_owner },
	{ ROUTE_SET, SIOT_NS, "owner", siot_take_owner },
	{ ROUTE_MESSAGE, SIOT_NS, "friendship-states", siot_take_states },
	{ ROUTE_SET, SIOT_NS, "friendship-states", siot_take_states },
	{ ROUTE_MESSAGE, SIOT_X_NS, "disowned", siot_take_disowned },
	{ ROUTE_SET, SIOT_X_NS, "disowned", siot_take_disowned },
	{ 0 },
};

/* The domain's own JID is a service, never a thing (S36); everybody may ask what it is. */
static const struct route domain_routes[] = {
	{ ROUTE_GET, "http://jabber.org/protocol/disco#info", "query", disco_take_domain_info },
	{ ROUTE_GET, "http://jabber.org/protocol/disco#items", "query", disco_take_domain_items },
	{ ROUTE_GET, "urn:xmpp:ping", "ping", disco_take_ping },
	{ 0 },
};

/* Accounts mode: what the server itself sends to an account. */
static const struct route server_routes[] = {
	{ ROUTE_SET, "jabber:iq:roster", "query", mirror_take_push },
	{ ROUTE_GET, "urn:xmpp:ping", "ping", disco_take_ping },
	{ 0 },
};

static const struct route presence_routes[] = {
	{ ROUTE_PRESENCE, NULL, "subscribe", roster_take_subscribe },
	{ ROUTE_PRESENCE, NULL, "subscribed", roster_take_subscribed },
	{ ROUTE_PRESENCE, NULL, "unsubscribe", roster_take_unsubscribe },
	{ ROUTE_PRESENCE, NULL, "unsubscribed", roster_take_unsubscribed },
	{ ROUTE_PRESENCE, NULL, "probe", presence_take_probe },
	{ 0 },
};

static void refuse_stranger(const struct things *t, struct incoming *in)
{
	if (!in->answer.armed)
		return;
	if (!strangers_waits(t->strangers, in->from_bare, in->to_local))
		reply_refuse(&in->answer, &reply_service_unavailable, NULL);
	else if (!sensor_refuse(in) && !control_refuse(in))
		reply_refuse(&in->answer, &reply_forbidden, "Your request waits for the owner.");
}

static void ask_nobody(void *self, struct incoming *in)
{
	strangers_ask(((struct things *)self)->strangers, in->from_bare, in->to_local);
}

static void leave_nobody(void *self, struct incoming *in)
{
	strangers_forget(((struct things *)self)->strangers, in->from_bare, in->to_local);
}

static const struct route nobody_routes[] = {
	{ ROUTE_PRESENCE, NULL, "subscribe", ask_nobody },
	{ ROUTE_PRESENCE, NULL, "unsubscribe", leave_nobody },
	{ 0 },
};

static void take_for_thing(struct things *t, struct incoming *in)
{
	if (mirror_is_server(t, in))
		route_take(server_routes, t, in);
	else if (gate_may(in->target, in->from_bare, RIGHT_SEE) || gate_is_service(t->gate, in->from_bare))
		route_take(thing_routes, t, in);
	else {
		siot_note_stranger(t, in);
		refuse_stranger(t, in);
	}
}

static void dispatch(struct things *t, struct incoming *in)
{
	if (in->kind == ROUTE_RESULT || in->kind == ROUTE_ERROR) {
		take_answer(t, in);
		return;
	}
	if (!in->to_local) {
		route_take(domain_routes, t, in);
		return;
	}
	if (in->kind == ROUTE_MESSAGE && text_same(in->type, "error"))
		return;
	in->target = house_find_thing(t->house, in->to_local, strlen(in->to_local));
	if (in->kind == ROUTE_PRESENCE)
		route_take(in->target ? presence_routes : nobody_routes, t, in);
	else if (!in->target)
		refuse_stranger(t, in);
	else
		take_for_thing(t, in);
}

void things_take(struct things *t, struct element *stanza)
{
	struct incoming in;
	struct incoming_room room;
	if (incoming_read(&in, &room, t->link, stanza) == 0)
		dispatch(t, &in);
}

struct writer_address things_address(const struct things *t, const struct thing *thing, bool full)
{
	return (struct writer_address){ thing->local, t->link->domain, full ? THINGS_RESOURCE : NULL };
}

void things_begin(struct things *t)
{
	t->asks = (struct asks){ .loop = t->loop, .link = t->link, .salt = loop_random(t->loop, UINT32_MAX) };
	pace_begin(&t->pace, t->loop);
	list_init(&t->reads);
	list_init(&t->recalls);
	list_init(&t->queries);
	t->strangers = strangers_new(t->loop);
	presence_begin(t);
}

void things_up(struct things *t, const char *local)
{
	if (local)
		mirror_up(t, local); /* presence and questions come when the roster is known */
	else
		things_ready(t, NULL);
}

/* Who is put out hears nothing of it first. */
static void settle(struct things *t, const char *local)
{
	struct thing *thing = local ? house_find_thing(t->house, local, strlen(local)) : NULL;
	if (thing)
		siot_settle(t, thing);
	for (size_t at = 0; !local && (thing = map_next(&t->house->things, &at));)
		siot_settle(t, thing);
}

void things_ready(struct things *t, const char *local)
{
	settle(t, local);
	presence_up(t, local);
	siot_up(t, local);
}

void things_down(struct things *t, const char *local)
{
	if (local) {
		presence_down_one(t, local);
		ask_drop_of(&t->asks, local);
		siot_down_one(t, local);
		return;
	}
	pace_pause(&t->pace, true);
	presence_down(t);
	sensor_drop_all(t);
	ask_drop_all(&t->asks);
	siot_down(t);
	siot_find_end(t);
}

void things_news(struct things *t, struct thing *thing)
{
	presence_news(t, thing);
}

void things_join(struct things *t, struct thing *thing)
{
	if (t->link->accounts) {
		link_add(t->link, thing);
	} else if (link_up(t->link, NULL)) {
		siot_settle(t, thing);
		presence_join(t, thing);
		siot_join(t, thing);
	}
}

void things_change(struct things *t, struct thing *thing, bool renamed)
{
	presence_news(t, thing);
	if (renamed && thing->key && !thing->owner && link_up(t->link, t->link->accounts ? thing->local : NULL))
		siot_register(t, thing);
}

void things_drop(struct things *t, struct thing *thing)
{
	presence_gone(t, thing);
	things_down(t, thing->local);
	sensor_drop_of(t, thing);
	if (t->link->accounts)
		link_drop(t->link, thing);
}

void things_leave(struct things *t)
{
	t->closing = true;
	presence_leave(t);
}

void things_end(struct things *t)
{
	t->closing = true;
	pace_pause(&t->pace, true);
	presence_down(t);
	sensor_drop_all(t);
	ask_drop_all(&t->asks);
	siot_down(t);
	siot_find_end(t);
	strangers_free(t->strangers);
	t->strangers = NULL; /* the store may still say that something holds */
}
