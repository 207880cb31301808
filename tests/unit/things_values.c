/* What friends hear of a value, and when: intervals, age, a bus that is lost, a clock that is set. */
#include "tests/unit/talk.h"

enum { SECOND = 1000, DAY = 86400 * SECOND };

static struct point *heard(struct stage *s)
{
	stage_befriend(s, "boiler.temp", FRIEND);
	return stage_thing(s, "boiler.temp")->points[0];
}

static void told(struct stage *s, const char *status)
{
	char wanted[64];
	snprintf(wanted, sizeof(wanted), "<status>%s", status);
	has(stage_wait(s, "<presence"), wanted);
	silent(s, "<presence");
}

static void quiet(struct stage *s)
{
	silent(s, "<presence");
}

static void read_temp(struct stage *s)
{
	fake_link_give(s->link, "<iq type='get' id='r' from='" FRIEND "/r' to='" TEMP
				"'><req xmlns='urn:xmpp:iot:sensordata' seqnr='1' momentary='true'/></iq>");
}

Test(values, newest_wins_when_min_interval_has_passed_and_the_ones_between_are_not_told)
{
	struct stage *s = up();
	heard(s)->min_interval_ms = 10 * SECOND;
	stage_sample(s, "boiler.temp", "20");
	told(s, "20 ");
	for (int i = 0; i < 8; i++) {
		char number[8];
		snprintf(number, sizeof(number), "%d", 21 + i);
		loop_skip(s->loop, SECOND);
		stage_sample(s, "boiler.temp", number);
		quiet(s);
	}
	loop_skip(s->loop, 2 * SECOND);
	told(s, "28 ");
	stage_sample(s, "boiler.temp", "30");
	stage_sample(s, "boiler.temp", "29");
	loop_skip(s->loop, 10 * SECOND);
	told(s, "29 ");
	stage_free(s);
}

Test(values, that_do_not_change_are_told_again_within_max_interval)
{
	struct stage *s = up();
	struct point *p = heard(s);
	p->max_interval_ms = 60 * SECOND;
	p->poll_ms = 10 * SECOND;
	stage_sample(s, "boiler.temp", "20");
	told(s, "20 ");
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 4; i++) {
			loop_skip(s->loop, 10 * SECOND);
			stage_sample(s, "boiler.temp", "20");
			quiet(s);
		}
		loop_skip(s->loop, 10 * SECOND); /* the next sample would come too late */
		stage_sample(s, "boiler.temp", "20");
		told(s, "20 ");
	}
	stage_free(s);
}

Test(values, that_nobody_has_seen_again_are_not_told_again) /* an old value is not a new one */
{
	struct stage *s = up();
	struct point *p = heard(s);
	p->max_interval_ms = 60 * SECOND;
	stage_sample(s, "boiler.temp", "20");
	told(s, "20 ");
	for (int i = 0; i < 10; i++) {
		loop_skip(s->loop, 60 * SECOND);
		quiet(s);
	}
	struct err why;
	err_set(&why, "cable cut");
	bridge_down(s->bridge, &why);
	has(stage_wait(s, "<presence"), "<show>dnd</show>");
	loop_skip(s->loop, 600 * SECOND);
	quiet(s);
	stage_free(s);
}

Test(values, of_a_lost_bus_are_away_at_once_in_presence_and_reads_and_come_back)
{
	static const char *const locals[] = { "boiler.temp", "boiler.set", "boiler.alarm" };
	struct stage *s = up();
	for (size_t i = 0; i < 3; i++)
		stage_befriend(s, locals[i], FRIEND);
	for (size_t i = 0; i < 3; i++)
		stage_sample(s, locals[i], i == 1 ? "600" : "1");
	stage_settle(s);
	fake_link_forget(s->link);
	struct err why;
	err_set(&why, "cable cut");
	bridge_down(s->bridge, &why);
	for (size_t i = 0; i < 3; i++) {
		char from[64];
		snprintf(from, sizeof(from), "<presence from='%s@", locals[i]);
		has(stage_wait(s, from), "<show>dnd</show><status>cannot be reached (last ");
	}
	read_temp(s);
	has(stage_wait(s, "<failure"), ">temp: cannot be reached (last 1)</error>");
	silent(s, "<fields");
	while (s->bridge->state != BRIDGE_UP) {
		loop_skip(s->loop, SECOND);
		loop_turn(s->loop);
	}
	stage_sample(s, "boiler.temp", "22");
	has_not(stage_wait(s, "<status>22 "), "<show>");
	read_temp(s);
	has(stage_wait(s, "<fields"), "value='22'");
	stage_free(s);
}

