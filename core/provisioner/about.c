#include "core/provisioner/about.h"

static const char info[] = "<query xmlns='http://jabber.org/protocol/disco#info'>"
			   "<identity category='component' type='generic' name='Provisioning service of things'/>"
			   "<feature var='http://jabber.org/protocol/disco#info'/>"
			   "<feature var='http://jabber.org/protocol/disco#items'/>"
			   "<feature var='" SIOT "'/>"
			   "<feature var='" SIOT_X "'/>"
			   "<feature var='urn:xmpp:ping'/>"
			   "</query>";
static const char items[] = "<query xmlns='http://jabber.org/protocol/disco#items'/>";

/* We have no nodes. */
static void say(struct incoming *in, const char *query)
{
	if (element_get(in->payload, "node")) {
		reply_refuse(&in->answer, &reply_item_not_found, NULL);
		return;
	}
	struct text *t = reply_begin(&in->answer);
	if (!t)
		return;
	text_add(t, query);
	reply_end(&in->answer);
}

void about_take_info(void *self, struct incoming *in)
{
	(void)self;
	say(in, info);
}

/* What is registered here is nobody's business. */
void about_take_items(void *self, struct incoming *in)
{
	(void)self;
	say(in, items);
}

void about_take_ping(void *self, struct incoming *in)
{
	(void)self;
	reply_empty(&in->answer);
}
