/* What somebody who is nobody's friend can see, and what he can make us keep, ask and say. */
#include "tests/unit/talk.h"

#include "core/base/limits.h"
#include "core/xmpp/strangers.h"

#define NOBODY "nobody@things.test"

static size_t count_sent(struct stage *s, const char *fragment)
{
	size_t n = 0;
	while (fake_link_find(s->link, fragment))
		n++;
	return n;
}

static size_t count_queries(const struct stage *s)
{
	size_t n = 0;
	list_each(at, &s->things.queries) n++;
	return n;
}

/* The same words to an address with a thing and to one without; what comes back must be the same. */
static void same(struct stage *s, const char *ask)
{
	fake_link_give(s->link, ask, TEMP);
	fake_link_give(s->link, ask, NOBODY);
	const char *there = strstr(stage_wait(s, "id='same'"), " to="),
		   *nowhere = strstr(stage_wait(s, "id='same'"), " to=");
	cr_expect_str_eq(there, nowhere);
}

static void same_all(struct stage *s)
{
	static const char *const asks[] = {
		"<iq type='get' id='same' from='" STRANGER
		"/r' to='%s'><req xmlns='urn:xmpp:iot:sensordata' seqnr='1'/></iq>",
		"<iq type='set' id='same' from='" STRANGER
		"/r' to='%s'><set xmlns='urn:xmpp:iot:control'><int name='set' value='5'/></set></iq>",
		"<iq type='get' id='same' from='" STRANGER
		"/r' to='%s'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
		"<iq type='get' id='same' from='" STRANGER "/r' to='%s/thing'><ping xmlns='urn:xmpp:ping'/></iq>",
		"<iq type='get' id='same' from='" STRANGER "/r' to='%s'/>",
		"<iq type='odd' id='same' from='" STRANGER "/r' to='%s'/>",
	};
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
		same(s, asks[i]);
}

/* He asks to be let in everywhere, and listens where the answer to his next word is another one. */
Test(breach_stranger, does_not_find_out_what_there_is_by_asking_to_be_let_in)
{
	struct stage *s = up();
	same_all(s);
	subscribe(s, STRANGER, TEMP);
	subscribe(s, STRANGER, NOBODY);
	same_all(s);
	is_friend(s, "pending");
	same_all(s);
	fake_link_give(s->link, "<presence type='probe' from='" STRANGER "' to='" TEMP "'/>"
				"<presence type='unsubscribe' from='" STRANGER "' to='" TEMP "'/>"
				"<presence type='unsubscribe' from='" STRANGER "' to='" NOBODY "'/>");
	same_all(s);
	subscribe(s, STRANGER, TEMP);
	subscribe(s, STRANGER, NOBODY);
	silent(s, "type='unsubscribed'");
	silent(s, "to='" STRANGER);
	stage_restart(s);
	fake_link_up(s->link, NULL);
	same_all(s);
	stage_free(s);
}

/* He comes under a thousand names and leaves again. */
Test(breach_stranger, leaves_no_questions_behind)
{
	struct stage *s = up();
	size_t before = count_queries(s);
	for (int i = 0; i < 1000; i++)
		fake_link_give(s->link,
			       "<presence type='subscribe' from='s%d@y.test' to='" TEMP "'/>"
			       "<presence type='unsubscribe' from='s%d@y.test' to='" TEMP "'/>",
			       i, i);
	cr_expect_leq(count_queries(s), before + 20, "%zu", count_queries(s)); /* some may be on their way */
	stage_free(s);
}

Test(breach_stranger, is_not_asked_for_more_often_than_he_may_ask) /* S39 */
{
	struct stage *s = up();
	size_t asked = 0;
	for (int i = 0; i < 3 * LIMIT_QUERIES_HOUR; i++) {
		subscribe(s, STRANGER, TEMP);
		loop_skip(s->loop, 1000);
		stage_settle(s);
		const char *text = fake_link_find(s->link, "is-friend-query");
		if (text) {
			answer(s, text, "result", "<is-friend-result friend='pending'/>");
			asked++;
		}
		fake_link_give(s->link, "<presence type='unsubscribe' from='" STRANGER "' to='" TEMP "'/>");
		stage_settle(s);
	}
	cr_expect_leq(asked, LIMIT_QUERIES_HOUR);
	cr_expect_geq(asked, LIMIT_QUERIES_HOUR / 2);
	loop_skip(s->loop, 2 * 3600 * 1000);
	subscribe(s, STRANGER, TEMP);
	stage_wait(s, "is-friend-query");
	stage_free(s);
}

