#include "core/bridge/inside.h"

static const int64_t MINUTE_MS = 60000;

static int64_t spent_until(const struct bridge *b, int64_t until)
{
	return b->busy.spent_ms + (b->busy.since_ms ? until - b->busy.since_ms : 0);
}

/* The window moves on: what was busy before it is the last minute's; after a longer silence nothing was, or all of it. */
static void roll(struct bridge *b, int64_t now)
{
	int64_t end = b->busy.minute_ms + MINUTE_MS;
	bool busy = b->busy.since_ms != 0;
	if (!b->busy.minute_ms)
		b->busy.minute_ms = now;
	else if (now >= end) {
		int64_t late = (now - end) / MINUTE_MS, spent = late ? (busy ? MINUTE_MS : 0) : spent_until(b, end);
		b->counts.busy_percent = (int)(spent * 100 / MINUTE_MS);
		b->busy.minute_ms = end + late * MINUTE_MS;
		b->busy.spent_ms = 0;
		if (busy)
			b->busy.since_ms = b->busy.minute_ms;
	}
}

void count_begin(struct bridge *b)
{
	int64_t now = loop_now(b->loop);
	roll(b, now);
	if (!b->busy.since_ms)
		b->busy.since_ms = now;
}

static void count_rest(struct bridge *b, int64_t now)
{
	roll(b, now);
	b->busy.spent_ms = spent_until(b, now);
	b->busy.since_ms = 0;
}

void count_end(struct bridge *b, const struct request *r, int status)
{
	struct bridge_counts *n = &b->counts;
	int64_t now = loop_now(b->loop);
	*(r->write ? &n->writes : &n->reads) += 1;
	*(r->write ? &n->write_errors : &n->read_errors) += status != REQUEST_DONE;
	if (status == REQUEST_DONE)
		n->last_request_ms = now - r->asked_ms;
	if (!b->n_waiting)
		count_rest(b, now);
}

struct bridge_counts bridge_count(struct bridge *b)
{
	roll(b, loop_now(b->loop));
	return b->counts;
}
