#include "core/bridge/inside.h"

#include "core/base/limits.h"

/*
 * The life of a request: bridge_ask -> driver -> bridge_done -> done. A write that must be confirmed goes on after the
 * bus accepted it: by reading it back, or by waiting until the bus tells the new state. The deadline ends what only the
 * core waits for; what the driver has is cancelled as a hint, and its bridge_done is awaited.
 */

static const struct {
	const char *words;
	enum trouble trouble;
} statuses[] = {
	[-REQUEST_DONE] = { "done", TROUBLE_NONE },
	[-REQUEST_AWAY] = { "cannot be reached", TROUBLE_AWAY },
	[-REQUEST_TIMEOUT] = { "the device does not answer", TROUBLE_TIMEOUT },
	[-REQUEST_REFUSED] = { "the device refuses", TROUBLE_REFUSED },
	[-REQUEST_GARBLED] = { "the answer of the device is garbled", TROUBLE_GARBLED },
	[-REQUEST_CANCELLED] = { "cancelled", TROUBLE_NONE },
	[-REQUEST_BUSY] = { "too many requests wait for the bus", TROUBLE_NONE },
	[-REQUEST_DIFFERS] = { "accepted, but the device was not seen to hold the value", TROUBLE_NONE },
};

const char *bridge_status_word(int status)
{
	return statuses[-status].words;
}

static const int64_t STUCK_MS = 30000;

bool bridge_is_stuck(const struct bridge *b)
{
	int64_t now = loop_now(b->loop);
	list_each (at, &b->waiting)
		if (list_of(at, struct request, wait_link)->deadline_ms + STUCK_MS < now)
			return true;
	return false;
}

static void finish(struct request *r, int status, const struct sample *shown, const struct err *why)
{
	struct bridge *b = r->bridge;
	timer_stop(b->loop, &r->timer);
	list_drop(&r->wait_link);
	b->n_waiting--;
	count_end(b, r, status);
	r->bridge = NULL;
	value_free(&r->raw);
	renew_ended(b);
	r->done(r, status, shown, why);
}

static void refuse(struct request *r, int status, const struct err *why)
{
	value_free(&r->raw);
	r->done(r, status, NULL, why);
}

static void end_held(struct request *r, int status, const struct err *why)
{
	struct bridge *b = r->bridge;
	timer_stop(b->loop, &r->timer);
	list_drop(&r->wait_link);
	b->n_held--;
	r->bridge = NULL;
	refuse(r, status, why);
}

static const struct err *why_away(const struct bridge *b)
{
	return b->state != BRIDGE_UP && *b->why.text ? &b->why : NULL;
}

static void on_deadline(void *ctx)
{
	struct request *r = ctx;
	struct bridge *b = r->bridge;
	if (r->stage == STAGE_STATE)
		finish(r, REQUEST_DIFFERS, NULL, NULL);
	else if (r->stage == STAGE_HELD)
		end_held(r, b->holds ? REQUEST_TIMEOUT : REQUEST_AWAY, why_away(b));
	else if (b->driver->cancel && b->state == BRIDGE_UP)
		b->driver->cancel(b, r);
}

/* In: it is the bridge's from here on. */
static void take_in(struct bridge *b, struct request *r, enum stage stage)
{
	int64_t left = r->deadline_ms - loop_now(b->loop);
	r->bridge = b;
	r->stage = stage;
	r->confirmed = r->answered = false;
	r->asked_ms = loop_now(b->loop);
	if (stage == STAGE_DRIVER && !b->n_waiting)
		count_begin(b);
	list_add(stage == STAGE_HELD ? &b->held : &b->waiting, &r->wait_link);
	*(stage == STAGE_HELD ? &b->n_held : &b->n_waiting) += 1;
	timer_set(b->loop, &r->timer, left > 0 ? left : 0, on_deadline, r);
}

/* A bus on which only the last value counts: until its deadline it may still come back. */
static bool may_wait(const struct bridge *b, const struct request *r)
{
	bool comes_back = b->state == BRIDGE_AWAY || b->state == BRIDGE_OPENING;
	return r->write && b->driver->last_wins && comes_back && b->n_held < LIMIT_QUEUE_BUS;
}

static bool is_held_for(const struct request *r, const struct point *p)
{
	return p ? r->point == p && r->write : r->point->device->leaving;
}

