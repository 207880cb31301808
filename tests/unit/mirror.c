/* Accounts mode: the server's roster is the truth, and nobody comes back who was told no. */
#include "tests/lib/stage.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define T    "boiler.temp"
#define OWN  T "@things.test"
#define FULL OWN "/thing"

static struct stage *s;

static void begin(void)
{
	s = stage_new(true);
}

static void end(void)
{
	stage_free(s);
}

static void id_of(const char *text, char ret[64])
{
	const char *at = strstr(text, " id='");
	cr_assert_not_null(at, "%s", text);
	snprintf(ret, 64, "%.*s", (int)strcspn(at + 5, "'"), at + 5);
}

/* The account logs in, and the server gives its roster. */
static void log_in(const char *items)
{
	char id[64];
	fake_link_up(s->link, T);
	id_of(stage_wait(s, "<query xmlns='jabber:iq:roster'/>"), id);
	fake_link_give(s->link,
		       "<iq type='result' id='%s' from='" OWN "' to='" FULL "'><query xmlns='jabber:iq:roster'>%s"
		       "</query></iq>",
		       id, items);
}

static void push(const char *from, const char *item)
{
	fake_link_give(s->link,
		       "<iq type='set' id='push' from='%s' to='" FULL
		       "'><query xmlns='jabber:iq:roster'>%s</query></iq>",
		       from, item);
}

static bool is_in(const char *jid)
{
	return gate_may(stage_thing(s, T), jid, RIGHT_READ);
}

static void revoke(const char *jid)
{
	fake_link_give(s->link,
		       "<message from='" SERVICE "' to='" OWN "'><friendship-states xmlns='urn:xmpp:siot:1'>"
		       "<item jid='%s' friend='no'/></friendship-states></message>",
		       jid);
}

static void never_says(const char *fragment)
{
	stage_settle(s);
	const char *said = fake_link_find(s->link, fragment);
	cr_assert_null(said, "%s", said);
}

#define FROM(jid) "<item jid='" jid "' subscription='from'/>"

TestSuite(mirror, .init = begin, .fini = end, .timeout = 30);

Test(mirror, asks_for_the_roster_before_it_says_anything_else)
{
	fake_link_up(s->link, T);
	const char *text;
	cr_assert_not_null(fake_link_take(s->link, &text));
	cr_assert_not_null(strstr(text, "<iq type='get' from='" FULL "' to='" OWN "'"), "%s", text);
	stage_sample(s, T, "21.5");
	never_says("<presence");
}

Test(mirror, lets_in_who_is_in_the_roster)
{
	log_in(FROM(FRIEND) "<item jid='" OWNER "' subscription='both'/><item jid='to@x.test' subscription='to'/>"
			    "<item jid='none@x.test' subscription='none'/><item jid='odd@x.test' subscription='all'/>");
	cr_assert(is_in(FRIEND));
	cr_assert(is_in(OWNER));
	cr_assert_not(is_in("to@x.test"));
	cr_assert_not(is_in("none@x.test"));
	cr_assert_not(is_in("odd@x.test"));
	cr_assert_not(is_in(STRANGER));
}

Test(mirror, is_seen_by_everybody_the_server_knows)
{
	log_in(FROM(FRIEND));
	const char *text = stage_wait(s, "<presence");
	cr_assert_not_null(strstr(text, "<presence from='" FULL "'>"), "%s", text);
	fake_link_forget(s->link);
	stage_sample(s, T, "21.5");
	cr_assert_null(strstr(stage_wait(s, "<presence"), " to="));
}

Test(mirror, lets_nobody_in_until_the_roster_is_known)
{
	log_in(FROM(FRIEND));
	fake_link_down(s->link, T);
	fake_link_up(s->link, T);
	cr_assert_not(is_in(FRIEND));
}

