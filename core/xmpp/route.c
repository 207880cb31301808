#include "core/xmpp/route.h"

#include "core/base/err.h"
#include "core/base/limits.h"

#include <string.h>

struct shape { /* name and type of a stanza; type NULL: any */
	const char *name;
	const char *type;
	enum route_kind kind;
};

static const struct shape shapes[] = {
	{ "iq", "get", ROUTE_GET },     { "iq", "set", ROUTE_SET },         { "iq", "result", ROUTE_RESULT },
	{ "iq", "error", ROUTE_ERROR }, { "message", NULL, ROUTE_MESSAGE }, { "presence", NULL, ROUTE_PRESENCE },
};

static const struct shape *shape_of(const struct element *stanza, const char *type)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		if (element_is(stanza, shapes[i].name, ELEMENT_CLIENT) &&
		    (!shapes[i].type || strcmp(shapes[i].type, type) == 0))
			return &shapes[i];
	return NULL;
}

static bool asks(enum route_kind kind)
{
	return kind == ROUTE_GET || kind == ROUTE_SET;
}

/* Where no `to` is given the domain itself is meant. */
static int read_addresses(struct incoming *in, struct incoming_room *room)
{
	const char *to = element_get(in->stanza, "to");
	if (to && jid_parse(&room->to, to) == 0 && strcmp(room->to.domain, in->link->domain) == 0) {
		in->to_local = room->to.local;
		in->to_resource = room->to.resource;
	} else if (to) {
		return -1;
	}
	if (jid_parse(&room->from, in->from) < 0)
		return -1;
	in->from_bare = room->from.bare;
	return 0;
}

static void arm(struct incoming *in)
{
	in->answer = (struct answer){
		.link = in->link,
		.local = in->to_local,
		.resource = in->to_resource,
		.to = in->from,
		.id = in->id,
		.armed = true,
	};
}

int incoming_read(struct incoming *in, struct incoming_room *room, struct link *link, struct element *stanza)
{
	const char *type = element_get(stanza, "type");
	*in = (struct incoming){ .link = link, .stanza = stanza, .type = type ? type : "" };
	in->from = element_get(stanza, "from");
	in->id = element_get(stanza, "id");
	const struct shape *shape = shape_of(stanza, in->type);
	bool iq = element_is(stanza, "iq", ELEMENT_CLIENT);
	if (!in->from || (!shape && !iq))
		return -1;
	bool endless = in->id && strlen(in->id) > LIMIT_ID;
	if (endless)
		in->id = NULL;
	int bad = read_addresses(in, room);
	if (bad || endless || !shape) {
		arm(in);
		if (!shape || asks(shape->kind))
			reply_refuse(&in->answer, bad ? &reply_jid_malformed : &reply_bad_request, NULL);
		in->answer.armed = false;
		return -1;
	}
	in->kind = shape->kind;
	if (asks(in->kind))
		arm(in);
	return 0;
}

static bool is_known(const struct route *rows, const char *xmlns)
{
	for (; rows->take; rows++)
		if (rows->xmlns && strcmp(rows->xmlns, xmlns) == 0)
			return true;
	return false;
}

/* Most rows differ in the first letter of the tag. */
static bool names(const struct route *row, const struct element *e)
{
	return (!row->tag || (*row->tag == *e->name && strcmp(row->tag, e->name) == 0)) &&
	       (!row->xmlns || strcmp(row->xmlns, e->xmlns) == 0);
}

static bool fits(const struct route *row, struct incoming *in)
{
	if (row->kind != in->kind)
		return false;
	if (row->kind == ROUTE_PRESENCE)
		return strcmp(row->tag, in->type) == 0;
	if (!row->tag && !row->xmlns) {
		in->payload = in->stanza->first;
		return true;
	}
	for (struct element *e = in->stanza->first; e; e = e->next) {
		if (!names(row, e))
			continue;
		in->payload = e;
		return true;
	}
	return false;
}

static void refuse_unknown(const struct route *rows, struct incoming *in)
{
	const struct element *payload = in->stanza->first;
	if (!payload)
		reply_refuse(&in->answer, &reply_bad_request, NULL);
	else if (is_known(rows, payload->xmlns))
		reply_refuse(&in->answer, &reply_feature_not_implemented, NULL);
	else
		reply_refuse(&in->answer, &reply_service_unavailable, NULL);
}

bool route_take(const struct route *rows, void *self, struct incoming *in)
{
	for (const struct route *row = rows; row->take; row++) {
		if (!fits(row, in))
			continue;
		row->take(self, in);
#ifndef NDEBUG
		must(!in->answer.armed);
#endif
		if (in->answer.armed)
			reply_refuse(&in->answer, &reply_service_unavailable, NULL);
		return true;
	}
	if (in->answer.armed)
		refuse_unknown(rows, in);
	return false;
}