/* Those of p, or of all devices that leave. */
static void drop_held(struct bridge *b, const struct point *p, int status, const char *words)
{
	struct err why;
	struct list *at = b->held.next;
	err_set(&why, "%s", words);
	while (at != &b->held) {
		struct request *r = list_of(at, struct request, wait_link);
		bool drops = is_held_for(r, p);
		if (drops)
			end_held(r, status, &why);
		at = drops ? b->held.next : at->next; /* whoever was told may have asked for something else */
	}
}

static const char changing[] = "its configuration is being changed";

void ask_drop_leaving(struct bridge *b)
{
	drop_held(b, NULL, REQUEST_BUSY, changing);
}

/* Takes r in, or ends it at once. */
static bool admit(struct bridge *b, struct request *r)
{
	bool can = r->write ? b->driver->write != NULL : b->driver->read != NULL;
	must(!r->bridge);
	if (r->may && !r->may(r)) {
		refuse(r, REQUEST_CANCELLED, NULL);
		return false;
	}
	if (r->point->device->leaving) {
		struct err why;
		err_set(&why, "%s", changing);
		refuse(r, REQUEST_BUSY, &why);
		return false;
	}
	if (may_wait(b, r)) {
		drop_held(b, r->point, REQUEST_CANCELLED, "a newer value was written before the bus came back");
		take_in(b, r, STAGE_HELD);
		return false;
	}
	if (b->holds && b->n_held < LIMIT_QUEUE_BUS) {
		take_in(b, r, STAGE_HELD);
		return false;
	}
	if (b->state != BRIDGE_UP) {
		refuse(r, REQUEST_AWAY, why_away(b));
		return false;
	}
	if (!can || b->n_waiting >= LIMIT_QUEUE_BUS) {
		refuse(r, can ? REQUEST_BUSY : REQUEST_REFUSED, NULL);
		return false;
	}
	take_in(b, r, STAGE_DRIVER);
	return true;
}

void bridge_ask(struct bridge *b, struct request **r, size_t n)
{
	size_t reads = 0;
	for (size_t i = 0; i < n; i++) {
		struct request *one = r[i];
		if (!admit(b, one))
			continue;
		if (!one->write) {
			r[reads++] = one;
			continue;
		}
		one->point->written_ms = loop_now(b->loop);
		b->driver->write(b, one);
	}
	if (reads)
		b->driver->read(b, r, reads);
}

void bridge_cancel(struct bridge *b, struct request *r)
{
	if (r->bridge != b)
		return;
	if (r->stage == STAGE_STATE)
		finish(r, REQUEST_CANCELLED, NULL, NULL);
	else if (r->stage == STAGE_HELD)
		end_held(r, REQUEST_CANCELLED, NULL);
	else if (b->driver->cancel)
		b->driver->cancel(b, r);
}

static bool holds(const struct request *r)
{
	struct value wanted = { 0 };
	enum trouble why;
	if (r->point->last.quality != QUALITY_GOOD || point_to_shown(r->point, &r->raw, &wanted, &why) < 0)
		return false;
	bool same = value_same(&wanted, &r->point->last.value);
	value_free(&wanted);
	return same;
}

static void confirm_none(struct bridge *b, struct request *r)
{
	(void)b;
	finish(r, REQUEST_DONE, NULL, NULL);
}

/* The device may have been quicker than the answer of the bus. */
static void confirm_state(struct bridge *b, struct request *r)
{
	(void)b;
	if (r->confirmed)
		finish(r, REQUEST_DONE, &r->point->last, NULL);
	else
		r->stage = STAGE_STATE;
}

static void confirm_readback(struct bridge *b, struct request *r)
{
	r->stage = STAGE_READBACK;
	if (b->driver->read && b->state == BRIDGE_UP)
		b->driver->read(b, &(struct request *){ r }, 1);
	else
		finish(r, REQUEST_DIFFERS, NULL, NULL);
}

/* The driver said done when the device had answered. */
static void confirm_response(struct bridge *b, struct request *r)
{
	(void)b;
	r->answered = true;
	finish(r, REQUEST_DONE, NULL, NULL);
}

static void (*const confirm_by[])(struct bridge *b, struct request *r) = {
	[CONFIRM_NONE] = confirm_none,
	[CONFIRM_STATE] = confirm_state,
	[CONFIRM_READBACK] = confirm_readback,
	[CONFIRM_RESPONSE] = confirm_response,
};