Test(mirror, takes_pushes_of_the_own_account)
{
	log_in("");
	push(OWN, FROM(FRIEND));
	stage_wait(s, "<iq type='result' from='" FULL "' to='" OWN "' id='push'/>");
	cr_assert(is_in(FRIEND));
	push(OWN, "<item jid='" FRIEND "' subscription='none'/>");
	cr_assert_not(is_in(FRIEND));
	push(OWN, FROM(FRIEND));
	push(OWN, "<item jid='" FRIEND "' subscription='remove'/>");
	cr_assert_not(is_in(FRIEND));
	push(OWN, "<item jid='" FRIEND "' subscription='remove' ask='subscribe'/>");
	cr_assert_not(is_in(FRIEND));
}

Test(mirror, takes_no_push_of_anybody_else)
{
	static const char *const others[] = { STRANGER,    "things.test",           SERVICE, "boiler.set@things.test",
					      OWN ".evil", "boiler.tem@things.test" };
	log_in("");
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		push(others[i], FROM(STRANGER));
		stage_wait(s, "<iq type='error'");
		cr_assert_not(is_in(STRANGER), "%s", others[i]);
	}
}

Test(mirror, takes_no_roster_of_anybody_else)
{
	char id[64];
	fake_link_up(s->link, T);
	id_of(stage_wait(s, "jabber:iq:roster"), id);
	fake_link_give(s->link,
		       "<iq type='result' id='%s' from='" STRANGER "' to='" FULL "'>"
		       "<query xmlns='jabber:iq:roster'>" FROM(STRANGER) "</query></iq>",
		       id);
	cr_assert_not(is_in(STRANGER));
}

Test(mirror, says_no_to_the_server_and_believes_it_when_it_shows_it)
{
	log_in(FROM(FRIEND));
	revoke(FRIEND);
	cr_assert_not(is_in(FRIEND), "at once");
	stage_wait(s, "<presence type='unavailable' from='" FULL "' to='" FRIEND "'/>");
	stage_wait(s, "<presence type='unsubscribed' from='" OWN "' to='" FRIEND "'/>");
	push(OWN, FROM(FRIEND)); /* was under way */
	cr_assert_not(is_in(FRIEND));
	push(OWN, "<item jid='" FRIEND "' subscription='none'/>");
	push(OWN, FROM(FRIEND)); /* approved anew, by whom it may be */
	cr_assert(is_in(FRIEND));
}

Test(mirror, says_no_again_when_the_server_has_not_heard_it)
{
	log_in(FROM(FRIEND));
	revoke(FRIEND);
	stage_wait(s, "type='unsubscribed'");
	fake_link_down(s->link, T);
	fake_link_forget(s->link);
	log_in(FROM(FRIEND));
	cr_assert_not(is_in(FRIEND));
	stage_wait(s, "<presence type='unsubscribed' from='" OWN "' to='" FRIEND "'/>");
}

Test(mirror, remembers_a_no_over_a_restart)
{
	log_in(FROM(FRIEND) FROM("other@x.test"));
	revoke(FRIEND);
	stage_wait(s, "type='unsubscribed'");
	stage_restart(s);
	cr_assert_not(is_in(FRIEND));
	log_in(FROM(FRIEND) FROM("other@x.test"));
	cr_assert_not(is_in(FRIEND));
	cr_assert(is_in("other@x.test"));
	stage_wait(s, "<presence type='unsubscribed' from='" OWN "' to='" FRIEND "'/>");
	push(OWN, "<item jid='" FRIEND "' subscription='none'/>");
	stage_settle(s);
	stage_restart(s);
	log_in(FROM(FRIEND));
	cr_assert(is_in(FRIEND), "that the server shows a new yes");
}

Test(mirror, does_not_say_no_before_it_is_on_the_disk)
{
	log_in(FROM(FRIEND));
	fake_link_forget(s->link);
	revoke(FRIEND);
	cr_assert_null(fake_link_find(s->link, "unsubscribed"));
	cr_assert_not(is_in(FRIEND));
	stage_wait(s, "type='unsubscribed'");
}

Test(mirror, forgets_a_no_that_the_roster_does_not_show)
{
	log_in(FROM(FRIEND));
	revoke(FRIEND);
	stage_wait(s, "type='unsubscribed'");
	fake_link_down(s->link, T);
	log_in("");
	push(OWN, FROM(FRIEND));
	cr_assert(is_in(FRIEND));
}

