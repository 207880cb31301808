/*
 * A turn: wait in epoll, libuv's callbacks, closed handles, timers that are due, hooks, and again. The hooks run in the
 * prepare handle, the last thing before the loop waits, so that they see whatever any of the others gathered.
 */
#include "core/loop/loop.h"

#include "core/base/mem.h"
#include "core/loop/inside.h"

#include <signal.h>
#include <sys/random.h>
#include <time.h>

static void run_hooks(struct loop *loop)
{
	for (struct turn_hook *hook = loop->hooks; hook; hook = loop->next_hook) {
		loop->next_hook = hook->next;
		hook->fn(hook->ctx);
	}
	loop->next_hook = NULL;
}

static void end_turn(struct loop *loop)
{
	loop_enter(loop);
	run_hooks(loop);
	uint64_t took = uv_hrtime() - loop->began;
	if (took > loop->longest)
		loop->longest = took;
	loop->began = 0;
	loop->turns++;
}

static void on_before_wait(uv_prepare_t *handle)
{
	struct loop *loop = handle->data;
	end_turn(loop);
	timer_arm(loop);
	if (loop->stopping)
		uv_stop(&loop->uv); /* here, where it also keeps this turn from waiting */
}

static uint64_t random_seed(void)
{
	uint64_t seed = 0;
	must(getrandom(&seed, sizeof(seed), 0) == sizeof(seed));
	return seed ? seed : 1;
}

struct loop *loop_new(void)
{
	struct loop *loop = mem_new(sizeof(*loop));
	signal(SIGPIPE, SIG_IGN);
	must(uv_loop_init(&loop->uv) == 0);
	must(uv_prepare_init(&loop->uv, &loop->before_wait) == 0);
	must(uv_timer_init(&loop->uv, &loop->alarm) == 0);
	loop->before_wait.data = loop->alarm.data = loop;
	must(uv_prepare_start(&loop->before_wait, on_before_wait) == 0);
	loop->timers.armed = -1;
	loop->random = random_seed();
	loop->buffer = mem_new(LOOP_BUFFER);
	return loop;
}

/* A cancelled look-up cannot be taken out of getaddrinfo: its thread uses memory of ours until it comes back. */
static void wait_for_strays(struct loop *loop)
{
	while (loop->strays)
		uv_run(&loop->uv, UV_RUN_ONCE);
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	must(loop->timers.n == 0);
	must(loop->hooks == NULL);
	wait_for_strays(loop);
	for (size_t i = 0; i < loop->n_signals; i++)
		uv_close((uv_handle_t *)&loop->signals[i].uv, NULL);
	uv_close((uv_handle_t *)&loop->before_wait, NULL);
	uv_close((uv_handle_t *)&loop->alarm, NULL);
	while (uv_run(&loop->uv, UV_RUN_NOWAIT) && loop->uv.closing_handles)
		continue;
	must(uv_loop_close(&loop->uv) == 0);
	mem_free(loop->timers.slots);
	mem_free(loop->buffer);
	mem_free(loop);
}

void loop_enter(struct loop *loop)
{
	if (loop->began == 0)
		loop->began = uv_hrtime();
}

static bool take_stop(struct loop *loop)
{
	bool stopping = loop->stopping;
	loop->stopping = false;
	return stopping;
}

void loop_run(struct loop *loop)
{
	do
		uv_run(&loop->uv, UV_RUN_DEFAULT);
	while (!loop->stopping);
	if (loop->began)
		end_turn(loop);
	take_stop(loop);
}

bool loop_turn(struct loop *loop)
{
	uv_run(&loop->uv, UV_RUN_ONCE);
	if (loop->began)
		end_turn(loop);
	return !take_stop(loop);
}

void loop_stop(struct loop *loop)
{
	loop->stopping = true;
}

int64_t loop_now(const struct loop *loop)
{
	return (int64_t)uv_now(&loop->uv) + loop->skipped;
}

int64_t loop_utc(const struct loop *loop)
{
	struct timespec at;
	clock_gettime(CLOCK_REALTIME, &at);
	return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000 + loop->skipped + loop->clock_set;
}

void loop_skip(struct loop *loop, int64_t ms)
{
	must(ms >= 0);
	loop->skipped += ms;
	loop->timers.armed = -1;
}

void loop_set_clock(struct loop *loop, int64_t ms)
{
	loop->clock_set += ms;
}

uint64_t loop_turns(const struct loop *loop)
{
	return loop->turns;
}

int64_t loop_longest_turn(const struct loop *loop)
{
	return (int64_t)(loop->longest / 1000000);
}

uint32_t loop_random(struct loop *loop, uint32_t below)
{
	uint64_t x = loop->random; /* xorshift64* */
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	loop->random = x;
	uint64_t high = (x * 0x2545F4914F6CDD1DU) >> 32;
	return (uint32_t)((high * below) >> 32);
}

void loop_add_hook(struct loop *loop, struct turn_hook *hook)
{
	struct turn_hook **at = &loop->hooks;
	while (*at)
		at = &(*at)->next;
	hook->next = NULL;
	*at = hook;
}

void loop_drop_hook(struct loop *loop, struct turn_hook *hook)
{
	for (struct turn_hook **at = &loop->hooks; *at; at = &(*at)->next) {
		if (*at != hook)
			continue;
		if (loop->next_hook == hook)
			loop->next_hook = hook->next;
		*at = hook->next;
		return;
	}
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct loop_signal *s = handle->data;
	loop_enter(s->loop);
	s->fn(s->ctx, signum);
}

void loop_on_signal(struct loop *loop, int signum, void (*fn)(void *ctx, int signum), void *ctx)
{
	must(loop->n_signals < LOOP_SIGNALS);
	struct loop_signal *s = &loop->signals[loop->n_signals++];
	s->loop = loop;
	s->fn = fn;
	s->ctx = ctx;
	must(uv_signal_init(&loop->uv, &s->uv) == 0);
	s->uv.data = s;
	must(uv_signal_start(&s->uv, on_signal, signum) == 0);
}
