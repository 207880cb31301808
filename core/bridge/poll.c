#include "core/bridge/inside.h"

#include "core/base/limits.h"
#include "core/base/mem.h"

/*
 * Who is due when. Points of one interval form a group and are handed to the driver together, so that it may merge
 * them; a large group in portions, so that neither a turn of the loop becomes long nor the queue of the bus full of
 * polls. A point whose last read is still under way is left out of the round: a slow bus gets slower rounds, never a
 * queue.
 */

enum { PORTION = LIMIT_QUEUE_BUS / 2 };

static const int64_t READ_DEADLINE_MS = 30000, FULL_MS = 50;
static const int64_t PATIENT_MS = 60000; /* who is read each minute or less often does not mind to wait for others */

struct group {
	struct bridge *bridge;
	int64_t interval_ms, began_ms;
	struct timer timer;
	struct request **requests; /* one per point, reused in every round */
	struct request **due;
	size_t n, next; /* next: where this round goes on */
};

struct poll {
	struct group *groups;
	size_t n;
};

static void poll_done(struct request *r, int status, const struct sample *shown, const struct err *why)
{
	(void)r, (void)status, (void)shown, (void)why; /* the sample has gone its way up already */
}

/* When the next portion is due, or the next round. */
static int64_t pause_ms(const struct group *g, size_t room)
{
	int64_t now = loop_now(g->bridge->loop), next = g->began_ms + g->interval_ms;
	if (g->next)
		return room ? 0 : FULL_MS;
	return next > now ? next - now : 0;
}

static size_t room_of(const struct bridge *b)
{
	return b->n_waiting < PORTION ? PORTION - b->n_waiting : 0;
}

static struct request *due(const struct group *g, struct request *r)
{
	int64_t now = loop_now(g->bridge->loop);
	r->deadline_ms = now + READ_DEADLINE_MS;
	r->due_ms = now + g->interval_ms;
	return r;
}

static void read_group(void *ctx)
{
	struct group *g = ctx;
	struct bridge *b = g->bridge;
	size_t room = room_of(b), n = 0;
	if (g->next == 0)
		g->began_ms = loop_now(b->loop);
	for (; g->next < g->n && n < room; g->next++) {
		struct request *r = g->requests[g->next];
		if (r->bridge || r->point->listens)
			continue;
		g->due[n++] = due(g, r);
	}
	if (g->next == g->n)
		g->next = 0;
	timer_set(b->loop, &g->timer, pause_ms(g, room), read_group, g);
	if (n)
		bridge_ask(b, g->due, n);
}

/* What finds no room has its turn when it is due. */
static void read_device(struct group *g, const struct device *d)
{
	struct bridge *b = g->bridge;
	size_t room = room_of(b), n = 0;
	for (size_t i = 0; i < g->n && n < room; i++)
		if (g->requests[i]->point->device == d && !g->requests[i]->bridge && !g->requests[i]->point->listens)
			g->due[n++] = due(g, g->requests[i]);
	if (n)
		bridge_ask(b, g->due, n);
}

void bridge_poll(struct bridge *b, const struct device *d)
{
	for (size_t i = 0; b->poll && b->state == BRIDGE_UP && i < b->poll->n; i++)
		read_device(&b->poll->groups[i], d);
}

static struct group *group_of(struct poll *poll, struct bridge *b, int64_t interval_ms)
{
	for (size_t i = 0; i < poll->n; i++)
		if (poll->groups[i].interval_ms == interval_ms)
			return &poll->groups[i];
	poll->groups = mem_resize(poll->groups, (poll->n + 1) * sizeof(struct group));
	poll->groups[poll->n] = (struct group){ .bridge = b, .interval_ms = interval_ms };
	return &poll->groups[poll->n++];
}

static void count(struct poll *poll, struct bridge *b)
{
	for (size_t i = 0; i < b->n_points; i++)
		if (b->points[i]->poll_ms)
			group_of(poll, b, b->points[i]->poll_ms)->n++;
	for (size_t i = 0; i < poll->n; i++) {
		struct group *g = &poll->groups[i];
		g->requests = mem_array(g->n, sizeof(struct request *));
		g->due = mem_array(g->n, sizeof(struct request *));
		g->n = 0;
	}
}

/* Groups stay until the points change; only who listens is asked again after every up. */
static struct poll *poll_new(struct bridge *b)
{
	struct poll *poll = mem_new(sizeof(*poll));
	count(poll, b);
	for (size_t i = 0; i < b->n_points; i++) {
		struct point *p = b->points[i];
		if (!p->poll_ms)
			continue;
		struct group *g = group_of(poll, b, p->poll_ms);
		struct request *r = g->requests[g->n++] = mem_new(sizeof(*r));
		r->point = p;
		r->rank = p->poll_ms >= PATIENT_MS ? REQUEST_BACKGROUND : REQUEST_POLLED;
		r->done = poll_done;
	}
	return poll;
}

bool poll_listens(struct bridge *b, struct point *p)
{
	return b->driver->listen && b->driver->listen(b, p, true) == 1;
}

void poll_begin(struct bridge *b)
{
	for (size_t i = 0; i < b->n_points && b->state == BRIDGE_UP; i++)
		b->points[i]->listens = poll_listens(b, b->points[i]);
	if (!b->driver->read || b->state != BRIDGE_UP)
		return;
	if (!b->poll)
		b->poll = poll_new(b);
	for (size_t i = 0; i < b->poll->n; i++) {
		b->poll->groups[i].next = 0;
		timer_set(b->loop, &b->poll->groups[i].timer, 0, read_group, &b->poll->groups[i]);
	}
}

void poll_end(struct bridge *b)
{
	for (size_t i = 0; b->poll && i < b->poll->n; i++)
		timer_stop(b->loop, &b->poll->groups[i].timer);
}

static void last_done(struct request *r, int status, const struct sample *shown, const struct err *why)
{
	(void)status, (void)shown, (void)why;
	mem_free(r);
}

/* What is in flight ends by itself. */
static void forget(struct bridge *b, struct group *g)
{
	timer_stop(b->loop, &g->timer);
	for (size_t i = 0; i < g->n; i++) {
		if (g->requests[i]->bridge)
			g->requests[i]->done = last_done;
		else
			mem_free(g->requests[i]);
	}
	mem_free(g->requests);
	mem_free(g->due);
}

static void drop(struct bridge *b, struct poll *poll)
{
	for (size_t i = 0; poll && i < poll->n; i++)
		forget(b, &poll->groups[i]);
	if (poll)
		mem_free(poll->groups);
	mem_free(poll);
}

void poll_free(struct bridge *b)
{
	drop(b, b->poll);
	b->poll = NULL;
}

void poll_change(struct bridge *b)
{
	struct poll *old = b->poll;
	if (!old)
		return;
	b->poll = poll_new(b);
	for (size_t i = 0; i < b->poll->n; i++) {
		struct group *g = &b->poll->groups[i];
		for (size_t k = 0; k < old->n; k++)
			if (old->groups[k].interval_ms == g->interval_ms)
				g->began_ms = old->groups[k].began_ms;
		timer_set(b->loop, &g->timer, g->began_ms ? pause_ms(g, 0) : 0, read_group, g);
	}
	drop(b, old);
}
