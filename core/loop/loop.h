/*
 * The event loop: the only code that opens and closes libuv handles. One thread runs it, and everything that is not
 * said to be a worker's runs on that thread. Times are ms: loop_now monotonic, loop_utc since 1970; loop_skip moves
 * both by hand, so that scenes play hours in an instant.
 *
 * Owned by main. loop_free dies if a handle is still open, a timer set or a hook added: at exit nothing is left.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

struct loop *loop_new(void); /* also ignores SIGPIPE */
void loop_free(struct loop *loop);
void loop_run(struct loop *loop);  /* until loop_stop */
void loop_stop(struct loop *loop); /* from the loop thread; loop_run returns after this turn */
bool loop_turn(struct loop *loop); /* tests: one turn, waits for the next event; false when loop_stop was called */
int64_t loop_now(const struct loop *loop);
int64_t loop_utc(const struct loop *loop);
void loop_skip(struct loop *loop, int64_t ms);      /* tests: time goes on by ms; due timers fire in the next turn */
void loop_set_clock(struct loop *loop, int64_t ms); /* tests: somebody puts the clock of the day on by ms, or back */
uint64_t loop_turns(const struct loop *loop);       /* turns so far: progress for the watchdog */
int64_t loop_longest_turn(const struct loop *loop); /* ms, since start; scenes fail above 50 */
uint32_t loop_random(struct loop *loop, uint32_t below); /* for jitter, not for secrets; 0 when below is 0 */

/* A one-shot timer, member of its owner's struct; zero it first. fn may set it again: with 0 ms it fires in the next turn.
 * Equal due times fire in the order of setting. Thousands are cheap (one heap). */
struct timer {
	int64_t due;
	void (*fn)(void *ctx);
	void *ctx;
	size_t place; /* in the heap, 1-based; 0: not set */
};
void timer_set(struct loop *loop, struct timer *t, int64_t in_ms, void (*fn)(void *ctx), void *ctx); /* replaces */
void timer_stop(struct loop *loop, struct timer *t); /* also when not set */

/* Called at the end of every turn in which something happened, before the loop waits: for writing what was gathered. */
struct turn_hook {
	struct turn_hook *next;
	void (*fn)(void *ctx);
	void *ctx;
};
void loop_add_hook(struct loop *loop, struct turn_hook *hook);
void loop_drop_hook(struct loop *loop, struct turn_hook *hook);

/* fn on the loop thread when the process gets the signal. At most 8. */
void loop_on_signal(struct loop *loop, int signum, void (*fn)(void *ctx, int signum), void *ctx);

/* Watches a foreign file descriptor (libmosquitto's, libcoap's). watch_free before the fd is closed, or at the latest
 * in the same turn; fn may call it, and is not called after it. After WATCH_ERROR nothing comes until watch_set. Dies when
 * the fd cannot be polled or is already watched. */
enum { WATCH_READ = 1, WATCH_WRITE = 2, WATCH_HANGUP = 4, WATCH_ERROR = 8 };
struct watch;
struct watch *watch_new(struct loop *loop, int fd, int events, void (*fn)(void *ctx, int events), void *ctx);
void watch_set(struct watch *w, int events);
void watch_free(struct watch *w); /* NULL is allowed */
