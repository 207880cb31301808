#include "core/bridge/inside.h"

#include "core/base/limits.h"
#include "core/base/mem.h"

/*
 * A new configuration for a bus that runs: bridge_hold -> what is in the way at the driver ends -> quiet -> the caller changes what he
 * wants -> bridge_resume. A driver with `change` goes on with all that stays; another one is closed and opened, and requests for what
 * stays wait for that instead of failing.
 *
 * What does not end by itself in time is cancelled, and with a close it is ended. A bus that goes down meanwhile is closed too, and one
 * that does not come up again refuses what has waited, as always.
 */

enum { PHASE_NONE, PHASE_DRAIN, PHASE_CLOSE, PHASE_QUIET };

static const int64_t PATIENCE_MS = 3000;

static bool is_in_the_way(const struct bridge *b, const struct request *r)
{
	return b->reopens || r->point->device->leaving;
}

static bool is_drained(const struct bridge *b)
{
	list_each (at, &b->waiting)
		if (is_in_the_way(b, list_of(at, struct request, wait_link)))
			return false;
	return true;
}

static void say_quiet(struct bridge *b)
{
	b->phase = PHASE_QUIET;
	b->quiet(b->quiet_ctx, b);
}

/* From here on the driver knows of none of the leaving. */
static void drop_leaving(struct bridge *b)
{
	size_t n = 0;
	for (size_t i = 0; i < b->n_points; i++) {
		struct point *p = b->points[i];
		if (!p->device->leaving)
			b->points[n++] = p;
		else if (p->listens)
			b->driver->listen(b, p, false);
	}
	if (n == b->n_points)
		return;
	b->n_points = n;
	poll_change(b);
	b->driver->change(b);
}

static void go_quiet(struct bridge *b)
{
	timer_stop(b->loop, &b->patience);
	timer_stop(b->loop, &b->calm);
	if (!b->reopens && b->state == BRIDGE_UP) {
		drop_leaving(b);
		say_quiet(b);
		return;
	}
	b->reopens = true;
	b->phase = PHASE_CLOSE;
	bridge_close(b);
}

static void look(void *ctx)
{
	struct bridge *b = ctx;
	if (is_drained(b))
		go_quiet(b);
}

static void lose_patience(void *ctx)
{
	struct bridge *b = ctx;
	if (b->reopens) {
		go_quiet(b);
		return;
	}
	list_each (at, &b->waiting) {
		struct request *r = list_of(at, struct request, wait_link);
		if (is_in_the_way(b, r))
			bridge_cancel(b, r);
	}
}

void bridge_hold(struct bridge *b, bool reopen, void (*quiet)(void *ctx, struct bridge *b), void *ctx)
{
	must(b->phase == PHASE_NONE && b->state != BRIDGE_CLOSED && b->state != BRIDGE_CLOSING);
	b->phase = PHASE_DRAIN;
	b->reopens = reopen || !b->driver->change || b->state != BRIDGE_UP;
	b->holds = b->reopens && b->state == BRIDGE_UP;
	b->quiet = quiet;
	b->quiet_ctx = ctx;
	if (b->reopens)
		poll_end(b);
	ask_drop_leaving(b);
	timer_set(b->loop, &b->patience, PATIENCE_MS, lose_patience, b);
	renew_ended(b);
}

/* In a turn of its own: a driver may be in the middle of ending several. */
void renew_ended(struct bridge *b)
{
	if (b->phase == PHASE_DRAIN && !b->calm.place)
		timer_set(b->loop, &b->calm, 0, look, b);
}

bool renew_closed(struct bridge *b)
{
	if (b->phase != PHASE_CLOSE)
		return false;
	say_quiet(b);
	return true;
}

void renew_release(struct bridge *b)
{
	b->holds = false;
	for (size_t n = b->n_held; n > 0 && !list_empty(&b->held); n--) { /* what must wait on comes behind */
		struct request *r = list_of(list_pop(&b->held), struct request, wait_link);
		timer_stop(b->loop, &r->timer);
		b->n_held--;
		r->bridge = NULL;
		bridge_ask(b, &r, 1);
	}
}

bool renew_abandon(struct bridge *b)
{
	int phase = b->phase;
	b->phase = PHASE_NONE;
	timer_stop(b->loop, &b->patience);
	timer_stop(b->loop, &b->calm);
	if (phase == PHASE_QUIET && b->state == BRIDGE_CLOSED) {
		b->state = BRIDGE_CLOSING;
		bridge_closed(b);
	}
	if (b->state == BRIDGE_CLOSING)
		renew_release(b); /* refused */
	return b->state == BRIDGE_CLOSING;
}

/* They are read now, not only when their interval is over. */
static void greet(struct bridge *b)
{
	const struct device *last = NULL;
	for (size_t i = 0; i < b->n_points && b->state == BRIDGE_UP; i++)
		if (b->points[i]->device->joining)
			b->points[i]->listens = poll_listens(b, b->points[i]);
	for (size_t i = 0; i < b->n_points && b->state == BRIDGE_UP; i++) {
		const struct device *d = b->points[i]->device;
		if (d->joining && d != last)
			bridge_poll(b, d);
		last = d;
	}
}

static void go_on(struct bridge *b, size_t n_before)
{
	if (b->n_points == n_before || b->state != BRIDGE_UP)
		return;
	b->driver->change(b);
	poll_change(b);
	greet(b);
}

void bridge_resume(struct bridge *b, struct house *house)
{
	size_t n_before = b->n_points;
	must(b->phase == PHASE_QUIET);
	b->phase = PHASE_NONE;
	mem_free(b->points);
	b->points = bridge_points(house, b->bus, &b->n_points);
	if (!b->reopens) {
		go_on(b, n_before);
		return;
	}
	poll_free(b);
	mem_free(b->self);
	b->self = mem_new(b->driver->size);
	b->answered = false; /* a bus that does not come back is news */
	bridge_open(b);
}
