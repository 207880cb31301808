/* Reading what was: XEP-0323 historical reads, wire.md 1.2. */
#include "tests/unit/talk.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/history.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static const int64_t BEGAN = 1700000000000; /* 2023-11-14T22:13:20Z, a Tuesday */

struct scene {
	struct stage *stage;
	struct history history;
};

static void begin_with(struct scene *c, struct stage *s, const char *local)
{
	c->stage = s;
	for (size_t i = 0; i < s->house->devices[0]->n_points; i++)
		s->house->devices[0]->points[i]->history_ms = 400LL * DAY;
	const struct conf_gateway settings = { .state = s->folder, .history = { .memory = 64 << 20 } };
	history_begin(&c->history, &settings, s->house, s->loop, &s->log);
	fake_link_up(s->link, NULL);
	stage_befriend(s, local, FRIEND);
}

static void begin(struct scene *c)
{
	begin_with(c, stage_new(false), "boiler.temp");
}

static void end(struct scene *c)
{
	for (size_t i = 0; i < c->stage->house->devices[0]->n_points; i++)
		c->stage->house->devices[0]->points[i]->past = NULL;
	history_end(&c->history);
	stage_free(c->stage);
}

static void was(struct scene *c, const char *local, size_t point, const char *number, int64_t at)
{
	struct point *p = stage_thing(c->stage, local)->points[point];
	struct decimal d;
	cr_assert_eq(decimal_parse(number, strlen(number), &d), 0);
	struct sample s = sample_good(p->type == TYPE_BOOL ? value_bool(d.digits) : value_number(d), BEGAN + at);
	bridge_sample(c->stage->bridge, p, &s);
}

static void was_temp(struct scene *c, const char *number, int64_t at)
{
	was(c, "boiler.temp", 0, number, at);
}

static void ask(struct scene *c, const char *to, int seqnr, const char *what, const char *fields)
{
	fake_link_give(c->stage->link,
		       "<iq type='get' id='r%d' from='" FRIEND "/r' to='%s'><req xmlns='urn:xmpp:iot:sensordata' "
		       "seqnr='%d' %s>%s</req></iq>",
		       seqnr, to, seqnr, what, fields);
}

static const char *read_temp(struct scene *c, const char *what)
{
	fake_link_forget(c->stage->link);
	ask(c, TEMP, 7, what, "");
	has(stage_wait(c->stage, "id='r7'"), "<accepted");
	return stage_wait(c->stage, "<fields");
}

static size_t count(const char *text, const char *fragment)
{
	size_t n = 0;
	for (; (text = strstr(text, fragment)); text++)
		n++;
	return n;
}

Test(past_reads, tell_all_that_was_seen_with_its_times_and_digits)
{
	struct scene c;
	begin(&c);
	was_temp(&c, "21.50", 0);
	was_temp(&c, "21.5", 10 * SECOND); /* the same: no news */
	was_temp(&c, "-3", 20 * SECOND);
	was_temp(&c, "1e3", 30 * SECOND);
	const char *text = read_temp(&c, "historical='true'");
	has(text, "<message type='headline' from='" TEMP "/thing' to='" FRIEND "/r'>");
	has(text, "seqnr='7' done='true'><node nodeId='boiler.temp'><timestamp value='2023-11-14T22:13:20.000Z'><numeric "
		  "name='temp' historicalOther='true' automaticReadout='true' value='21.50' unit='\xC2\xB0"
		  "C'/></timestamp><timestamp value='2023-11-14T22:13:40.000Z'><numeric name='temp' "
		  "historicalOther='true' automaticReadout='true' value='-3'");
	has(text, ":50.000Z'><numeric name='temp' historicalOther='true' automaticReadout='true' value='1000'");
	cr_expect_eq(count(text, "<timestamp"), 3);
	cr_expect_eq(c.stage->n_asked, 0, "the bus is not asked");
	silent(c.stage, "<f");
	end(&c);
}

Test(past_reads, keep_to_the_span_that_was_asked)
{
	static const struct {
		const char *span;
		size_t n;
	} rows[] = { { "from='2023-11-14T22:13:25Z'", 4 },
		     { "to='2023-11-14T22:13:25'", 1 },
		     { "from='2023-11-14T22:13:30Z' to='2023-11-14T22:13:40Z'", 2 },
		     { "from='2023-11-14T23:13:30+01:00' to='2023-11-14T23:13:40+01:00'", 2 },
		     { "from='2024-01-01T00:00:00Z'", 0 } };
	struct scene c;
	begin(&c);
	for (int i = 0; i < 5; i++)
		was_temp(&c, i % 2 ? "1" : "2", i * 10 * SECOND);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char what[128];
		snprintf(what, sizeof(what), "historical='true' %s", rows[i].span);
		const char *text = read_temp(&c, what);
		cr_expect_eq(count(text, "<timestamp"), rows[i].n, "%zu", i);
		has(text, "done='true'");
	}
	ask(&c, TEMP, 8, "historical='true' from='yesterday'", "");
	has(stage_wait(c.stage, "id='r8'"), "from or to is not a time.");
	end(&c);
}

