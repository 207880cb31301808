/* Many reads and writes at once, deadlines, and a thing of several points: wire.md 1.2, 1.4, 2.6 and S34, S35. */
#include "tests/unit/talk.h"

#include "core/base/limits.h"

#define BOILER "boiler@things.test"

enum { READ_MS = 4500, GRACE_MS = 100, WRITE_MS = 10000 };

static void read_as(struct stage *s, const char *from, const char *to, int id)
{
	fake_link_give(
		s->link,
		"<iq type='get' id='r%d' from='%s' to='%s'><req xmlns='urn:xmpp:iot:sensordata' seqnr='%d' all='true'/>"
		"</iq>",
		id, from, to, id);
}

static void write_as(struct stage *s, const char *to, int id, const char *parameters)
{
	fake_link_give(s->link,
		       "<iq type='set' id='w%d' from='" FRIEND
		       "/r' to='%s'><set xmlns='urn:xmpp:iot:control'>%s</set></iq>",
		       id, to, parameters);
}

static void fill(struct stage *s)
{
	for (int i = 0; i < LIMIT_WISHES_THING; i++) {
		char wanted[16];
		snprintf(wanted, sizeof(wanted), "id='r%d'", i);
		read_as(s, FRIEND "/r", TEMP, i);
		has(stage_wait(s, wanted), "<accepted");
	}
}

Test(wishes, above_the_bound_of_a_thing_are_refused_and_the_others_are_answered)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	stage_befriend(s, "boiler.set", FRIEND);
	fill(s);
	read_as(s, FRIEND "/r", TEMP, 99);
	const char *text = stage_wait(s, "id='r99'");
	has(text, "<rejected xmlns='urn:xmpp:iot:sensordata' seqnr='99'><error>Too many requests at once.</error>");
	has(text, "<error type='wait'><resource-constraint");
	read_as(s, FRIEND "/r", SET, 100);
	has(stage_wait(s, "id='r100'"), "<accepted"); /* another thing has a bound of its own */
	while (s->n_asked)
		stage_answer(s, REQUEST_DONE, "600");
	for (int i = 0; i <= LIMIT_WISHES_THING; i++)
		has(stage_wait(s, "<fields"), "done='true'");
	read_as(s, FRIEND "/r", TEMP, 101);
	has(stage_wait(s, "id='r101'"), "<accepted");
	stage_free(s);
}

Test(wishes, to_write_have_the_same_bound)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.set", FRIEND);
	for (int i = 0; i < LIMIT_WISHES_THING; i++)
		write_as(s, SET, i, "<int name='set' value='60'/>");
	cr_assert_eq(s->n_asked, LIMIT_WISHES_THING);
	write_as(s, SET, 99, "<int name='set' value='60'/>");
	const char *text = stage_wait(s, "id='w99'");
	has(text, "responseCode='Locked'");
	has(text, "<error type='wait'><resource-constraint");
	fake_link_give(s->link, "<message from='" FRIEND "/r' to='" SET "'><set xmlns='urn:xmpp:iot:control'>"
				"<int name='set' value='60'/></set></message>");
	cr_assert_eq(s->n_asked, LIMIT_WISHES_THING);
	while (s->n_asked)
		stage_answer(s, REQUEST_DONE, NULL);
	for (int i = 0; i < LIMIT_WISHES_THING; i++)
		has(stage_wait(s, "id='w"), "responseCode='OK'");
	stage_free(s);
}

Test(wishes, have_a_bound_over_all_things)
{
	enum { THINGS = LIMIT_WISHES / LIMIT_WISHES_THING + 1 };
	struct stage *s = stage_new_large(THINGS);
	fake_link_up(s->link, NULL);
	s->hears_nothing = true;
	size_t busy = 0;
	for (int i = 0; i < THINGS; i++) {
		char local[32], jid[64];
		snprintf(local, sizeof(local), "boiler.p%d", i);
		snprintf(jid, sizeof(jid), "%s@things.test", local);
		thing_add_friend(stage_thing(s, local), FRIEND)->subscription = SUBSCRIPTION_FROM;
		for (int j = 0; j < LIMIT_WISHES_THING; j++)
			read_as(s, FRIEND "/r", jid, j);
	}
	while (fake_link_find(s->link, "too many requests at once"))
		busy++;
	cr_expect_eq(busy, LIMIT_WISHES_THING, "%zu", busy);
	loop_skip(s->loop, READ_MS + GRACE_MS);
	for (int i = 0; i < LIMIT_WISHES; i++)
		has(stage_wait(s, "<failure"), "done='true'");
	stage_free(s);
}

