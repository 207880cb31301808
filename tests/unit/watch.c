#include "core/loop/loop.h"

#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

struct pair {
	struct loop *loop;
	int fds[2];
	struct watch *watch;
	int calls, events;
};

static struct pair pair_new(void)
{
	struct pair p = { .loop = loop_new() };
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p.fds), 0);
	return p;
}

static void stop(void *ctx)
{
	loop_stop(ctx);
}

static void turn_for(struct loop *loop, int64_t ms)
{
	struct timer timer = { 0 };
	timer_set(loop, &timer, ms, stop, loop);
	loop_run(loop);
}

static void see(void *ctx, int events)
{
	struct pair *p = ctx;
	p->calls++;
	p->events |= events;
}

Test(watch, tells_what_the_descriptor_is_ready_for)
{
	struct pair p = pair_new();
	p.watch = watch_new(p.loop, p.fds[0], WATCH_READ | WATCH_HANGUP, see, &p);
	cr_assert_eq(write(p.fds[1], "x", 1), 1);
	loop_turn(p.loop);
	cr_assert_eq(p.events, WATCH_READ);
	watch_set(p.watch, WATCH_WRITE);
	p.events = 0;
	loop_turn(p.loop);
	cr_assert_eq(p.events, WATCH_WRITE);
	watch_set(p.watch, WATCH_HANGUP);
	p.events = 0;
	close(p.fds[1]);
	loop_turn(p.loop);
	cr_assert(p.events & WATCH_HANGUP);
	watch_free(p.watch);
	close(p.fds[0]);
	loop_free(p.loop);
}

static void free_and_close(void *ctx, int events)
{
	struct pair *p = ctx;
	see(ctx, events);
	int fd = p->fds[0];
	char byte;
	cr_assert_eq(read(fd, &byte, 1), 1);
	watch_free(p->watch);
	close(fd);
	cr_assert_eq(dup(p->fds[1]), fd, "the number comes back at once");
	p->watch = watch_new(p->loop, fd, WATCH_WRITE, see, p);
}

Test(watch, may_be_freed_in_its_own_call_and_its_number_used_again)
{
	struct pair p = pair_new();
	p.watch = watch_new(p.loop, p.fds[0], WATCH_READ, free_and_close, &p);
	cr_assert_eq(write(p.fds[1], "x", 1), 1);
	loop_turn(p.loop);
	cr_assert_eq(p.calls, 1);
	cr_assert_eq(p.events, WATCH_READ);
	loop_turn(p.loop);
	cr_assert(p.events & WATCH_WRITE);
	watch_free(p.watch);
	watch_free(NULL);
	loop_free(p.loop);
}

Test(watch, tells_of_an_error_once_until_it_is_set_again)
{
	struct pair p = pair_new();
	p.watch = watch_new(p.loop, p.fds[0], WATCH_READ, see, &p);
	cr_assert_eq(write(p.fds[0], "x", 1), 1);
	close(p.fds[1]); /* with a byte unread: the kernel makes it a reset */
	loop_turn(p.loop);
	cr_assert_eq(p.events, WATCH_ERROR);
	turn_for(p.loop, 20);
	cr_assert_eq(p.calls, 1, "it does not spin");
	p.events = 0;
	watch_set(p.watch, WATCH_READ); /* the error was given out once; now it is an end */
	turn_for(p.loop, 20);
	cr_assert_neq(p.events, 0);
	watch_free(p.watch);
	close(p.fds[0]);
	loop_free(p.loop);
}

static void close_and_free(void *ctx, int events)
{
	struct pair *p = ctx;
	char byte;
	see(ctx, events);
	cr_assert_eq(read(p->fds[0], &byte, 1), 1);
	close(p->fds[0]);
	watch_free(p->watch);
	cr_assert_eq(dup(p->fds[1]), p->fds[0]);
	p->watch = watch_new(p->loop, p->fds[0], WATCH_WRITE, see, p);
}

Test(watch, may_be_freed_after_its_descriptor_was_closed)
{
	struct pair p = pair_new();
	p.watch = watch_new(p.loop, p.fds[0], WATCH_READ, close_and_free, &p);
	cr_assert_eq(write(p.fds[1], "x", 1), 1);
	loop_turn(p.loop);
	cr_assert_eq(p.events, WATCH_READ);
	loop_turn(p.loop);
	cr_assert(p.events & WATCH_WRITE);
	watch_free(p.watch);
	loop_free(p.loop);
}

Test(watch, freed_with_an_event_waiting_is_not_called)
{
	struct pair p = pair_new();
	p.watch = watch_new(p.loop, p.fds[0], WATCH_READ, see, &p);
	cr_assert_eq(write(p.fds[1], "x", 1), 1);
	watch_free(p.watch);
	turn_for(p.loop, 20);
	cr_assert_eq(p.calls, 0);
	loop_free(p.loop);
}