Test(past_reads, tell_the_value_before_each_shift_of_the_period)
{
	static const struct {
		const char *word;
		size_t n;
	} rows[] = { { "historicalMinute", 72 * 60 / 15 }, { "historicalHour", 72 },  { "historicalDay", 3 },
		     { "historicalWeek", 0 },              { "historicalMonth", 0 },  { "historicalYear", 0 },
		     { "historicalSecond", 72 * 60 / 15 }, { "historicalQuarter", 0 } };
	struct scene c;
	begin(&c);
	loop_set_clock(c.stage->loop, BEGAN + 3LL * DAY - loop_utc(c.stage->loop));
	for (int i = 0; i < 72 * 60 / 15; i++) {
		char number[16];
		snprintf(number, sizeof(number), "%d", i);
		was_temp(&c, number, (int64_t)i * 15 * MINUTE);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char what[64];
		snprintf(what, sizeof(what), "%s='true'", rows[i].word);
		const char *text = read_temp(&c, what);
		snprintf(what, sizeof(what), " %s='true'", rows[i].word);
		cr_expect_eq(count(text, "<timestamp"), rows[i].n, "%s %zu", rows[i].word, count(text, "<timestamp"));
		cr_expect_eq(count(text, what), rows[i].n, "%s", rows[i].word);
	}
	const char *text = read_temp(&c, "historicalDay='true'");
	has(text, "2023-11-14T23:58:20.000Z'><numeric name='temp' historicalDay='true' automaticReadout='true' "
		  "value='7'");
	text = read_temp(&c, "historicalHour='true' historicalDay='true'");
	cr_expect_eq(count(text, "<timestamp"), 72);
	cr_expect_eq(count(text, "historicalHour='true' historicalDay='true'"), 3);
	end(&c);
}

Test(past_reads, say_after_which_value_nothing_was_seen_and_where_a_counter_ended)
{
	struct scene c;
	begin(&c);
	stage_thing(c.stage, "boiler.temp")->points[0]->kind = KIND_COUNTER;
	was_temp(&c, "5", 0);
	struct sample bad = sample_bad(TROUBLE_TIMEOUT, BEGAN + SECOND);
	bridge_sample(c.stage->bridge, stage_thing(c.stage, "boiler.temp")->points[0], &bad);
	was_temp(&c, "6", 2 * SECOND);
	was_temp(&c, "1", 3 * SECOND);
	const char *text = read_temp(&c, "historical='true'");
	has(text, "automaticReadout='true' value='5'");
	has(text, "automaticReadout='true' warning='true' value='6'");
	has(text, "22.000Z'><numeric name='temp' historicalOther='true' automaticReadout='true' endOfSeries='true' "
		  "value='6'");
	has(text, "automaticReadout='true' value='1'");
	end(&c);
}

Test(past_reads, tell_now_and_then_what_is_still_so)
{
	struct scene c;
	begin(&c);
	for (int i = 0; i < 60; i++) {
		was_temp(&c, "20", i * MINUTE);
		loop_skip(c.stage->loop, MINUTE);
	}
	cr_expect_eq(count(read_temp(&c, "historical='true'"), "value='20'"), 4);
	end(&c);
}

Test(past_reads, come_before_what_is_now_and_only_the_last_message_is_done)
{
	struct scene c;
	begin(&c);
	was_temp(&c, "21", 0);
	stage_thing(c.stage, "boiler.temp")->points[0]->poll_ms = 1000;
	loop_skip(c.stage->loop, 10 * SECOND);
	const char *text = read_temp(&c, "historical='true' momentary='true'");
	has(text, "historicalOther='true' automaticReadout='true' value='21'");
	has_not(text, "done=");
	while (!c.stage->n_asked)
		loop_turn(c.stage->loop);
	stage_answer(c.stage, REQUEST_DONE, "22");
	text = stage_wait(c.stage, "<fields");
	has(text, "momentary='true' automaticReadout='true' value='22'");
	has(text, "seqnr='7' done='true'");
	end(&c);
}

Test(past_reads, of_kinds_that_there_are_not_and_of_points_without_a_past_are_empty)
{
	struct scene c;
	begin(&c);
	was_temp(&c, "21", 0);
	ask(&c, TEMP, 7, "historical='true'", "<field name='nothing'/>");
	has(stage_wait(c.stage, "<fields"), "<fields xmlns='urn:xmpp:iot:sensordata' seqnr='7' done='true'></fields>");
	stage_thing(c.stage, "boiler.temp")->points[0]->history_ms = 0;
	history_attach(&c.history, c.stage->house);
	has_not(read_temp(&c, "historical='true'"), "<node");
	has(read_temp(&c, "all='true'"), "momentary='true'");
	end(&c);
}

static void fill_device(struct scene *c, size_t points, int samples)
{
	for (size_t i = 0; i < points; i++)
		for (int k = 0; k < samples; k++)
			was(c, "boiler", 3 + i, k % 2 ? "1" : "2", k * SECOND);
}