Test(wishes, are_answered_at_their_deadline_with_what_is_there)
{
	struct stage *s = stage_new_device(0);
	fake_link_up(s->link, NULL);
	stage_befriend(s, "boiler", FRIEND);
	read_as(s, FRIEND "/r", BOILER, 1);
	cr_assert_eq(s->n_asked, 3);
	stage_answer(s, REQUEST_DONE, "21.5");
	loop_skip(s->loop, READ_MS - 10);
	silent(s, "<f");
	loop_skip(s->loop, GRACE_MS + 10);
	const char *text = stage_wait(s, "<fields");
	has_not(text, "done=");
	has(text, "<numeric name='temp' momentary='true' automaticReadout='true' value='21.5'");
	text = stage_wait(s, "<failure");
	has(text, "done='true'><error nodeId='boiler'");
	has(text, ">set: cannot be reached</error>");
	has(text, ">alarm: cannot be reached</error></failure>");
	while (s->n_asked)
		stage_answer(s, REQUEST_DONE, NULL);
	silent(s, "seqnr='1' done=");
	stage_free(s);
}

Test(wishes, to_write_wait_as_long_as_their_point_says)
{
	struct stage *s = up();
	struct point *p = stage_thing(s, "boiler.set")->points[0];
	stage_befriend(s, "boiler.set", FRIEND);
	for (int i = 0; i < 2; i++) {
		p->write_deadline_ms = i ? 3000 : 0;
		write_as(s, SET, 1, "<int name='set' value='60'/>");
		cr_expect_eq(s->asked[0]->deadline_ms, loop_now(s->loop) + (i ? 3000 : WRITE_MS));
		loop_skip(s->loop, i ? 2990 : WRITE_MS - 10);
		silent(s, "id='w1'");
		loop_skip(s->loop, GRACE_MS + 10);
		has(stage_wait(s, "id='w1'"), "<remote-server-timeout");
		stage_answer(s, REQUEST_DONE, NULL);
		silent(s, "id='w1'");
	}
	stage_free(s);
}

Test(wishes, to_write_too_soon_again_are_told_why) /* S35 */
{
	struct stage *s = up();
	stage_thing(s, "boiler.set")->points[0]->write_interval_ms = 5000;
	stage_befriend(s, "boiler.set", FRIEND);
	write_as(s, SET, 1, "<int name='set' value='60'/>");
	stage_answer(s, REQUEST_DONE, NULL);
	has(stage_wait(s, "id='w1'"), "responseCode='OK'");
	loop_skip(s->loop, 1000);
	write_as(s, SET, 2, "<int name='set' value='61'/>");
	has(stage_wait(s, "id='w2'"), "wait 5000 ms between writes");
	cr_expect_eq(s->n_asked, 0);
	loop_skip(s->loop, 4000);
	write_as(s, SET, 3, "<int name='set' value='61'/>");
	stage_answer(s, REQUEST_DONE, NULL);
	has(stage_wait(s, "id='w3'"), "responseCode='OK'");
	stage_free(s);
}

static void tell_all(struct stage *s, int64_t second)
{
	struct thing *t = stage_thing(s, "boiler");
	static const char *const raw[] = { "21.50", "605", "1" };
	for (size_t i = 0; i < 3; i++) {
		struct decimal d;
		cr_assert_eq(decimal_parse(raw[i], strlen(raw[i]), &d), 0);
		struct value v = i == 2 ? value_bool(true) : value_number(d);
		struct sample sample = sample_good(v, 1700000000000 + (int64_t)i * second);
		bridge_sample(s->bridge, t->points[i], &sample);
	}
}