Test(breach_stranger, does_not_fill_the_log)
{
	struct stage *s = up();
	for (int i = 0; i < LIMIT_PENDING; i++) {
		fake_link_give(s->link,
			       "<presence type='subscribe' from='s%d@y.test' to='" TEMP "'/>"
			       "<presence type='subscribe' from='s%d@y.test' to='" SET "'/>",
			       i, i);
	}
	for (int i = 0; i < 500; i++)
		fake_link_give(s->link,
			       "<message from='" STRANGER "/%d' to='" TEMP
			       "'><owner xmlns='urn:xmpp:siot:1' jid='" STRANGER "'/></message>"
			       "<presence type='subscribe' from='t%d@y.test' to='" TEMP "'/>"
			       "<presence type='subscribe' from='t%d@y.test' to='" SET "'/>",
			       i, i, i);
	cr_expect_leq(stage_count_log(s, "<"), 60);
	cr_expect_geq(stage_count_log(s, "speaks as a provisioning service"), 1);
	cr_expect_geq(stage_count_log(s, "requests wait already"), 1);
	stage_free(s);
}

Test(breach_stranger, does_not_lock_out_whom_the_owner_lets_in)
{
	struct stage *s = up();
	for (int i = 0; i < LIMIT_PENDING; i++)
		fake_link_give(s->link, "<presence type='subscribe' from='s%d@y.test' to='" TEMP "'/>", i);
	subscribe(s, FRIEND, TEMP); /* too many: not heard */
	give_state(s, TEMP, FRIEND, "yes");
	stage_restart(s);
	fake_link_up(s->link, NULL);
	subscribe(s, FRIEND, TEMP);
	stage_wait(s, "type='subscribed'");
	size_t n = 0;
	list_each(at, &stage_thing(s, "boiler.temp")->pendings) n++;
	cr_expect_leq(n, LIMIT_PENDING);
	stage_free(s);
}

Test(breach_stranger, does_not_hold_up_registrations_nor_those_who_came_before)
{
	struct stage *s = stage_new_large(100);
	fake_link_up(s->link, NULL);
	fake_link_give(s->link, "<presence type='subscribe' from='" FRIEND "' to='" SET "'/>");
	for (int i = 0; i < LIMIT_PENDING; i++)
		fake_link_give(s->link, "<presence type='subscribe' from='s%d@y.test' to='" TEMP "'/>", i);
	stage_settle(s);
	size_t registers = count_sent(s, "<register"), friends = 0, mine = 0;
	for (int i = 0; i < 4 && !mine; i++) {
		loop_skip(s->loop, 250);
		stage_settle(s);
		registers += count_sent(s, "<register");
		mine += count_sent(s, "jid='" FRIEND "'");
		friends += count_sent(s, "is-friend-query");
	}
	cr_expect_eq(mine, 1, "who came first is asked for first");
	for (int i = 0; i < 4; i++) {
		loop_skip(s->loop, 250);
		stage_settle(s);
		registers += count_sent(s, "<register");
		friends += count_sent(s, "is-friend-query");
	}
	cr_expect_geq(registers, 20, "%zu", registers);
	cr_expect_geq(friends, 5, "%zu", friends);
	stage_free(s);
}

Test(breach_stranger, who_is_refused_by_the_service_is_no_failure_of_the_service)
{
	struct stage *s = up();
	for (int i = 0; i < 3; i++)
		service_answers(s, "<register", "");
	for (int i = 0; i < 5; i++) {
		char jid[32];
		snprintf(jid, sizeof(jid), "s%d@y.test", i);
		subscribe(s, jid, TEMP);
		service_refuses(s, "is-friend-query", "wait", "resource-constraint");
		snprintf(jid, sizeof(jid), "t%d@y.test", i);
		subscribe(s, jid, TEMP);
		is_friend(s, "pending");
	}
	cr_expect_eq(stage_count_log(s, "does not serve us"), 0);
	cr_expect_eq(stage_count_log(s, "answers again"), 0);
	stage_free(s);
}

