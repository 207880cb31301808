#include "core/loop/srv.h"

#include "core/base/mem.h"
#include "core/loop/inside.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>

enum { ANSWER_MOST = 4096, FIXED = 6 /* priority, weight, port */ };

struct srv {
	uv_work_t uv;
	struct loop *loop;
	struct timer answer; /* after a cancel, which must not wait for the resolver's timeout */
	char *name;
	bool in_pool, answered;
	struct srv_target list[SRV_MOST]; /* the pool's until it has answered */
	size_t n;
	void (*fn)(void *ctx, const struct srv_target *list, size_t n);
	void *ctx;
};

static int compare(const void *a, const void *b)
{
	const struct srv_target *x = a, *y = b;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return (x->weight < y->weight) - (x->weight > y->weight);
}

static bool read_one(ns_msg *message, int i, struct srv_target *ret)
{
	ns_rr record;
	if (ns_parserr(message, ns_s_an, i, &record) < 0 || ns_rr_type(record) != ns_t_srv ||
	    ns_rr_rdlen(record) <= FIXED)
		return false;
	const unsigned char *data = ns_rr_rdata(record);
	*ret = (struct srv_target){
		.priority = (unsigned)ns_get16(data),
		.weight = (unsigned)ns_get16(data + 2),
		.port = (int)ns_get16(data + 4),
	};
	return dn_expand(ns_msg_base(*message), ns_msg_end(*message), data + FIXED, ret->host, sizeof(ret->host)) >= 0;
}

size_t srv_read(const unsigned char *answer, size_t size, struct srv_target ret[SRV_MOST])
{
	ns_msg message;
	size_t n = 0;
	if (size > ANSWER_MOST || ns_initparse(answer, (int)size, &message) < 0)
		return 0;
	for (int i = 0; i < ns_msg_count(message, ns_s_an) && n < SRV_MOST; i++)
		n += read_one(&message, i, &ret[n]);
	qsort(ret, n, sizeof(*ret), compare);
	return n;
}

static void ask(uv_work_t *work)
{
	struct srv *s = work->data;
	struct __res_state state = { 0 };
	unsigned char answer[ANSWER_MOST];
	if (res_ninit(&state) < 0)
		return;
	int size = res_nquery(&state, s->name, ns_c_in, ns_t_srv, answer, sizeof(answer));
	if (size > 0)
		s->n = srv_read(answer, size < ANSWER_MOST ? (size_t)size : ANSWER_MOST, s->list);
	res_nclose(&state);
}

static void free_when_done(struct srv *s)
{
	if (s->in_pool || !s->answered)
		return;
	mem_free(s->name);
	mem_free(s);
}

static void give(struct srv *s, size_t n)
{
	s->answered = true;
	if (s->in_pool)
		s->loop->strays++;
	s->fn(s->ctx, n ? s->list : NULL, n);
	free_when_done(s);
}

static void asked(uv_work_t *work, int status)
{
	struct srv *s = work->data;
	(void)status;
	loop_enter(s->loop);
	s->in_pool = false;
	if (s->answered) {
		s->loop->strays--;
		free_when_done(s);
		return;
	}
	timer_stop(s->loop, &s->answer);
	give(s, s->n);
}

static void give_nothing(void *ctx)
{
	give(ctx, 0);
}

struct srv *srv_begin(struct loop *loop, const char *name,
		      void (*fn)(void *ctx, const struct srv_target *list, size_t n), void *ctx)
{
	struct srv *s = mem_new(sizeof(*s));
	*s = (struct srv){ .loop = loop, .name = mem_text(name), .fn = fn, .ctx = ctx };
	s->uv.data = s;
	s->in_pool = uv_queue_work(&loop->uv, &s->uv, ask, asked) == 0;
	if (!s->in_pool)
		timer_set(loop, &s->answer, 0, give_nothing, s);
	return s;
}

void srv_cancel(struct srv *s)
{
	if (!s || s->answered)
		return;
	timer_set(s->loop, &s->answer, 0, give_nothing, s);
	if (s->in_pool)
		uv_cancel((uv_req_t *)&s->uv);
}