Test(wishes, of_a_device_come_in_one_message_with_one_timestamp_if_it_was_one_moment) /* 2.6.3 */
{
	struct stage *s = stage_new_device(0);
	fake_link_up(s->link, NULL);
	stage_befriend(s, "boiler", FRIEND);
	tell_all(s, 0);
	read_as(s, FRIEND "/r", BOILER, 1);
	has(stage_wait(s, "<fields"),
	    "seqnr='1' done='true'><node nodeId='boiler'><timestamp value='2023-11-14T22:13:20.000Z'>"
	    "<numeric name='temp' momentary='true' automaticReadout='true' value='21.50' unit='\xC2\xB0"
	    "C'/><numeric name='set' momentary='true' automaticReadout='true' value='60.5' unit='' writable='true'/>"
	    "<boolean name='alarm' status='true' automaticReadout='true' value='true'/></timestamp></node></fields>");
	cr_expect_eq(s->n_asked, 0);
	tell_all(s, 1000);
	read_as(s, FRIEND "/r", BOILER, 2);
	const char *text = stage_wait(s, "<fields");
	has(text, "seqnr='2' done='true'");
	has(text, "20.000Z'><numeric name='temp'");
	has(text, "21.000Z'><numeric name='set'");
	has(text, "22.000Z'><boolean name='alarm'");
	stage_free(s);
}

Test(wishes, of_a_device_ask_the_bus_only_for_what_is_not_fresh)
{
	struct stage *s = stage_new_device(0);
	fake_link_up(s->link, NULL);
	stage_befriend(s, "boiler", FRIEND);
	tell_all(s, 0);
	stage_thing(s, "boiler")->points[1]->last.quality = QUALITY_OLD;
	read_as(s, FRIEND "/r", BOILER, 1);
	cr_assert_eq(s->n_asked, 1);
	cr_expect_str_eq(s->asked[0]->point->id, "set");
	stage_answer(s, REQUEST_TIMEOUT, NULL);
	const char *text = stage_wait(s, "<fields");
	has(text, "'temp'");
	has(text, "'alarm'");
	has_not(text, "'set'");
	has(stage_wait(s, "<failure"), "done='true'");
	stage_free(s);
}

Test(wishes, that_set_several_points_are_checked_as_a_whole_and_sent_in_order)
{
	struct stage *s = stage_new_device(3);
	fake_link_up(s->link, NULL);
	stage_befriend(s, "boiler", FRIEND);
	write_as(s, BOILER, 1, "<int name='p0' value='1'/><int name='p1' value='2'/><int name='set' value='99'/>");
	const char *text = stage_wait(s, "id='w1'");
	has(text, "<paramError xmlns='urn:xmpp:iot:control' var='set'>");
	cr_expect_eq(s->n_asked, 0, "nothing is done when one of them is wrong");
	write_as(s, BOILER, 2, "<int name='p2' value='1'/><int name='p0' value='2'/><int name='set' value='50'/>");
	cr_assert_eq(s->n_asked, 3);
	cr_expect_str_eq(s->asked[0]->point->id, "p2");
	cr_expect_str_eq(s->asked[1]->point->id, "p0");
	cr_expect_str_eq(s->asked[2]->point->id, "set");
	stage_answer(s, REQUEST_DONE, NULL);
	stage_answer(s, REQUEST_REFUSED, NULL);
	silent(s, "id='w2'");
	stage_answer(s, REQUEST_DONE, NULL);
	text = stage_wait(s, "id='w2'");
	has(text, "type='error'");
	has(text, "var='p0'");
	has(text, "the device refuses");
	stage_free(s);
}

Test(wishes, that_set_several_points_say_what_is_true_of_all)
{
	static const struct {
		enum confirm one, two;
		const char *outcome;
	} rows[] = {
		{ CONFIRM_READBACK, CONFIRM_NONE, "x:outcome='accepted'" },
		{ CONFIRM_READBACK, CONFIRM_READBACK, "x:outcome='confirmed'" },
		{ CONFIRM_RESPONSE, CONFIRM_READBACK, "x:outcome='answered'" },
		{ CONFIRM_RESPONSE, CONFIRM_RESPONSE, "x:outcome='answered'" },
		{ CONFIRM_NONE, CONFIRM_RESPONSE, "x:outcome='accepted'" },
	};
	struct stage *s = stage_new_device(2);
	fake_link_up(s->link, NULL);
	stage_befriend(s, "boiler", FRIEND);
	struct thing *t = stage_thing(s, "boiler");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		t->points[3]->confirm = rows[i].one;
		t->points[4]->confirm = rows[i].two;
		write_as(s, BOILER, 1, "<int name='p0' value='1'/><int name='p1' value='1'/>");
		stage_answer(s, REQUEST_DONE, NULL);
		stage_answer(s, REQUEST_DONE, NULL);
		while (s->n_asked)
			stage_answer(s, REQUEST_DONE, "1");
		has(stage_wait(s, "id='w1'"), rows[i].outcome);
	}
	stage_free(s);
}

