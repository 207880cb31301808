/* Counters that wrap, over restarts and kills. */
#include "core/turns.h"
#include "tests/unit/talk.h"

#include "core/base/mem.h"

enum { M = 65536, SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

struct scene {
	struct stage *stage;
	struct turns turns;
	struct point *point;
	uint64_t puts; /* that were due */
};

static void start(struct scene *c)
{
	struct err e;
	c->point = stage_thing(c->stage, "boiler.temp")->points[0];
	c->point->kind = KIND_COUNTER;
	c->point->has_wrap = true;
	c->point->wrap = decimal_of(M);
	c->turns = (struct turns){ c->stage->store, c->stage->loop };
	cr_assert_eq(turns_load(&c->turns, c->stage->house, &e), 0, "%s", e.text);
}

static void begin(struct scene *c)
{
	*c = (struct scene){ .stage = up() };
	start(c);
}

static void count_to(struct scene *c, uint64_t reading)
{
	char number[24];
	int64_t kept = c->point->counter.kept_ms;
	snprintf(number, sizeof(number), "%llu", (unsigned long long)(reading % M));
	stage_sample(c->stage, "boiler.temp", number);
	turns_seen(&c->turns, c->point);
	c->puts += c->point->counter.kept_ms != kept;
}

/* One a second, read each ten seconds. */
static void run(struct scene *c, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i <= to; i += 10) {
		count_to(c, i);
		loop_skip(c->stage->loop, 10 * SECOND);
	}
	stage_settle(c->stage);
}

static void kill_it(struct scene *c)
{
	stage_settle(c->stage);
	stage_restart(c->stage);
	start(c);
}

static void shows(const struct scene *c, const char *wanted)
{
	char room[DECIMAL_ROOM];
	cr_expect_str_eq(value_print(&c->point->last.value, room), wanted);
}

Test(turns, outlive_a_stop)
{
	struct scene c;
	begin(&c);
	run(&c, 60000, 3 * M);
	turns_end(&c.turns, c.stage->house);
	kill_it(&c);
	loop_skip(c.stage->loop, 5 * MINUTE);
	count_to(&c, 3 * M + 300);
	shows(&c, "196908");
	cr_expect_not(c.point->anew);
	stage_free(c.stage);
}

Test(turns, outlive_a_kill_and_cost_few_writes)
{
	struct scene c;
	begin(&c);
	run(&c, 60000, 3 * M + 1000);
	cr_expect_leq(c.puts, 3 * 17 + 1, "%llu", (unsigned long long)c.puts);
	kill_it(&c);
	count_to(&c, 3 * M + 1020);
	shows(&c, "197628");
	stage_free(c.stage);
}

Test(turns, of_numbers_that_only_fall_do_not_fill_the_queue_of_the_store)
{
	struct scene c;
	begin(&c);
	for (uint64_t i = 0; i < 1000; i++) {
		count_to(&c, 60000 - i);
		loop_skip(c.stage->loop, 10);
	}
	cr_expect_leq(c.puts, 3, "%llu", (unsigned long long)c.puts);
	loop_skip(c.stage->loop, 10 * SECOND);
	count_to(&c, 20);
	kill_it(&c);
	count_to(&c, 30);
	shows(&c, "30");
	stage_free(c.stage);
}

Test(turns, begin_anew_when_they_cannot_be_known)
{
	static const int64_t clocks[] = { 24 * HOUR, -24 * HOUR };
	for (size_t i = 0; i < 2; i++) {
		struct scene c;
		begin(&c);
		run(&c, 60000, M + 1000);
		turns_end(&c.turns, c.stage->house);
		loop_set_clock(c.stage->loop, clocks[i]);
		kill_it(&c);
		count_to(&c, M + 1020);
		shows(&c, "1020");
		stage_free(c.stage);
	}
}

Test(turns, of_another_modulus_are_not_taken)
{
	struct scene c;
	begin(&c);
	run(&c, 60000, M + 1000);
	turns_end(&c.turns, c.stage->house);
	stage_settle(c.stage);
	stage_restart(c.stage);
	c.point = stage_thing(c.stage, "boiler.temp")->points[0];
	c.point->kind = KIND_COUNTER;
	c.point->has_wrap = true;
	c.point->wrap = decimal_of(100000);
	c.turns = (struct turns){ c.stage->store, c.stage->loop };
	cr_assert_eq(turns_load(&c.turns, c.stage->house, NULL), 0);
	cr_expect_not(c.point->counter.known);
	stage_free(c.stage);
}
