#include "core/xmpp/disco.h"

#include "core/base/text.h"
#include "core/xmpp/control.h"
#include "core/xmpp/sensor.h"
#include "core/xmpp/siot.h"

#define INFO_NS  "http://jabber.org/protocol/disco#info"
#define ITEMS_NS "http://jabber.org/protocol/disco#items"

static const char *const thing_features[] = { INFO_NS, ITEMS_NS, "urn:xmpp:ping", SENSOR_NS, SIOT_NS, SIOT_X_NS, NULL };
static const char *const control_features[] = { CONTROL_NS, NULL };
/* Not siot: who looks for a provisioning service by that feature (S31) must not find a gateway. */
static const char *const domain_features[] = { INFO_NS, ITEMS_NS, "urn:xmpp:ping", NULL };

static const char *language_of(const struct things *t, const struct incoming *in)
{
	const char *language = element_language(in->payload);
	return language ? language : t->language;
}

/* We have no nodes. */
static bool asks_node(struct incoming *in)
{
	if (!element_get(in->payload, "node"))
		return false;
	reply_refuse(&in->answer, &reply_item_not_found, NULL);
	return true;
}

static void write_features(struct text *w, const char *const *features)
{
	for (; *features; features++) {
		writer_raw(w, "<feature");
		writer_attribute(w, "var", *features);
		writer_raw(w, "/>");
	}
}

static void write_identity(struct text *w, const char *category, const char *type, const char *name)
{
	writer_raw(w, "<query xmlns='http://jabber.org/protocol/disco#info'><identity");
	writer_attribute(w, "category", category);
	writer_attribute(w, "type", type);
	writer_attribute(w, "name", name);
	writer_raw(w, "/>");
}

static bool is_writable(const struct thing *thing)
{
	for (size_t i = 0; i < thing->n_points; i++)
		if (thing->points[i]->access & ACCESS_WRITE)
			return true;
	return false;
}

void disco_take_info(void *self, struct incoming *in)
{
	const struct things *t = self;
	const struct thing *thing = in->target;
	struct text *w = asks_node(in) ? NULL : reply_begin(&in->answer);
	if (!w)
		return;
	write_identity(w, "client", "bot", names_find(&thing->names, language_of(t, in)));
	write_features(w, thing_features);
	if (is_writable(thing))
		write_features(w, control_features);
	writer_raw(w, "</query>");
	reply_end(&in->answer);
}

void disco_take_items(void *self, struct incoming *in)
{
	(void)self;
	struct text *w = asks_node(in) ? NULL : reply_begin(&in->answer);
	if (!w)
		return;
	writer_raw(w, "<query xmlns='http://jabber.org/protocol/disco#items'/>");
	reply_end(&in->answer);
}

void disco_take_domain_info(void *self, struct incoming *in)
{
	const struct things *t = self;
	struct text *w = asks_node(in) ? NULL : reply_begin(&in->answer);
	if (!w)
		return;
	const char *name = names_find(t->names, language_of(t, in));
	write_identity(w, "gateway", "iot", name ? name : "jidgate");
	write_features(w, domain_features);
	writer_raw(w, "</query>");
	reply_end(&in->answer);
}

static void write_item(struct text *w, const struct things *t, const struct thing *thing, const char *language)
{
	writer_raw(w, "<item jid='");
	writer_text(w, thing->local);
	writer_raw(w, "@");
	writer_text(w, t->link->domain);
	writer_raw(w, "'");
	writer_attribute(w, "name", names_find(&thing->names, language));
	writer_raw(w, "/>");
}

void disco_take_domain_items(void *self, struct incoming *in)
{
	const struct things *t = self;
	const struct thing *thing;
	if (asks_node(in))
		return;
	if (!strangers_may_list(t->strangers, in->from_bare)) {
		reply_refuse(&in->answer, &reply_resource_constraint, "Too many requests.");
		return;
	}
	struct text *w = reply_begin(&in->answer);
	if (!w)
		return;
	writer_raw(w, "<query xmlns='http://jabber.org/protocol/disco#items'>");
	for (size_t at = 0; (thing = map_next(&t->house->things, &at));)
		if (gate_may(thing, in->from_bare, RIGHT_READ))
			write_item(w, t, thing, language_of(t, in));
	writer_raw(w, "</query>");
	reply_end(&in->answer);
}

void disco_take_ping(void *self, struct incoming *in)
{
	(void)self;
	reply_empty(&in->answer);
}
