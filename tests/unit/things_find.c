/* Which service is ours, when the configuration does not say (siot S31). */
#include "tests/unit/talk.h"

#include "core/base/mem.h"

/* A gateway whose configuration names no service; it has asked the server what there is. */
static struct stage *searching(void)
{
	struct stage *s = stage_new(false);
	mem_free(s->gate.service);
	s->gate.service = NULL;
	fake_link_up(s->link, NULL);
	return s;
}

static void reply_from(struct stage *s, const char *asked, const char *from, const char *payload)
{
	char id[ID_ROOM];
	id_of(stage_wait(s, asked), id);
	fake_link_give(s->link, "<iq type='result' from='%s' to='things.test' id='%s'>%s</iq>", from, id, payload);
}

static void give_items(struct stage *s, const char *items)
{
	char query[512];
	snprintf(query, sizeof(query), "<query xmlns='http://jabber.org/protocol/disco#items'>%s</query>", items);
	reply_from(s, "disco#items", "test", query);
}

static void give_info(struct stage *s, const char *who, bool siot)
{
	char query[256], asked[64];
	snprintf(query, sizeof(query),
		 "<query xmlns='http://jabber.org/protocol/disco#info'><feature var='%s'/></query>",
		 siot ? "urn:xmpp:siot:1" : "urn:xmpp:ping");
	snprintf(asked, sizeof(asked), "to='%s'", who);
	reply_from(s, asked, who, query);
}

#define TWO_ITEMS                                                                                                      \
	"<item jid='" SERVICE "'/><item jid='things.test'/><item jid='muc.test'/><item jid='muc.test' node='x'/>"

Test(find, takes_the_one_service_that_the_server_has, .timeout = 20)
{
	struct stage *s = searching();
	give_items(s, TWO_ITEMS);
	give_info(s, "muc.test", false);
	stage_settle(s);
	cr_expect_null(fake_link_find(s->link, "<register"));
	give_info(s, SERVICE, true);
	has(stage_wait(s, "<register"), "to='" SERVICE "'");
	cr_expect_str_eq(s->gate.service, SERVICE);
	cr_expect_null(fake_link_find(s->link, "disco#info"), "each is asked once, and we not at all");
	stage_free(s);
}

Test(find, takes_none_of_several_and_asks_again_after_the_next_connect, .timeout = 20)
{
	struct stage *s = searching();
	give_items(s, TWO_ITEMS);
	give_info(s, "muc.test", true);
	give_info(s, SERVICE, true);
	stage_settle(s);
	cr_expect_null(s->gate.service);
	cr_expect_null(fake_link_find(s->link, "<register"));
	fake_link_give(s->link, "<presence type='subscribe' from='" FRIEND "' to='" TEMP "'/>");
	stage_settle(s);
	cr_expect_null(fake_link_find(s->link, "to='" FRIEND "'"), "nobody decides = no, and no is silence");
	fake_link_down(s->link, NULL);
	fake_link_up(s->link, NULL);
	give_items(s, TWO_ITEMS);
	give_info(s, "muc.test", false);
	give_info(s, SERVICE, true);
	stage_wait(s, "<register");
	has(stage_wait(s, "is-friend-query"), "to='" SERVICE "'");
	stage_free(s);
}

Test(find, believes_nobody_who_was_not_asked, .timeout = 20)
{
	struct stage *s = searching();
	char id[ID_ROOM];
	id_of(stage_wait(s, "disco#items"), id);
	fake_link_give(s->link,
		       "<iq type='result' from='evil.test' to='things.test' id='%s'><query "
		       "xmlns='http://jabber.org/protocol/disco#items'><item jid='evil.test'/></query></iq>",
		       id);
	stage_settle(s);
	cr_expect_null(fake_link_find(s->link, "disco#info"));
	fake_link_down(s->link, NULL);
	cr_expect_null(s->gate.service);
	stage_free(s);
}
