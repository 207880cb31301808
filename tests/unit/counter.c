/* A counter's total over wraps, resets, outages and restarts: never a turn that is not certain. */
#include "core/model/counter.h"

#include <criterion/criterion.h>

enum { M = 65536, SECOND = 1000, HOUR = 3600 * SECOND };

static uint64_t total(const struct counter *c)
{
	return counter_total(c, M);
}

/* One count a second, read each ten seconds. */
static int64_t run(struct counter *c, uint64_t from, uint64_t to)
{
	int64_t at = (int64_t)from * SECOND;
	for (uint64_t i = from; i <= to; i += 10, at += 10 * SECOND)
		cr_assert_neq(counter_take(c, M, i % M, at), COUNTER_ANEW, "at %llu", (unsigned long long)i);
	return at - 10 * SECOND;
}

Test(counter, goes_on_over_its_wraps)
{
	struct counter c = { 0 };
	run(&c, 60000, 60000 + 5 * M);
	cr_expect_eq(c.turns, 5);
	cr_expect_eq(total(&c) % 10, 0);
	cr_expect_leq(total(&c), 60000 + 5 * M);
	cr_expect_gt(total(&c), 60000 + 5 * M - 10);
}

Test(counter, that_was_reset_begins_anew_at_the_devices_own_reading)
{
	struct counter c = { 0 };
	int64_t at = run(&c, 60000, 70000);
	cr_expect_eq(c.turns, 1);
	cr_expect_eq(counter_take(&c, M, 3, at + 10 * SECOND), COUNTER_ANEW);
	cr_expect_eq(total(&c), 3);
	cr_expect_eq(counter_take(&c, M, 13, at + 20 * SECOND), COUNTER_ON);
	cr_expect_eq(total(&c), 13);
}

Test(counter, cannot_have_gone_further_than_its_speed_allows)
{
	struct counter c = { 0 };
	int64_t at = run(&c, 65000, 65400);
	cr_expect_eq(counter_take(&c, M, 10, at + 10 * SECOND), COUNTER_ANEW, "146 counts in 10 s at 1 a second");
	c = (struct counter){ 0 };
	at = run(&c, 65000, 65500);
	cr_expect_eq(counter_take(&c, M, 2, at + 10 * SECOND), COUNTER_TURNS, "38 counts in 10 s may be");
	cr_expect_eq(total(&c), M + 2);
}

Test(counter, begins_anew_when_nobody_looked_for_so_long_that_turns_may_be_missing)
{
	struct counter c = { 0 };
	int64_t at = run(&c, 60000, 70000);
	cr_expect_eq(counter_take(&c, M, 4464 + 3600, at + HOUR), COUNTER_ON, "an hour is a twentieth of a turn");
	cr_expect_eq(total(&c), 70000 + 3600);
	cr_expect_eq(counter_take(&c, M, 50000, at + 24 * HOUR), COUNTER_ANEW);
	cr_expect_eq(total(&c), 50000);
}

Test(counter, does_not_believe_one_jump_to_be_its_speed)
{
	struct counter c = { 0 };
	int64_t at = run(&c, 1000, 2000);
	cr_expect_eq(counter_take(&c, M, 40000, at + 10 * SECOND), COUNTER_ON, "another meter, perhaps");
	cr_expect_leq(c.fastest, 2.0 / SECOND);
	cr_expect_eq(counter_take(&c, M, 40010, at + 20 * SECOND), COUNTER_ON);
}

Test(counter, goes_on_after_a_restart_only_if_the_gap_is_known_and_short)
{
	static const struct {
		int64_t gap;
		uint64_t reading, total;
	} rows[] = {
		{ 600 * SECOND, 5064, M + 5064 }, /* on */
		{ 600 * SECOND, 100, 100 },       /* reset meanwhile */
		{ -SECOND, 5064, 5064 },          /* the clock was set back: how long it was nobody knows */
		{ 24 * HOUR, 5064, 5064 },        /* turns may be missing */
	};
	struct counter kept = { 0 };
	run(&kept, 60000, 70000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct counter c = { 0 };
		counter_restore(&c, M, &kept, rows[i].gap, 5000);
		counter_take(&c, M, rows[i].reading, 5000);
		cr_expect_eq(total(&c), rows[i].total, "%zu: %llu", i, (unsigned long long)total(&c));
	}
	struct counter c = { 0 };
	kept.reading = 65530;
	counter_restore(&c, M, &kept, 10 * SECOND, 5000);
	cr_expect_eq(counter_take(&c, M, 4, 5000), COUNTER_TURNS, "over the wrap while we were away");
	cr_expect_eq(total(&c), 2 * M + 4);
}

Test(counter, of_any_readings_never_has_a_total_that_the_reading_contradicts)
{
	struct counter c = { 0 };
	uint64_t seed = 1, last = 0;
	int64_t at = 0;
	for (int i = 0; i < 200000; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		uint64_t reading = (seed >> 33) % (i % 7 ? 1000 : M);
		at += (int64_t)(seed >> 50);
		enum counter_step step = counter_take(&c, M, reading, at);
		cr_assert_eq(total(&c) % M, reading);
		cr_assert(step != COUNTER_ANEW || total(&c) == reading);
		cr_assert(i == 0 || step == COUNTER_ANEW || total(&c) >= last, "back without a word");
		last = total(&c);
	}
}
