#include "core/bridge/inside.h"

#include "core/base/limits.h"
#include "core/base/mem.h"

#include <string.h>

/*
 * The life of a bridge: closed -> opening -> up <-> away -> closing -> closed, and samples on their way up.
 *
 * Happy path: bridge_start opens the driver, bridge_up begins polling and listening, samples flow into point_take.
 * Failure: open fails or bridge_down comes: all points become bad (away), open is tried again after a jittered delay
 * that is reset only by 30 s of being up, so that a device that flaps is not hammered.
 */

static const int64_t OPEN_FIRST_MS = 500, OPEN_MOST_MS = 60000, STEADY_MS = 30000, AGE_LEAST_MS = 1000;

static const char *const states[] = {
	[BRIDGE_CLOSED] = "closed", [BRIDGE_OPENING] = "opening", [BRIDGE_UP] = "up",
	[BRIDGE_AWAY] = "away",     [BRIDGE_CLOSING] = "closing",
};

const char *bridge_state_word(enum bridge_state s)
{
	return states[s];
}

static size_t count(const struct house *house, const struct bus *bus)
{
	size_t n = 0;
	for (size_t i = 0; i < house->n_devices; i++)
		if (house->devices[i]->bus == bus && !house->devices[i]->broken)
			n += house->devices[i]->n_points;
	return n;
}

struct point **bridge_points(const struct house *house, const struct bus *bus, size_t *ret_n)
{
	struct point **points = mem_array(count(house, bus), sizeof(struct point *));
	size_t n = 0;
	for (size_t i = 0; i < house->n_devices; i++) {
		const struct device *d = house->devices[i];
		bool ours = d->bus == bus && !d->broken;
		for (size_t k = 0; ours && k < d->n_points; k++)
			if (!d->points[k]->disabled)
				points[n++] = d->points[k];
	}
	*ret_n = n;
	return points;
}

struct bridge *bridge_new(const struct bridge_driver *driver, struct bus *bus, struct house *house, struct loop *loop,
			  struct log *log, const struct bridge_events *events, void *ctx)
{
	struct bridge *b = mem_new(sizeof(*b));
	*b = (struct bridge){ .driver = driver, .bus = bus, .loop = loop, .log = log, .events = events, .ctx = ctx };
	b->counts = (struct bridge_counts){ .last_request_ms = -1, .busy_percent = -1 };
	b->since_ms = loop_now(loop);
	b->self = mem_new(driver->size);
	b->points = bridge_points(house, bus, &b->n_points);
	b->backoff = (struct backoff){ .first_ms = OPEN_FIRST_MS, .most_ms = OPEN_MOST_MS };
	list_init(&b->waiting);
	list_init(&b->held);
	return b;
}

void bridge_free(struct bridge *b)
{
	if (!b)
		return;
	must(b->state == BRIDGE_CLOSED && b->n_waiting == 0 && b->n_held == 0);
	poll_free(b);
	mem_free(b->points);
	mem_free(b->self);
	mem_free(b);
}

static void mark_away(struct bridge *b)
{
	for (size_t i = 0; i < b->n_points; i++) {
		struct sample away = sample_bad(TROUBLE_AWAY, loop_utc(b->loop));
		bridge_sample(b, b->points[i], &away);
	}
}

static void open_now(void *ctx);
static void age_points(void *ctx);

static void go_away(struct bridge *b, const struct err *why)
{
	bool news = b->state == BRIDGE_UP || !b->answered;
	if (b->state == BRIDGE_UP && loop_now(b->loop) - b->up_ms >= STEADY_MS)
		backoff_reset(&b->backoff);
	b->state = BRIDGE_AWAY;
	b->answered = true;
	if (news) {
		b->counts.aways++;
		b->since_ms = loop_now(b->loop);
	}
	if (why)
		b->why = *why;
	poll_end(b);
	timer_stop(b->loop, &b->age_timer);
	int64_t again = backoff_next(&b->backoff, b->loop);
	timer_set(b->loop, &b->timer, again, open_now, b);
	if (news)
		log_warn(b->log, "bus '%s': away: %s; again in %lld.%01lld s", b->bus->id, b->why.text,
			 (long long)again / 1000, (long long)again / 100 % 10);
	else
		log_debug(b->log, "bus '%s': still away: %s", b->bus->id, b->why.text);
	mark_away(b);
	renew_release(b);
	b->events->on_state(b->ctx, b);
}