Test(past_reads, of_much_come_in_messages_that_servers_take_and_never_hold_the_loop)
{
	enum { POINTS = 50, SAMPLES = 200 };
	struct scene c;
	begin_with(&c, stage_new_device(POINTS), "boiler");
	fill_device(&c, POINTS, SAMPLES);
	ask(&c, "boiler@things.test", 7, "historical='true'", "");
	size_t n = 0, messages = 0;
	for (bool done = false; !done; messages++) {
		const char *text = stage_wait(c.stage, "<fields");
		cr_expect_leq(strlen(text), LIMIT_STANZA_OUT);
		n += count(text, "<timestamp");
		done = strstr(text, "done='true'");
	}
	cr_expect_eq(n, POINTS * SAMPLES);
	cr_expect_gt(messages, 5);
	silent(c.stage, "<fields");
	cr_expect_eq(c.stage->things.n_recalls, 0);
	end(&c);
}

/* Asked for much, and the first of many messages has come. */
static void begin_much(struct scene *c)
{
	begin_with(c, stage_new_device(50), "boiler");
	fill_device(c, 50, 200);
	ask(c, "boiler@things.test", 7, "historical='true'", "");
	has_not(stage_wait(c->stage, "<fields"), "done=");
	fake_link_forget(c->stage->link);
}

Test(past_reads, end_when_the_friend_is_put_out)
{
	struct scene c;
	begin_much(&c);
	give_state(c.stage, "boiler@things.test", FRIEND, "no");
	stage_wait(c.stage, "unsubscribed");
	fake_link_forget(c.stage->link);
	silent(c.stage, "<fields");
	cr_expect_eq(c.stage->things.n_recalls, 0);
	end(&c);
}

Test(past_reads, end_when_they_are_cancelled)
{
	struct scene c;
	begin_much(&c);
	fake_link_give(c.stage->link,
		       "<iq type='get' id='c' from='" FRIEND "/other' to='boiler@things.test'><cancel "
		       "xmlns='urn:xmpp:iot:sensordata' seqnr='7'/></iq>");
	stage_wait(c.stage, "<cancelled");
	stage_wait(c.stage, "<fields"); /* that was somebody else */
	fake_link_give(c.stage->link,
		       "<iq type='get' id='c' from='" FRIEND "/r' to='boiler@things.test'><cancel "
		       "xmlns='urn:xmpp:iot:sensordata' seqnr='7'/></iq>");
	stage_wait(c.stage, "<cancelled");
	fake_link_forget(c.stage->link);
	silent(c.stage, "<fields");
	end(&c);
}

Test(past_reads, wait_while_the_link_is_full)
{
	struct scene c;
	begin_much(&c);
	c.stage->link->congested = true;
	silent(c.stage, "<fields");
	c.stage->link->congested = false;
	loop_skip(c.stage->loop, SECOND);
	stage_wait(c.stage, "<fields");
	fake_link_down(c.stage->link, NULL);
	cr_expect_eq(c.stage->things.n_recalls, 0, "who would hear it has gone");
	end(&c);
}

Test(past_reads, of_points_that_have_gone_meanwhile_end_without_them)
{
	struct scene c;
	begin_much(&c);
	for (size_t i = 0; i < 40; i++)
		c.stage->house->devices[0]->points[3 + i]->history_ms = 0;
	history_attach(&c.history, c.stage->house);
	const char *text;
	do
		text = stage_wait(c.stage, "<fields");
	while (!strstr(text, "done='true'"));
	has(text, "name='p49'");
	end(&c);
}

Test(past_reads, have_a_bound_for_each_friend)
{
	struct scene c;
	begin(&c);
	was_temp(&c, "21", 0);
	for (int i = 0; i <= LIMIT_RECALLS_FRIEND; i++)
		ask(&c, TEMP, i, "historical='true'", "");
	char wanted[16];
	snprintf(wanted, sizeof(wanted), "id='r%d'", LIMIT_RECALLS_FRIEND);
	has(stage_wait(c.stage, wanted), "<error type='wait'><resource-constraint");
	for (int i = 0; i < LIMIT_RECALLS_FRIEND; i++)
		stage_wait(c.stage, "done='true'");
	has(read_temp(&c, "historical='true'"), "value='21'");
	end(&c);
}

Test(past_reads, are_for_friends_only)
{
	struct scene c;
	begin(&c);
	was_temp(&c, "21", 0);
	fake_link_give(c.stage->link, "<iq type='get' id='s' from='" STRANGER "/r' to='" TEMP
				      "'><req xmlns='urn:xmpp:iot:sensordata' seqnr='7' historical='true'/></iq>");
	has(stage_wait(c.stage, "id='s'"), "<service-unavailable");
	silent(c.stage, "<fields");
	end(&c);
}

Test(past_reads, of_a_thing_as_it_came_from_the_factory_are_empty)
{
	struct scene c;
	begin(&c);
	was_temp(&c, "21", 0);
	gate_reset(&c.stage->gate, stage_thing(c.stage, "boiler.temp"), NULL);
	stage_settle(c.stage);
	thing_add_friend(stage_thing(c.stage, "boiler.temp"), FRIEND)->subscription = SUBSCRIPTION_FROM;
	has_not(read_temp(&c, "historical='true'"), "<node");
	end(&c);
}