Test(mirror, lets_in_again_who_was_told_no_and_then_yes)
{
	log_in(FROM(FRIEND));
	revoke(FRIEND);
	stage_wait(s, "type='unsubscribed'");
	stage_befriend(s, T, FRIEND);
	push(OWN, FROM(FRIEND));
	cr_assert(is_in(FRIEND));
	stage_settle(s);
	stage_restart(s);
	log_in(FROM(FRIEND));
	cr_assert(is_in(FRIEND));
}

Test(mirror, approves_through_the_server)
{
	log_in("");
	fake_link_forget(s->link);
	stage_befriend(s, T, FRIEND);
	cr_assert_not(is_in(FRIEND), "the server has not shown it");
	push(OWN, FROM(FRIEND));
	cr_assert(is_in(FRIEND));
}

Test(mirror, keeps_who_is_being_let_in_when_the_account_logs_in_again)
{
	log_in("");
	fake_link_forget(s->link);
	fake_link_give(s->link, "<message from='" SERVICE "' to='" OWN "'><friendship-states xmlns='urn:xmpp:siot:1'>"
				"<item jid='" FRIEND "' friend='yes'/></friendship-states></message>"
				"<presence type='subscribe' from='" FRIEND "' to='" OWN "'/>");
	fake_link_down(s->link, T);
	log_in("");
	stage_wait(s, "<presence type='subscribed' from='" OWN "' to='" FRIEND "'");
}

Test(mirror, a_reset_tells_everybody_and_remembers_whom)
{
	log_in(FROM(FRIEND) FROM(OWNER));
	fake_link_give(s->link,
		       "<message from='" SERVICE "' to='" OWN "'><disowned xmlns='urn:jidgate:siot:0'/></message>");
	stage_wait(s, "<presence type='unsubscribed' from='" OWN "' to='" FRIEND "'/>");
	cr_assert_not(is_in(FRIEND));
	stage_settle(s);
	stage_restart(s);
	log_in(FROM(FRIEND) FROM(OWNER));
	cr_assert_not(is_in(FRIEND));
	cr_assert_not(is_in(OWNER));
	stage_wait(s, "<presence type='unsubscribed' from='" OWN "' to='" FRIEND "'/>");
}

Test(mirror, asks_the_service_anew_after_each_login)
{
	log_in("");
	stage_wait(s, "<register xmlns='urn:xmpp:siot:1'");
	fake_link_down(s->link, T);
	fake_link_forget(s->link);
	log_in("");
	stage_wait(s, "<register xmlns='urn:xmpp:siot:1'");
	never_says("<register");
}

Test(mirror, says_nothing_for_an_account_that_is_down)
{
	log_in("");
	stage_settle(s);
	fake_link_down(s->link, T);
	fake_link_forget(s->link);
	stage_sample(s, T, "21.5");
	never_says("<presence");
	log_in("");
	cr_assert_not_null(strstr(stage_wait(s, "<presence"), "21.5"));
}

Test(mirror, says_nothing_of_the_time_away_before_the_roster_is_known)
{
	log_in("");
	stage_settle(s);
	fake_link_down(s->link, T);
	stage_sample(s, T, "21.5");
	fake_link_forget(s->link);
	fake_link_up(s->link, T);
	loop_skip(s->loop, 1000);
	never_says("<presence");
}

Test(mirror, asks_once_what_waited_for_another_attempt_when_the_account_went_down)
{
	char id[64];
	log_in("");
	id_of(stage_wait(s, "<register xmlns='urn:xmpp:siot:1'"), id);
	fake_link_give(s->link,
		       "<iq type='error' id='%s' from='" SERVICE "' to='" FULL "'><error type='cancel'>"
		       "<remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
		       id);
	fake_link_down(s->link, T);
	log_in("");
	id_of(stage_wait(s, "<register xmlns='urn:xmpp:siot:1'"), id);
	fake_link_give(s->link, "<iq type='result' id='%s' from='" SERVICE "' to='" FULL "'/>", id);
	loop_skip(s->loop, 60000);
	never_says("<register");
}