static void open_now(void *ctx)
{
	struct bridge *b = ctx;
	struct err why;
	b->state = BRIDGE_OPENING;
	if (b->driver->open(b, &why) < 0)
		go_away(b, &why);
}

void bridge_open(struct bridge *b)
{
	open_now(b);
}

void bridge_start(struct bridge *b)
{
	must(b->state == BRIDGE_CLOSED);
	open_now(b);
}

void bridge_up(struct bridge *b)
{
	if (b->state != BRIDGE_OPENING)
		return;
	b->state = BRIDGE_UP;
	b->answered = true;
	b->counts.ups++;
	b->since_ms = b->up_ms = loop_now(b->loop);
	log_info(b->log, "bus '%s': up", b->bus->id);
	poll_begin(b);
	if (b->state != BRIDGE_UP)
		return;
	timer_set(b->loop, &b->age_timer, AGE_LEAST_MS, age_points, b); /* what was seen before a change ages on */
	renew_release(b);
	if (b->state == BRIDGE_UP)
		b->events->on_state(b->ctx, b);
}

void bridge_down(struct bridge *b, const struct err *why)
{
	if (b->state == BRIDGE_OPENING || b->state == BRIDGE_UP)
		go_away(b, why);
}

void bridge_close(struct bridge *b)
{
	b->state = BRIDGE_CLOSING;
	timer_stop(b->loop, &b->timer);
	timer_stop(b->loop, &b->age_timer);
	poll_end(b);
	b->driver->close(b);
	ask_end_all(b, REQUEST_CANCELLED);
}

void bridge_stop(struct bridge *b)
{
	if (renew_abandon(b) || b->state == BRIDGE_CLOSED)
		return;
	bridge_close(b);
	renew_release(b);
}

static void say_closed(void *ctx)
{
	struct bridge *b = ctx;
	b->state = BRIDGE_CLOSED;
	if (renew_closed(b))
		return;
	b->events->on_state(b->ctx, b);
}

/* In a turn of its own: the driver may say it inside close, before bridge_stop has ended the requests. */
void bridge_closed(struct bridge *b)
{
	must(b->state == BRIDGE_CLOSING);
	timer_set(b->loop, &b->timer, 0, say_closed, b);
}

/* One timer for all points: at the earliest moment at which one of them may be old, and not more often than each
 * second. */
static void age_points(void *ctx)
{
	struct bridge *b = ctx;
	int64_t now = loop_now(b->loop), next = 0;
	for (size_t i = 0; i < b->n_points; i++) {
		enum news news = point_age(b->points[i], now);
		if (news != NEWS_NONE)
			b->events->on_sample(b->ctx, b->points[i], news);
		int64_t due = point_age_due(b->points[i]);
		if (due && (!next || due < next))
			next = due;
	}
	if (next)
		timer_set(b->loop, &b->age_timer, next - now > AGE_LEAST_MS ? next - now : AGE_LEAST_MS, age_points, b);
}

static void log_anew(const struct bridge *b, const struct point *p)
{
	char room[DECIMAL_ROOM];
	log_info(b->log, "point '%s.%s': the counter begins anew at %s", p->device->id, p->id,
		 value_print(&p->last.value, room));
}

void bridge_sample(struct bridge *b, struct point *p, struct sample *take)
{
	bool good = take->quality == QUALITY_GOOD;
	enum news news = point_take(p, take, loop_now(b->loop));
	if (good && p->anew)
		log_anew(b, p);
	int64_t due = point_age_due(p);
	b->counts.samples += good;
	b->counts.news += news != NEWS_NONE;
	if (due && !b->age_timer.place && b->state == BRIDGE_UP)
		timer_set(b->loop, &b->age_timer, due - loop_now(b->loop), age_points, b);
	if (news != NEWS_NONE)
		b->events->on_sample(b->ctx, p, news);
	if (good && p->last.quality == QUALITY_GOOD)
		ask_saw(b, p);
}

void bridge_found(struct bridge *b, const char *key, const char *block)
{
	bool fits = *key && strlen(key) <= LIMIT_FOUND_KEY && (!block || strlen(block) <= LIMIT_FOUND_BLOCK);
	if (!fits)
		log_outside(b->log, LOG_LEVEL_WARN,
			    "bus '%s': a device that was found is left out: its description is too large", b->bus->id);
	else if (b->state == BRIDGE_UP && b->events->on_found)
		b->events->on_found(b->ctx, b, key, block);
}
