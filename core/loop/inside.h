/*
 * What the files of this room share: the loop's own state. The hot path is read → hook → write, so a turn costs one
 * epoll_wait, two clock reads and nothing else that is not asked for.
 */
#pragma once

#include "core/base/err.h"
#include "core/loop/loop.h"

#include <sys/socket.h>
#include <uv.h>

enum {
	LOOP_BUFFER = 64 * 1024, /* one read: large enough that a busy stream needs few, small enough for the cache */
	LOOP_SIGNALS = 8,
};

/* The heap keeps due and order beside the pointer: sifting touches no timer but to tell it its place. */
struct timer_slot {
	int64_t due;
	uint64_t order; /* of setting: equal due times fire in this order */
	struct timer *timer;
};

struct timer_heap {
	struct timer_slot *slots;
	size_t n, room;
	uint64_t order;
	int64_t armed; /* what the alarm is set to, in loop_now's time; -1: not set */
};

struct loop_signal {
	uv_signal_t uv;
	struct loop *loop;
	void (*fn)(void *ctx, int signum);
	void *ctx;
};

struct loop {
	uv_loop_t uv;
	uv_prepare_t before_wait;
	uv_timer_t alarm;
	struct timer_heap timers;
	struct loop_signal signals[LOOP_SIGNALS];
	size_t n_signals;
	struct turn_hook *hooks, *next_hook; /* next_hook: so that a hook may drop hooks */
	int64_t skipped, clock_set;
	uint64_t began; /* ns, the first callback since the loop waited; 0: none yet */
	uint64_t longest;
	uint64_t turns;
	uint64_t random;
	unsigned strays; /* look-ups that were cancelled and still run in the pool */
	bool stopping;
	char *buffer;
};

void loop_enter(struct loop *loop); /* first line of every libuv callback */

void timer_arm(struct loop *loop); /* sets the alarm to the first timer */

/* Connects to the first address that answers. Exactly one call of fn, never inside dial_begin or dial_cancel. */
struct dial;
struct dial *dial_begin(struct loop *loop, const char *host, int port,
			void (*fn)(void *ctx, uv_tcp_t *take_uv, const struct err *why), void *ctx);
void dial_cancel(struct dial *d);