/* A device of many points that is given up: each of them has a new group key to tell, but once is enough. */
Test(breach_stranger, nothing_is_registered_for_each_of_its_siblings_again)
{
	enum { MORE = 60 };
	struct stage *s = stage_new_large(MORE);
	fake_link_up(s->link, NULL);
	fake_link_forget(s->link);
	for (size_t i = 0; i < s->house->devices[0]->n_points; i++) {
		char to[64];
		snprintf(to, sizeof(to), "boiler.%s@things.test", s->house->devices[0]->points[i]->id);
		service_says(s, to, "<disowned xmlns='urn:jidgate:siot:0'/>");
		stage_settle(s);
	}
	cr_expect_leq(count_queries(s), 2 * (MORE + 3), "%zu", count_queries(s));
	stage_free(s);
}

/* Of a service that keeps calling, all at once: the owner's list of things must not cost a walk through all of them each time. */
Test(breach_stranger, may_not_have_the_domain_listed_all_the_time)
{
	struct stage *s = up();
	for (int i = 0; i < 2 * LIMIT_LISTS_MINUTE; i++)
		fake_link_give(s->link,
			       "<iq type='get' id='i%d' from='s%d@y.test/r' to='things.test'>"
			       "<query xmlns='http://jabber.org/protocol/disco#items'/></iq>",
			       i, i);
	cr_expect_eq(count_sent(s, "<query xmlns='http://jabber.org/protocol/disco#items'></query>"),
		     LIMIT_LISTS_MINUTE);
	cr_expect_eq(count_sent(s, "<resource-constraint"), LIMIT_LISTS_MINUTE);
	stage_befriend(s, "boiler.temp", FRIEND);
	fake_link_give(s->link, "<iq type='get' id='f' from='" FRIEND "/r' to='things.test'>"
				"<query xmlns='http://jabber.org/protocol/disco#items'/></iq>");
	has(stage_wait(s, "id='f'"), TEMP);
	stage_free(s);
}

/* Which server shares what is remembered with which is chance: here it may not matter for any of them. */
Test(breach_stranger, who_calls_all_the_time_silences_no_other_server)
{
	struct loop *loop = loop_new();
	for (int i = 0; i < 2000; i++) {
		struct strangers *s = strangers_new(loop);
		for (int k = 0; k < LIMIT_LISTS_MINUTE; k++)
			cr_assert(strangers_may_list(s, STRANGER));
		cr_assert_not(strangers_may_list(s, STRANGER));
		cr_assert(strangers_may_list(s, FRIEND));
		strangers_free(s);
	}
	loop_free(loop);
}

/* Nor does the crowd let him begin anew. */
Test(breach_stranger, is_not_forgotten_for_the_many_servers_that_call_too)
{
	struct loop *loop = loop_new();
	struct strangers *s = strangers_new(loop);
	char jid[40];
	for (int k = 0; k < LIMIT_LISTS_MINUTE; k++)
		cr_assert(strangers_may_list(s, STRANGER));
	for (int i = 0; i < 3000; i++) {
		snprintf(jid, sizeof(jid), "a@s%d.test", i);
		strangers_may_list(s, jid);
	}
	cr_expect_not(strangers_may_list(s, STRANGER));
	strangers_free(s);
	loop_free(loop);
}

/* An hour begins with the first request, wherever the clock stands: else twice as many fit around the full one. */
Test(breach_stranger, has_his_hour_and_not_that_of_the_clock)
{
	enum { MINUTE = 60 * 1000 };
	struct loop *loop = loop_new();
	for (int i = 0; i < 12; i++) {
		struct strangers *s = strangers_new(loop);
		for (int k = 0; k < LIMIT_QUERIES_HOUR; k++)
			cr_assert(strangers_ask(s, STRANGER, "t"));
		loop_skip(loop, 5 * MINUTE);
		cr_assert_not(strangers_ask(s, STRANGER, "t"), "after %d minutes", 5 * i);
		loop_skip(loop, 55 * MINUTE + 1);
		cr_assert(strangers_ask(s, STRANGER, "t"));
		loop_skip(loop, 5 * MINUTE);
		strangers_free(s);
	}
	loop_free(loop);
}
