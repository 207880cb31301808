#include "core/request.h"

#include "core/base/limits.h"
#include "core/base/mem.h"

/*
 * Happy path of a read: the gate lets him in; points that are fresh answer from the last sample; the others become requests of
 * their bridges; when the last is done the wish is answered. Of a write: every value is turned to raw before the first is
 * sent, so that a set is refused as a whole.
 * When the deadline comes first, the wish is answered with what is there; late ends of its requests are dropped.
 */

static const int64_t GRACE_MS = 100; /* the requests' own deadlines come first: they know more of what happened */

struct carrier {
	struct list link; /* in requests.carriers */
	struct requests *requests;
	struct wish *wish; /* NULL: answered already, only late requests are awaited */
	struct timer deadline;
	size_t open;    /* requests under way */
	struct err why; /* of the first part that failed */
	struct part {
		struct request request;
		struct carrier *carrier;
		struct wish_part *part;
	} parts[];
};

static const enum wish_status ends[] = {
	[-REQUEST_DONE] = WISH_DONE,      [-REQUEST_AWAY] = WISH_UNREACHABLE, [-REQUEST_TIMEOUT] = WISH_UNREACHABLE,
	[-REQUEST_REFUSED] = WISH_FAILED, [-REQUEST_GARBLED] = WISH_FAILED,   [-REQUEST_CANCELLED] = WISH_CANCELLED,
	[-REQUEST_BUSY] = WISH_BUSY,      [-REQUEST_DIFFERS] = WISH_FAILED,
};

static void keep_sample(struct wish_part *part)
{
	const struct sample *last = &part->point->last;
	part->sample = *last;
	part->sample.value = value_copy(&last->value);
	part->status = WISH_DONE;
}

/* What is true of all of them. */
static enum wish_status sum_of(const struct wish *w)
{
	enum wish_status least = w->write && w->n_parts ? WISH_CONFIRMED : WISH_DONE;
	for (size_t i = 0; i < w->n_parts; i++) {
		enum wish_status s = w->parts[i].status;
		if (!wish_is_good(s))
			return s;
		least = s < least ? s : least;
	}
	return least;
}

static void answer(struct requests *rs, struct wish *w, enum wish_status status, const char *text)
{
	(w->write ? rs->counts.writes : rs->counts.reads)[status]++;
	w->thing->n_wishes--;
	w->answer(w, status, text);
}

static void answer_carried(struct carrier *c)
{
	struct wish *w = c->wish;
	timer_stop(c->requests->loop, &c->deadline);
	c->wish = NULL;
	answer(c->requests, w, sum_of(w), *c->why.text ? c->why.text : NULL);
}

static void leave(struct carrier *c)
{
	if (c->open)
		return;
	if (c->wish)
		answer_carried(c);
	list_drop(&c->link);
	c->requests->n--;
	mem_free(c);
}

static void note(struct carrier *c, const struct request *r, int status, const struct err *why)
{
	if (status == REQUEST_DONE || *c->why.text)
		return;
	err_set(&c->why, "%s", why ? why->text : bridge_status_word(status));
	if (!r->write)
		return;
	err_wrap(&c->why, "%s", r->point->id);
}

static void part_done(struct request *r, int status, const struct sample *shown, const struct err *why)
{
	struct part *part = r->ctx;
	struct carrier *c = part->carrier;
	(void)shown;
	if (c->wish) {
		if (!r->write)
			keep_sample(part->part);
		part->part->status = r->confirmed ? WISH_CONFIRMED : r->answered ? WISH_ANSWERED : ends[-status];
		note(c, r, status, why);
	}
	c->open--;
	leave(c);
}

static void on_deadline(void *ctx)
{
	struct carrier *c = ctx;
	if (!*c->why.text)
		err_set(&c->why, "the device did not answer in time");
	answer_carried(c); /* its open parts say UNREACHABLE since they were sent */
}

static bool is_answered_by_last(const struct point *p, int64_t now)
{
	const struct bridge *b = p->device->bus->bridge;
	return point_is_fresh(p, now) || !b || !b->driver->read || b->state != BRIDGE_UP;
}

static struct carrier *carrier_new(struct requests *rs, struct wish *w, size_t n)
{
	struct carrier *c = mem_new(sizeof(*c) + n * sizeof(struct part));
	c->requests = rs;
	c->wish = w;
	c->open = n + 1; /* held until all are sent: a request may end in the call */
	list_add(&rs->carriers, &c->link);
	rs->n++;
	int64_t left = w->deadline_ms - loop_now(rs->loop);
	timer_set(rs->loop, &c->deadline, (left > 0 ? left : 0) + GRACE_MS, on_deadline, c);
	return c;
}

/* It may have waited for an hour, and whoever wrote it may have been put out meanwhile. */
static bool may_still(const struct request *r)
{
	const struct part *part = r->ctx;
	const struct wish *w = part->carrier->wish;
	return w && gate_may(w->thing, w->from, RIGHT_WRITE);
}

