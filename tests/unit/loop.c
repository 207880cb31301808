#include "core/loop/loop.h"

#include "core/base/mem.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct tick {
	struct timer timer;
	struct loop *loop;
	char *note; /* where letter goes */
	char letter;
	int64_t due, *last;
	int *fired;
};

static void write_letter(void *ctx)
{
	struct tick *tick = ctx;
	tick->note[strlen(tick->note)] = tick->letter;
}

static void count(void *ctx)
{
	++*(int *)ctx;
}

static void stop(void *ctx)
{
	loop_stop(ctx);
}

/* Time goes on by ms at once; turns until all that was due then has fired. */
static void play(struct loop *loop, int64_t ms)
{
	struct timer last = { 0 };
	timer_set(loop, &last, ms, stop, loop);
	loop_skip(loop, ms);
	while (loop_turn(loop))
		continue;
}

Test(timer, fires_in_order_of_time_then_of_setting)
{
	struct loop *loop = loop_new();
	char note[16] = "";
	struct tick ticks[6] = { { .letter = 'e' }, { .letter = 'a' }, { .letter = 'c' },
				 { .letter = 'd' }, { .letter = 'b' }, { .letter = 'x' } };
	const int64_t in_ms[6] = { 3600000, 10, 500, 500, 9999999, 30 };
	for (int i = 0; i < 6; i++) {
		ticks[i].note = note;
		timer_set(loop, &ticks[i].timer, in_ms[i], write_letter, &ticks[i]);
	}
	timer_stop(loop, &ticks[5].timer);
	timer_stop(loop, &ticks[5].timer);
	timer_set(loop, &ticks[4].timer, 20, write_letter, &ticks[4]);
	play(loop, 3600000);
	cr_assert_str_eq(note, "abcde");
	loop_free(loop);
}

static void see(void *ctx, int events)
{
	(void)events;
	++*(int *)ctx;
}

Test(timer, that_is_waited_for_fires_at_once_when_time_is_skipped)
{
	struct loop *loop = loop_new();
	struct timer hour = { 0 };
	int fired = 0, seen = 0, fds[2];
	cr_assert_eq(pipe(fds) + (int)write(fds[1], "x", 1), 1);
	struct watch *watch = watch_new(loop, fds[0], WATCH_READ, see, &seen);
	timer_set(loop, &hour, 3600000, count, &fired);
	loop_turn(loop); /* waits for the hour, and is woken by the pipe */
	cr_assert_eq(seen, 1);
	loop_skip(loop, 3600000);
	loop_turn(loop);
	cr_assert_eq(fired, 1);
	watch_free(watch);
	close(fds[0]);
	close(fds[1]);
	loop_free(loop);
}

static void check_order(void *ctx)
{
	struct tick *tick = ctx;
	cr_assert_geq(tick->due, *tick->last);
	cr_assert_geq(loop_now(tick->loop), tick->due);
	*tick->last = tick->due;
	++*tick->fired;
}

Test(timer, keeps_order_among_thousands_that_come_and_go)
{
	enum { N = 5000 };
	struct loop *loop = loop_new();
	struct tick *ticks = mem_array(N, sizeof(*ticks));
	int64_t last = 0;
	int fired = 0, wanted = 0;
	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < N; i++) {
			int64_t in_ms = loop_random(loop, 100000);
			ticks[i].loop = loop;
			ticks[i].due = loop_now(loop) + in_ms;
			ticks[i].last = &last;
			ticks[i].fired = &fired;
			timer_set(loop, &ticks[i].timer, in_ms, check_order, &ticks[i]);
		}
	}
	for (int i = 0; i < N; i++) {
		if (i % 3 == 0)
			timer_stop(loop, &ticks[i].timer);
		else
			wanted++;
	}
	play(loop, 100000);
	cr_assert_eq(fired, wanted);
	mem_free(ticks);
	loop_free(loop);
}

static void count_again(void *ctx)
{
	struct tick *tick = ctx;
	++*tick->fired;
	timer_set(tick->loop, &tick->timer, 0, count_again, tick);
}

Test(timer, set_by_itself_with_0_ms_lets_others_come_between)
{
	struct loop *loop = loop_new();
	int fired = 0;
	struct tick tick = { .loop = loop, .fired = &fired };
	timer_set(loop, &tick.timer, 0, count_again, &tick);
	for (int i = 1; i <= 5; i++) {
		int before = fired;
		loop_turn(loop);
		cr_assert_gt(fired, before);
		cr_assert_leq(fired, before + 2, "a turn before and one after the wait");
	}
	timer_stop(loop, &tick.timer);
	loop_free(loop);
}

Test(timer, waits_for_its_time_and_not_longer)
{
	struct loop *loop = loop_new();
	struct timer timer = { 0 };
	int64_t begun = loop_now(loop);
	timer_set(loop, &timer, 30, stop, loop);
	loop_run(loop);
	cr_assert_geq(loop_now(loop) - begun, 30);
	cr_assert_lt(loop_now(loop) - begun, 5000);
	loop_free(loop);
}

Test(timer, of_the_end_of_time_is_harmless)
{
	struct loop *loop = loop_new();
	struct timer never = { 0 }, early = { 0 };
	int fired = 0;
	timer_set(loop, &never, INT64_MAX, count, &fired);
	timer_set(loop, &early, INT64_MIN, stop, loop);
	loop_run(loop);
	cr_assert_eq(fired, 0);
	timer_stop(loop, &never);
	loop_free(loop);
}

