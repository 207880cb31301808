#include "bridges/coapcall.h"

#include "bridges/coapask.h"
#include "bridges/coapcast.h"
#include "core/base/mem.h"

struct coapcall {
	struct coapask *ask;
	struct bus *bus;
	struct list peers, questions;
	struct coapcast *cast;
	void (*on_closed)(void *ctx);
	void *ctx;
};

struct peer {
	struct list link;
	struct device device; /* as the configuration would have it; its id is the uri */
};

struct question {
	struct list link;
	char *path;
	void (*fn)(void *ctx, const struct coapcall_answer *answer);
	void *ctx;
};

static void free_question(struct question *q)
{
	list_drop(&q->link);
	mem_free(q->path);
	mem_free(q);
}

static void free_peer(struct peer *p)
{
	list_drop(&p->link);
	mem_free(p->device.id);
	setting_drop(p->device.options);
	mem_free(p);
}

struct coapcall *coapcall_new(struct loop *loop, struct bus *bus, struct err *e)
{
	struct coapcall *c = mem_new(sizeof(*c));
	c->bus = bus;
	list_init(&c->peers);
	list_init(&c->questions);
	c->ask = coapask_new(loop, bus->options, e);
	if (c->ask)
		return c;
	mem_free(c);
	return NULL;
}

static void on_ended(void *ctx)
{
	struct coapcall *c = ctx;
	void (*on_closed)(void *) = c->on_closed;
	void *closed_ctx = c->ctx;
	while (!list_empty(&c->questions))
		free_question(list_of(c->questions.next, struct question, link));
	while (!list_empty(&c->peers))
		free_peer(list_of(c->peers.next, struct peer, link));
	mem_free(c);
	on_closed(closed_ctx);
}

void coapcall_close(struct coapcall *c, void (*on_closed)(void *ctx), void *ctx)
{
	c->on_closed = on_closed;
	c->ctx = ctx;
	coapcast_free(c->cast);
	coapask_free(c->ask, on_ended, c);
}

static struct peer *make_peer(struct coapcall *c, const char *uri, struct err *e)
{
	struct peer *p = mem_new(sizeof(*p));
	p->device = (struct device){
		.id = mem_text(uri),
		.bus = c->bus,
		.options = setting_new(coaprows_device, sizeof(struct coaprows_device)),
	};
	list_add(&c->peers, &p->link);
	if (setting_parse(setting_find(coaprows_device, "uri"), uri, p->device.options, e) == 0 &&
	    coaprows_check_device(&p->device, e) == 0)
		return p;
	free_peer(p);
	return NULL;
}

static struct peer *peer_of(struct coapcall *c, const char *uri, struct err *e)
{
	list_each (at, &c->peers) {
		struct peer *p = list_of(at, struct peer, link);
		if (text_same(p->device.id, uri))
			return p;
	}
	return make_peer(c, uri, e);
}

static void on_answer(void *ctx, int status, const struct coapmsg_answer *got, const struct err *why)
{
	struct question *q = ctx;
	struct coapcall_answer answer = { .format = COAPCALL_ANY, .bytes = "", .why = why };
	struct err e;
	if (status == REQUEST_DONE)
		answer = (struct coapcall_answer){ got->code, got->format, got->bytes, got->size, NULL };
	if (status == REQUEST_DONE && coapmsg_judge(got, COAPMSG_GET, &e) != REQUEST_DONE)
		answer.why = &e;
	list_drop(&q->link);
	q->fn(q->ctx, &answer);
	free_question(q);
}

int coapcall_get(struct coapcall *c, const char *uri, const char *path, int accept,
		 void (*fn)(void *ctx, const struct coapcall_answer *answer), void *ctx, struct err *e)
{
	struct peer *p = peer_of(c, uri, e);
	if (!p || uri_check_path(path, e) < 0)
		return -1;
	struct question *q = mem_new(sizeof(*q));
	*q = (struct question){ .path = mem_text(path), .fn = fn, .ctx = ctx };
	list_add(&c->questions, &q->link);
	coapask_get(c->ask, p->device.options, q->path, accept == COAPCALL_ANY ? COAPMSG_NO_FORMAT : accept, on_answer,
		    q);
	return 0;
}

int coapcall_all(struct coapcall *c, const char *group, const char *zone, int port,
		 void (*on_peer)(void *ctx, const char *uri), void *ctx, struct err *e)
{
	if (!c->cast)
		c->cast = coapcast_new(coapask_net(c->ask), on_peer, ctx);
	return coapcast_ask(c->cast, group, zone, port, e);
}