Test(values, are_neither_made_old_nor_young_when_the_clock_is_set)
{
	static const int64_t steps[] = { 30LL * DAY, -60LL * DAY, 20000LL * DAY, -20000LL * DAY };
	struct stage *s = up();
	struct point *p = heard(s);
	p->stale_ms = 60 * SECOND;
	stage_sample(s, "boiler.temp", "20");
	told(s, "20 ");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		loop_set_clock(s->loop, steps[i]);
		loop_skip(s->loop, 10 * SECOND);
		quiet(s);
		cr_expect_eq(p->last.quality, QUALITY_GOOD, "%zu", i);
	}
	loop_set_clock(s->loop, -300LL * DAY);
	loop_skip(s->loop, 20 * SECOND);
	has(stage_wait(s, "<presence"), "<show>away</show><status>20 \xC2\xB0"
					"C (old)");
	stage_free(s);
}

Test(values, of_a_counter_that_was_reset_are_told_and_logged)
{
	struct stage *s = up();
	struct point *p = heard(s);
	p->kind = KIND_COUNTER;
	p->has_deadband = true;
	p->deadband = decimal_of(1000);
	stage_sample(s, "boiler.temp", "500");
	told(s, "500 ");
	stage_sample(s, "boiler.temp", "501");
	quiet(s);
	stage_sample(s, "boiler.temp", "3");
	told(s, "3 ");
	cr_expect_eq(stage_count_log(s, "point 'boiler.temp': the counter begins anew at 3"), 1);
	stage_free(s);
}

/* As a driver does with a message that has several values: nobody hears of half of it. */
Test(values, of_one_message_are_told_in_one_step)
{
	struct stage *s = stage_new_device(3);
	fake_link_up(s->link, NULL);
	stage_befriend(s, "boiler", FRIEND);
	struct thing *t = stage_thing(s, "boiler");
	for (int64_t step = 1; step <= 3; step++) {
		char wanted[32];
		for (size_t i = 3; i < 6; i++) {
			struct sample one = sample_good(value_integer(step), loop_utc(s->loop));
			bridge_sample(s->bridge, t->points[i], &one);
		}
		snprintf(wanted, sizeof(wanted), "p0 %d, p1 %d, p2 %d", (int)step, (int)step, (int)step);
		loop_skip(s->loop, SECOND);
		has(stage_wait(s, "<presence"), wanted);
		quiet(s);
	}
	stage_free(s);
}

Test(values, that_are_old_are_read_with_a_warning_and_the_time_at_which_they_were_measured)
{
	struct stage *s = up();
	struct bridge_driver tells = *s->bridge->driver;
	struct point *p = heard(s);
	tells.read = NULL; /* a bus that cannot be asked */
	s->bridge->driver = &tells;
	p->stale_ms = 60 * SECOND;
	struct sample sample = sample_good(value_integer(20), 1700000000000);
	bridge_sample(s->bridge, p, &sample);
	for (int i = 0; i < 2; i++) {
		read_temp(s);
		const char *text = stage_wait(s, "<fields");
		has(text, "<timestamp value='2023-11-14T22:13:20.000Z'>");
		has(text, i ? " warning='true' value='20'" : "automaticReadout='true' value='20'");
		loop_skip(s->loop, 60 * SECOND);
		if (i == 0)
			stage_wait(s, "<show>away</show>");
	}
	stage_free(s);
}