Test(wishes, of_somebody_who_is_put_out_meanwhile_show_him_nothing)
{
	struct stage *s = stage_new_device(0);
	fake_link_up(s->link, NULL);
	stage_befriend(s, "boiler", FRIEND);
	read_as(s, FRIEND "/r", BOILER, 1);
	stage_answer(s, REQUEST_DONE, "21");
	give_state(s, BOILER, FRIEND, "no");
	stage_wait(s, "type='unsubscribed'");
	while (s->n_asked)
		stage_answer(s, REQUEST_DONE, NULL);
	silent(s, "seqnr='1' done=");
	read_as(s, FRIEND "/r", BOILER, 2);
	has(stage_wait(s, "id='r2'"), "<service-unavailable");
	write_as(s, BOILER, 2, "<int name='set' value='60'/>");
	has(stage_wait(s, "id='w2'"), "<service-unavailable");
	stage_free(s);
}

/* What waits for a bus that is away may wait for an hour. */
static size_t asked_after_an_outage(const char *word)
{
	struct stage *s = up();
	struct bridge_driver patient = *s->bridge->driver;
	patient.last_wins = true;
	s->bridge->driver = &patient;
	stage_befriend(s, "boiler.set", FRIEND);
	stage_thing(s, "boiler.set")->points[0]->write_deadline_ms = 3600000;
	bridge_down(s->bridge, &(const struct err){ "gone" });
	write_as(s, SET, 1, "<int name='set' value='60'/>");
	cr_assert_eq(s->n_asked, 0);
	give_state(s, SET, FRIEND, word);
	stage_settle(s);
	loop_skip(s->loop, 600000);
	while (s->bridge->state != BRIDGE_UP)
		loop_turn(s->loop);
	size_t n = s->n_asked;
	while (s->n_asked)
		stage_answer(s, REQUEST_DONE, NULL);
	stage_free(s);
	return n;
}

Test(wishes, to_write_of_somebody_who_is_put_out_while_the_bus_is_away_are_not_done_when_it_is_back)
{
	cr_expect_eq(asked_after_an_outage("yes"), 1);
	cr_expect_eq(asked_after_an_outage("no"), 0);
}

Test(wishes, that_the_link_left_behind_are_told_to_nobody)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	stage_befriend(s, "boiler.set", FRIEND);
	read_as(s, FRIEND "/r", TEMP, 1);
	write_as(s, SET, 1, "<int name='set' value='60'/>");
	fake_link_down(s->link, NULL);
	while (s->n_asked)
		stage_answer(s, REQUEST_DONE, s->asked[0]->write ? NULL : "21");
	fake_link_up(s->link, NULL);
	silent(s, "seqnr='1' done=");
	silent(s, "id='w1'");
	read_as(s, FRIEND "/r", TEMP, 1);
	stage_wait(s, "<fields");
	stage_free(s);
}

Test(wishes, are_cancelled_only_by_who_made_them_and_by_their_number)
{
	static const char *const rows[][2] = { { FRIEND "/r", "2" }, { FRIEND "/other", "1" }, { OWNER, "1" } };
	struct stage *s = up();
	give_owner(s, "boiler.temp");
	stage_befriend(s, "boiler.temp", FRIEND);
	read_as(s, FRIEND "/r", TEMP, 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake_link_give(s->link,
			       "<iq type='set' id='c' from='%s' to='" TEMP
			       "'><cancel xmlns='urn:xmpp:iot:sensordata' seqnr='%s'/></iq>",
			       rows[i][0], rows[i][1]);
		has(stage_wait(s, "id='c'"), "<cancelled");
	}
	stage_answer(s, REQUEST_DONE, "21");
	has(stage_wait(s, "<fields"), "seqnr='1'");
	stage_free(s);
}

Test(wishes, of_the_owner_need_no_subscription) /* S13 */
{
	struct stage *s = up();
	give_owner(s, "boiler.set");
	read_as(s, OWNER "/r", SET, 1);
	has(stage_wait(s, "id='r1'"), "<accepted");
	stage_answer(s, REQUEST_DONE, "605");
	has(stage_wait(s, "<fields"), "to='" OWNER "/r'");
	stage_free(s);
}