static bool is_silence(enum trouble t)
{
	return t == TROUBLE_AWAY || t == TROUBLE_TIMEOUT;
}

static void log_trouble(struct bridge *b, const struct point *p, const struct err *why)
{
	struct device *d = p->device;
	bool silent = is_silence(p->last.trouble);
	if (silent && d->told == p->last.trouble)
		return;
	d->told = silent ? p->last.trouble : TROUBLE_NONE;
	log_warn(b->log, "point '%s.%s': %s", d->id, p->id, why ? why->text : trouble_word(p->last.trouble));
}

static void log_recovery(struct bridge *b, const struct point *p, enum trouble was)
{
	struct device *d = p->device;
	bool said = is_silence(was) && d->told == TROUBLE_NONE;
	d->told = TROUBLE_NONE;
	if (!said)
		log_info(b->log, "point '%s.%s': good again", d->id, p->id);
}

/* One line for each change of state, with the cause as the driver knows it. A device that is silent is so with all of its points:
 * the first one speaks for the others. */
static void log_change(struct bridge *b, const struct point *p, enum quality was, enum trouble why_was,
		       const struct err *why)
{
	if (p->last.quality == QUALITY_BAD && (was != QUALITY_BAD || why_was != p->last.trouble))
		log_trouble(b, p, why);
	else if (p->last.quality == QUALITY_GOOD && was == QUALITY_BAD)
		log_recovery(b, p, why_was);
}

/* Registers have digits that are not shown: what was read back is compared as the device has it. A message is not, which may write
 * the same number in another way. */
static bool is_as_sent(const struct bridge *b, const struct request *r, const struct sample *raw)
{
	return !b->driver->protocol.wire_types || (raw && value_same(&raw->value, &r->raw));
}

static void read_done(struct bridge *b, struct request *r, int status, struct sample *take, const struct err *why)
{
	enum trouble trouble = statuses[-status].trouble;
	struct sample bad = sample_bad(trouble, loop_utc(b->loop));
	struct point *p = r->point;
	enum quality was = p->last.quality;
	enum trouble why_was = p->last.trouble;
	bool as_sent = r->stage != STAGE_DRIVER && is_as_sent(b, r, take);
	if (status == REQUEST_DONE && take)
		bridge_sample(b, p, take);
	else if (trouble != TROUBLE_NONE)
		bridge_sample(b, p, &bad);
	if (b->state == BRIDGE_UP)
		log_change(b, p, was, why_was, why);
	if (r->stage == STAGE_DRIVER) {
		finish(r, status, status == REQUEST_DONE ? &p->last : NULL, why);
		return;
	}
	r->confirmed = status == REQUEST_DONE && as_sent && holds(r);
	finish(r, r->confirmed ? REQUEST_DONE : REQUEST_DIFFERS, NULL, why);
}

void bridge_done(struct bridge *b, struct request *r, int status, struct sample *take, const struct err *why)
{
	must(r->bridge == b && r->stage != STAGE_STATE);
	if (r->write && r->stage == STAGE_DRIVER)
		r->point->written_ms = loop_now(b->loop); /* what was read while it was under way is from before it */
	if (!r->write || r->stage == STAGE_READBACK)
		read_done(b, r, status, take, why);
	else if (status == REQUEST_DONE && b->state == BRIDGE_UP)
		confirm_by[r->point->confirm](b, r);
	else {
		r->confirmed = false;
		finish(r, status, NULL, why);
	}
}

/* What the driver still has is only marked: the bus may accept it after the device has shown it. */
void ask_saw(struct bridge *b, struct point *p)
{
	list_each (at, &b->waiting) {
		struct request *r = list_of(at, struct request, wait_link);
		if (r->point != p || !r->write || p->confirm != CONFIRM_STATE)
			continue;
		r->confirmed = holds(r);
		if (r->stage != STAGE_STATE || !r->confirmed)
			continue;
		finish(r, REQUEST_DONE, &p->last, NULL);
		return;
	}
}

void ask_end_all(struct bridge *b, int status)
{
	while (!list_empty(&b->waiting))
		finish(list_of(b->waiting.next, struct request, wait_link), status, NULL, NULL);
}