static void send(struct carrier *c, struct part *part, struct wish_part *of, const struct wish *w, struct value raw)
{
	struct request *r = &part->request;
	*part = (struct part){ .carrier = c, .part = of };
	*r = (struct request){ .point = of->point,
			       .write = w->write,
			       .raw = raw,
			       .deadline_ms = w->deadline_ms,
			       .done = part_done,
			       .may = w->write ? may_still : NULL,
			       .ctx = part };
	of->status = WISH_UNREACHABLE; /* until it is known better */
	bridge_ask(of->point->device->bus->bridge, &r, 1);
}

static void read_parts(struct requests *rs, struct wish *w)
{
	int64_t now = loop_now(rs->loop);
	size_t n = 0, sent = 0;
	for (size_t i = 0; i < w->n_parts; i++) {
		if (is_answered_by_last(w->parts[i].point, now)) {
			keep_sample(&w->parts[i]);
		} else {
			w->parts[i].status = WISH_UNREACHABLE;
			n++;
		}
	}
	if (!n) {
		answer(rs, w, sum_of(w), NULL);
		return;
	}
	struct carrier *c = carrier_new(rs, w, n);
	for (size_t i = 0; sent < n; i++)
		if (w->parts[i].status == WISH_UNREACHABLE)
			send(c, &c->parts[sent++], &w->parts[i], w, (struct value){ 0 });
	c->open--;
	leave(c);
}

/* Of one part, before anything is sent. */
static enum wish_status check_write(const struct requests *rs, const struct wish_part *part, struct value *ret_raw,
				    struct err *e)
{
	const struct point *p = part->point;
	int64_t since = loop_now(rs->loop) - p->written_ms;
	if (point_to_raw(p, &part->value, ret_raw, e) < 0)
		return WISH_BAD;
	if (!p->written_ms || since >= p->write_interval_ms)
		return WISH_DONE;
	value_free(ret_raw);
	err_set(e, "was written %lld ms ago; wait %lld ms between writes", (long long)since,
		(long long)p->write_interval_ms);
	return WISH_BUSY;
}

static bool is_twice(const struct wish *w, size_t part)
{
	for (size_t i = 0; i < part; i++)
		if (w->parts[i].point == w->parts[part].point)
			return true;
	return false;
}

static enum wish_status check_writes(const struct requests *rs, struct wish *w, struct value *raws, struct err *e)
{
	for (size_t i = 0; i < w->n_parts; i++) {
		if (is_twice(w, i)) {
			err_set(e, "is given twice");
			w->parts[i].status = WISH_BAD;
		} else {
			w->parts[i].status = check_write(rs, &w->parts[i], &raws[i], e);
		}
		if (w->parts[i].status == WISH_DONE)
			continue;
		for (size_t j = 0; j < i; j++)
			value_free(&raws[j]);
		return w->parts[i].status;
	}
	return WISH_DONE;
}

static void write_parts(struct requests *rs, struct wish *w)
{
	struct err why;
	struct value *raws = mem_array(w->n_parts, sizeof(*raws));
	enum wish_status bad = check_writes(rs, w, raws, &why);
	if (bad != WISH_DONE) {
		mem_free(raws);
		answer(rs, w, bad, why.text);
		return;
	}
	struct carrier *c = carrier_new(rs, w, w->n_parts);
	for (size_t i = 0; i < w->n_parts; i++)
		send(c, &c->parts[i], &w->parts[i], w, raws[i]);
	mem_free(raws);
	c->open--;
	leave(c);
}

/* As a whole: no parameter of a write is to blame, but each value of a read is missing for this reason. */
static void turn_away(struct requests *rs, struct wish *w, enum wish_status status)
{
	for (size_t i = 0; i < w->n_parts && !w->write; i++)
		w->parts[i].status = status;
	answer(rs, w, status, NULL);
}

void request_take(void *requests, struct wish *w)
{
	struct requests *rs = requests;
	w->thing->n_wishes++;
	if (!gate_may(w->thing, w->from, w->write ? RIGHT_WRITE : RIGHT_READ))
		turn_away(rs, w, WISH_FORBIDDEN);
	else if (rs->n >= LIMIT_WISHES || w->thing->n_wishes > LIMIT_WISHES_THING)
		turn_away(rs, w, WISH_BUSY);
	else if (w->write)
		write_parts(rs, w);
	else
		read_parts(rs, w);
}

void request_begin(struct requests *rs, struct loop *loop)
{
	*rs = (struct requests){ .loop = loop };
	list_init(&rs->carriers);
}

void request_end(struct requests *rs)
{
	list_each (at, &rs->carriers) {
		struct carrier *c = list_of(at, struct carrier, link);
		if (c->wish)
			answer_carried(c);
	}
	must(rs->n == 0);
}
