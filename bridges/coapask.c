#include "bridges/coapask.h"

#include "bridges/coappeer.h"
#include "core/base/mem.h"

struct coapask {
	struct coapnet net;
	const struct coaprows_bus *bus;
	struct list peers, questions;
	void (*ended)(void *ctx);
	void *ctx;
};

struct question {
	struct list link;
	void (*fn)(void *ctx, int status, const struct coapmsg_answer *a, const struct err *why);
	void *ctx;
	bool busy; /* of no interest: questions do not wait for each other */
};

static struct coapask *self_of(struct coapnet *net)
{
	return list_of(net, struct coapask, net);
}

static void on_jump(struct coapnet *net)
{
	list_each (at, &self_of(net)->peers)
		coappeer_hush(list_of(at, struct coappeer, link));
}

static void free_question(struct question *q)
{
	list_drop(&q->link);
	mem_free(q);
}

static void on_closed(struct coapnet *net)
{
	struct coapask *ask = self_of(net);
	struct list *first;
	while ((first = list_pop(&ask->peers)))
		coappeer_free(list_of(first, struct coappeer, link));
	while ((first = list_pop(&ask->questions)))
		free_question(list_of(first, struct question, link));
	coapnet_close(net);
	if (ask->ended)
		ask->ended(ask->ctx);
	mem_free(ask);
}

struct coapask *coapask_new(struct loop *loop, const struct coaprows_bus *bus, struct err *e)
{
	struct coapask *ask = mem_new(sizeof(*ask));
	ask->bus = bus;
	ask->net.on_jump = on_jump;
	ask->net.on_end = on_closed;
	list_init(&ask->peers);
	list_init(&ask->questions);
	if (coapnet_open(&ask->net, loop, e) == 0)
		return ask;
	mem_free(ask);
	return NULL;
}

static struct coappeer *peer_of(struct coapask *ask, const struct coaprows_device *device)
{
	list_each (at, &ask->peers) {
		struct coappeer *peer = list_of(at, struct coappeer, link);
		if (peer->options == device)
			return peer;
	}
	struct coappeer *peer = coappeer_new(&ask->net, ask->bus, device);
	list_add(&ask->peers, &peer->link);
	return peer;
}

static void on_end(struct coappeer_exchange *x, int status, const struct coapmsg_answer *a, const struct err *why)
{
	struct question q = *(struct question *)x->ctx;
	free_question(x->ctx);
	struct err cut;
	if (status == REQUEST_DONE && a->cut && coapmsg_judge(a, COAPMSG_GET, &cut) == REQUEST_GARBLED) {
		status = REQUEST_GARBLED;
		why = &cut;
	}
	q.fn(q.ctx, status, status == REQUEST_DONE ? a : NULL, status == REQUEST_DONE ? NULL : why);
}

void coapask_get(struct coapask *ask, const struct coaprows_device *device, const char *path, int accept,
		 void (*fn)(void *ctx, int status, const struct coapmsg_answer *a, const struct err *why), void *ctx)
{
	struct question *q = mem_new(sizeof(*q));
	q->fn = fn;
	q->ctx = ctx;
	coapnet_enter(&ask->net);
	list_add(&ask->questions, &q->link);
	struct coappeer_exchange *x = coappeer_exchange(peer_of(ask, device), COAPMSG_GET, &q->busy, q);
	x->ask.path = path;
	x->ask.format = accept;
	x->on_end = on_end;
	coappeer_post(x);
	coapnet_leave(&ask->net);
}

struct coapnet *coapask_net(struct coapask *ask)
{
	return &ask->net;
}

void coapask_free(struct coapask *ask, void (*ended)(void *ctx), void *ctx)
{
	if (!ask)
		return;
	ask->ended = ended;
	ask->ctx = ctx;
	coapnet_enter(&ask->net);
	list_each (at, &ask->peers)
		coappeer_stop(list_of(at, struct coappeer, link));
	ask->net.closing = true;
	coapnet_leave(&ask->net);
}
