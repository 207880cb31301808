#include "core/provisioner/contacts.h"

#include "core/base/mem.h"
#include "core/provisioner/attend.h"
#include "core/provisioner/notice.h"

static struct registration *thing_of(struct provisioner *p, const struct incoming *in)
{
	struct registration *thing = registry_find(&p->registry, in->from_bare);
	return thing && thing->stored ? thing : NULL;
}

static const char *resource_of(const struct incoming *in)
{
	const char *resource = jid_resource(in->from);
	return resource ? resource : "";
}

static void set_online(struct registration *thing, bool online, const char *resource)
{
	thing->online = online;
	mem_free(thing->resource);
	thing->resource = mem_text(resource);
}

void contacts_take_available(void *self, struct incoming *in)
{
	struct provisioner *p = self;
	struct registration *thing = thing_of(p, in);
	if (!thing)
		return;
	bool back = !thing->online;
	if (back || !text_same(thing->resource, resource_of(in)))
		set_online(thing, true, resource_of(in));
	if (back)
		attend_thing(p, thing, ATTEND_STATE);
}

/* Another resource of a foreign thing may still be there: then it is the last one that we saw which counts. */
void contacts_take_unavailable(void *self, struct incoming *in)
{
	struct registration *thing = thing_of(self, in);
	if (thing && (!jid_resource(in->from) || text_same(thing->resource, resource_of(in))))
		set_online(thing, false, NULL);
}

void contacts_take_subscribe(void *self, struct incoming *in)
{
	struct provisioner *p = self;
	notice_presence(p, in->from_bare, "subscribed", true);
	notice_presence(p, in->from_bare, NULL, true);
}

/* A server that approves for its user need not send his presence with it (RFC 6121, 3.1.3). */
void contacts_take_subscribed(void *self, struct incoming *in)
{
	struct provisioner *p = self;
	const struct registration *thing = thing_of(p, in);
	if (thing && !thing->online)
		notice_presence(p, thing->jid, "probe", true);
}

void contacts_take_unsubscribe(void *self, struct incoming *in)
{
	struct provisioner *p = self;
	notice_presence(p, in->from_bare, "unavailable", true);
	notice_presence(p, in->from_bare, "unsubscribed", true);
}

/* A thing must let us see it. It is asked again when it registers or we reconnect, not now: two stubborn programs would argue
 * for ever. */
void contacts_take_unsubscribed(void *self, struct incoming *in)
{
	struct registration *thing = thing_of(self, in);
	if (thing)
		set_online(thing, false, NULL);
}

void contacts_take_probe(void *self, struct incoming *in)
{
	notice_presence(self, in->from, NULL, true);
}

/* The thing's server could not reach it and keeps nothing (siot S29): it hears all again when its presence comes back. */
void contacts_take_bounce(struct provisioner *p, const struct incoming *in)
{
	struct registration *thing = thing_of(p, in);
	const struct element *error = element_child(in->stanza, "error", NULL);
	if (thing && error && text_same(element_get(error, "type"), "wait"))
		set_online(thing, false, NULL);
}