Test(loop, moves_both_clocks_when_it_skips)
{
	struct loop *loop = loop_new();
	int64_t now = loop_now(loop), utc = loop_utc(loop);
	loop_skip(loop, 86400000);
	cr_assert_eq(loop_now(loop) - now, 86400000);
	cr_assert_geq(loop_utc(loop) - utc, 86400000);
	cr_assert_lt(loop_utc(loop) - utc, 86400000 + 60000);
	loop_free(loop);
}

Test(loop, calls_the_hooks_after_timers_and_before_it_waits)
{
	struct loop *loop = loop_new();
	char note[8] = "";
	struct tick timer = { .note = note, .letter = 't' }, hook_ctx = { .note = note, .letter = 'h' };
	struct turn_hook hook = { .fn = write_letter, .ctx = &hook_ctx };
	timer_set(loop, &timer.timer, 0, write_letter, &timer);
	struct timer end = { 0 };
	timer_set(loop, &end, 0, stop, loop);
	loop_add_hook(loop, &hook);
	loop_run(loop);
	loop_drop_hook(loop, &hook);
	cr_assert_str_eq(strchr(note, 't'), "th", "'%s'", note);
	loop_free(loop);
}

struct dropper {
	struct loop *loop;
	struct turn_hook first, second;
	int firsts, seconds;
};

static void drop_both(void *ctx)
{
	struct dropper *d = ctx;
	d->firsts++;
	loop_drop_hook(d->loop, &d->first);
	loop_drop_hook(d->loop, &d->second);
}

Test(loop, lets_a_hook_drop_itself_and_the_next)
{
	struct dropper d = { .loop = loop_new() };
	struct timer timer = { 0 };
	d.first = (struct turn_hook){ .fn = drop_both, .ctx = &d };
	d.second = (struct turn_hook){ .fn = count, .ctx = &d.seconds };
	loop_add_hook(d.loop, &d.first);
	loop_add_hook(d.loop, &d.second);
	timer_set(d.loop, &timer, 0, stop, d.loop);
	loop_run(d.loop);
	cr_assert_eq(d.firsts, 1);
	cr_assert_eq(d.seconds, 0);
	loop_free(d.loop);
}

Test(loop, runs_no_turn_when_nothing_happens)
{
	struct loop *loop = loop_new();
	struct timer timer = { 0 };
	timer_set(loop, &timer, 60, stop, loop);
	loop_run(loop);
	cr_assert_leq(loop_turns(loop), 5, "it turns round and round: %lu", (unsigned long)loop_turns(loop));
	loop_free(loop);
}

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void take_long(void *ctx)
{
	struct loop *loop = ctx;
	int64_t begun = now_ns();
	while (now_ns() - begun < 41000000)
		continue;
	loop_stop(loop);
}

Test(loop, measures_the_longest_turn_without_the_waiting)
{
	struct loop *loop = loop_new();
	struct timer timer = { 0 };
	timer_set(loop, &timer, 300, stop, loop);
	loop_run(loop);
	cr_assert_lt(loop_longest_turn(loop), 250);
	timer_set(loop, &timer, 0, take_long, loop);
	loop_run(loop);
	cr_assert_geq(loop_longest_turn(loop), 40);
	loop_free(loop);
}

Test(loop, stopped_before_it_runs_returns_and_can_run_again)
{
	struct loop *loop = loop_new();
	struct timer timer = { 0 };
	int fired = 0;
	loop_stop(loop);
	loop_run(loop);
	loop_stop(loop);
	cr_assert_not(loop_turn(loop));
	timer_set(loop, &timer, 20, count, &fired);
	while (!fired)
		cr_assert(loop_turn(loop));
	loop_free(loop);
}

static void on_signal(void *ctx, int signum)
{
	cr_assert_eq(signum, SIGUSR1);
	loop_stop(ctx);
}

Test(loop, hears_signals)
{
	struct loop *loop = loop_new();
	loop_on_signal(loop, SIGUSR1, on_signal, loop);
	kill(getpid(), SIGUSR1);
	loop_run(loop);
	loop_free(loop);
}

Test(loop, draws_random_numbers_below)
{
	struct loop *loop = loop_new();
	int seen[10] = { 0 };
	for (int i = 0; i < 10000; i++)
		seen[loop_random(loop, 10)]++;
	for (int i = 0; i < 10; i++)
		cr_assert(seen[i] > 700 && seen[i] < 1300, "%d came %d times", i, seen[i]);
	cr_assert_eq(loop_random(loop, 0), 0);
	cr_assert_eq(loop_random(loop, 1), 0);
	loop_free(loop);
}

Test(loop, dies_when_a_handle_is_left, .signal = SIGABRT)
{
	struct loop *loop = loop_new();
	int fds[2];
	cr_assert_eq(pipe(fds), 0);
	watch_new(loop, fds[0], WATCH_READ, NULL, NULL);
	loop_free(loop);
}

Test(loop, dies_when_a_timer_is_left, .signal = SIGABRT)
{
	struct loop *loop = loop_new();
	struct timer timer = { 0 };
	timer_set(loop, &timer, 1000, count, NULL);
	loop_free(loop);
}
