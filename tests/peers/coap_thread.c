#include "tests/peers/coap_thread.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

struct errand {
	void (*fn)(struct coapd *d, void *ctx);
	void *ctx;
};

struct coap_thread {
	pthread_t thread;
	int ends[2]; /* of a socket pair: ours, the thread's */
	int port;
	struct coapd *d; /* the thread's */
};

static void on_errand(void *ctx, int events)
{
	struct coap_thread *t = ctx;
	struct errand errand;
	(void)events;
	if (read(t->ends[1], &errand, sizeof(errand)) == sizeof(errand) && errand.fn) {
		errand.fn(t->d, errand.ctx);
		must(write(t->ends[1], "", 1) == 1);
		return;
	}
	loop_stop(t->d->loop);
}

static void *serve(void *ctx)
{
	struct coap_thread *t = ctx;
	struct loop *loop = loop_new();
	t->d = coapd_new(loop);
	t->port = t->d->port;
	snprintf(coapd_add(t->d, "/t", false)->written, sizeof(t->d->resources[0].written), "23.40");
	coapd_add(t->d, "/s", false);
	struct watch *watch = watch_new(loop, t->ends[1], WATCH_READ, on_errand, t);
	must(write(t->ends[1], "", 1) == 1);
	loop_run(loop);
	watch_free(watch);
	coapd_free(t->d);
	loop_free(loop);
	return NULL;
}

static void wait_for(struct coap_thread *t)
{
	char byte;
	must(read(t->ends[0], &byte, 1) == 1);
}

struct coap_thread *coap_thread_new(void)
{
	struct coap_thread *t = mem_new(sizeof(*t));
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, t->ends) == 0);
	must(pthread_create(&t->thread, NULL, serve, t) == 0);
	wait_for(t);
	return t;
}

void coap_thread_do(struct coap_thread *t, void (*fn)(struct coapd *d, void *ctx), void *ctx)
{
	struct errand errand = { fn, ctx };
	must(write(t->ends[0], &errand, sizeof(errand)) == sizeof(errand));
	wait_for(t);
}

void coap_thread_free(struct coap_thread *t)
{
	if (!t)
		return;
	struct errand end = { 0 };
	must(write(t->ends[0], &end, sizeof(end)) == sizeof(end));
	pthread_join(t->thread, NULL);
	close(t->ends[0]);
	close(t->ends[1]);
	mem_free(t);
}

int coap_thread_port(const struct coap_thread *t)
{
	return t->port;
}
