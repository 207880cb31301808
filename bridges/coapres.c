#include "bridges/coapres.h"

#include "bridges/coapobs.h"
#include "bridges/coapvalue.h"
#include "core/base/mem.h"

struct coapres *coapres_new(struct bridge *b, struct coappeer *peer, const struct coaprows_address *address)
{
	struct coapres *res = mem_new(sizeof(*res));
	*res = (struct coapres){ .bridge = b, .peer = peer, .address = address };
	coapobs_init(res);
	return res;
}

void coapres_add(struct coapres *res, struct point *p)
{
	res->points = mem_resize(res->points, (res->n_points + 1) * sizeof(struct point *));
	res->points[res->n_points++] = p;
	p->bus_data = res;
}

void coapres_free(struct coapres *res)
{
	for (size_t i = 0; i < res->n_points; i++)
		res->points[i]->bus_data = NULL;
	mem_free(res->points);
	mem_free(res);
}

static void answer_read(struct coapres *res, struct request *r, const struct coapmsg_answer *a)
{
	struct err why = { "" };
	struct sample s = { 0 };
	int status = coapvalue_take(r->point, a, loop_utc(res->bridge->loop), &s, &why);
	bridge_done(res->bridge, r, status, &s, why.text[0] ? &why : NULL);
}

/* r->write says nothing here: what was written is read back with the same request. */
static void end_requests(struct coappeer_exchange *x, int status, const struct coapmsg_answer *a, const struct err *why)
{
	struct coapres *res = x->ctx;
	struct list *first;
	while ((first = list_pop(&x->requests))) {
		struct request *r = list_of(first, struct request, link);
		if (status == REQUEST_DONE && !x->write)
			answer_read(res, r, a);
		else
			bridge_done(res->bridge, r, status, NULL, status == REQUEST_DONE ? NULL : why);
	}
}

static void on_end(struct coappeer_exchange *x, int status, const struct coapmsg_answer *a, const struct err *why)
{
	struct coapres *res = x->ctx;
	struct err e;
	if (res->get == x)
		res->get = NULL;
	if (!x->write)
		coapobs_on_end(res, x, status, a, why);
	if (status == REQUEST_DONE && (status = coapmsg_judge(a, x->ask.kind, &e)) != REQUEST_DONE)
		why = &e;
	end_requests(x, status, a, why);
}

static struct coappeer_exchange *exchange_new(struct coapres *res, enum coapmsg_kind kind, bool *busy)
{
	struct coappeer_exchange *x = coappeer_exchange(res->peer, kind, busy, res);
	x->ask.path = res->address->path;
	x->on_end = on_end;
	return x;
}

int coapres_accept(const struct coapres *res)
{
	static const int accepts[] = {
		[FORMAT_AUTO] = COAPMSG_NO_FORMAT,
		[FORMAT_TEXT] = COAPMSG_TEXT,
		[FORMAT_JSON] = COAPMSG_JSON,
		[FORMAT_CBOR] = COAPMSG_CBOR,
		[FORMAT_SENML_JSON] = COAPMSG_SENML_JSON,
		[FORMAT_SENML_CBOR] = COAPMSG_SENML_CBOR,
	};
	return accepts[res->address->format];
}

void coapres_get(struct coapres *res)
{
	if (res->get && !res->get->flying && !res->get->rest)
		return;
	res->get = exchange_new(res, COAPMSG_GET, &res->busy);
	res->get->ask.format = coapres_accept(res);
	res->get->on_fly = coapobs_on_fly;
	coappeer_post(res->get);
}

static void carry(struct coappeer_exchange *x, struct request *r)
{
	list_add(&x->requests, &r->link);
	r->driver_data = x;
}

void coapres_read(struct coapres *res, struct request *r)
{
	coapres_get(res);
	carry(res->get, r);
}

void coapres_write(struct coapres *res, struct request *r)
{
	const struct coaprows_address *a = r->point->address;
	struct coappeer_exchange *x =
		exchange_new(res, a->write.post ? COAPMSG_POST : COAPMSG_PUT, &res->peer->writing);
	x->ask.format = coapvalue_body(r->point, &r->raw, &x->body);
	x->ask.body = x->body.data;
	x->ask.body_size = x->body.size;
	carry(x, r);
	coappeer_post(x);
}

/*
 * What waits can be taken back. What is under way ends by its answer or when it is too late; then nobody waits for that
 * answer any more, and a write is not sent again, but whether the device got it, nobody knows.
 */
void coapres_cancel(struct coapres *res, struct request *r)
{
	struct coappeer_exchange *x = r->driver_data;
	bool late = loop_now(res->bridge->loop) >= r->deadline_ms;
	struct err why;
	if (x->ended || (x->flying && !late))
		return;
	int status = late ? (x->suspect ? REQUEST_AWAY : REQUEST_TIMEOUT) : REQUEST_CANCELLED;
	bool greeting = x->peer->uri->secure && !x->peer->dtls.up;
	err_set(&why, "%s",
		x->flying  ? "no answer in time"
		: greeting ? "no DTLS handshake yet"
			   : "earlier requests to the device took all the time");
	list_drop(&r->link);
	if (list_empty(&x->requests) && (x->write || !res->listening)) {
		if (res->get == x)
			res->get = NULL;
		coappeer_drop(x);
	}
	bridge_done(res->bridge, r, status, NULL, late ? &why : NULL);
}
