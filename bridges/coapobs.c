#include "bridges/coapobs.h"

#include "bridges/coapvalue.h"

static const int64_t JITTER_LEAST_MS = 5000, JITTER_MS = 10000; /* RFC 7641 section 3.3.1 */
static const int64_t AGE_MOST_S = 24 * 3600; /* a device that was restarted is found again within a day */
static const int64_t AGAIN_FIRST_MS = 5000, AGAIN_MOST_MS = 300000;

static bool wants(const struct point *p)
{
	const struct coaprows_address *a = p->address;
	return a->observe;
}

/* One line in the log for each change of state; the core writes it for what was asked, but this is unasked. */
static void tell(struct coapres *res, struct point *p, struct sample *s, const struct err *why)
{
	struct bridge *b = res->bridge;
	enum quality was = p->last.quality;
	enum trouble why_was = p->last.trouble;
	bridge_sample(b, p, s);
	if (p->last.quality == QUALITY_BAD && (was != QUALITY_BAD || why_was != p->last.trouble))
		log_warn(b->log, "point '%s.%s': %s", p->device->id, p->id,
			 why->text[0] ? why->text : trouble_word(p->last.trouble));
	else if (p->last.quality == QUALITY_GOOD && was == QUALITY_BAD)
		log_info(b->log, "point '%s.%s': good again", p->device->id, p->id);
}

/* a NULL: there is no value, and status and why say so. */
static void tell_all(struct coapres *res, const struct coapmsg_answer *a, int status, const struct err *why)
{
	int64_t utc_ms = loop_utc(res->bridge->loop);
	for (size_t i = 0; i < res->n_points && !res->peer->net->closing; i++) {
		struct err e = { "" };
		if (!wants(res->points[i]))
			continue;
		struct sample s = a ? coapvalue_sample(res->points[i], a, utc_ms, &e)
				    : sample_bad(coapvalue_trouble(status), utc_ms);
		tell(res, res->points[i], &s, a ? &e : why);
	}
}

static void renew(void *ctx)
{
	struct coapres *res = ctx;
	struct coapnet *net = res->peer->net;
	coapnet_enter(net);
	if (!res->get)
		coapres_get(res);
	coapnet_leave(net);
}

static void set_registered(struct coapres *res, bool registered)
{
	if (registered && !res->registered)
		res->peer->n_registered++;
	if (!registered && res->registered)
		res->peer->n_registered--;
	res->registered = registered;
}

/* The next registration gets a new token: an answer to this one must not be taken for an answer to that. */
static void lose(struct coapres *res, int status, const struct err *why)
{
	struct bridge *b = res->bridge;
	set_registered(res, false);
	timer_set(b->loop, &res->renew, backoff_next(&res->backoff, b->loop), renew, res);
	tell_all(res, NULL, status, why);
}

static void keep(struct coapres *res, const struct coapmsg_answer *a)
{
	struct bridge *b = res->bridge;
	int64_t age_s = a->max_age_s < AGE_MOST_S ? a->max_age_s : AGE_MOST_S;
	int64_t in_ms = age_s * 1000 + JITTER_LEAST_MS + loop_random(b->loop, (uint32_t)JITTER_MS + 1);
	if (res->address->refresh_ms)
		in_ms = res->address->refresh_ms;
	timer_set(b->loop, &res->renew, in_ms, renew, res);
	backoff_reset(&res->backoff);
	if (!a->observed && !res->plain)
		log_info(b->log, "device '%s': cannot be observed at %s; asked again in %lld s, and so on",
			 res->points[0]->device->id, res->address->path, (long long)in_ms / 1000);
	res->plain = !a->observed;
}

/* Is this newer than what we have? */
static bool is_new(struct coapres *res, const struct coapmsg_answer *a, bool matched)
{
	int64_t now_ms = loop_now(res->bridge->loop);
	bool direct = matched && res->carrier && res->accepted == res->accepted_before;
	if (!a->observed)
		return res->carrier != NULL; /* it has no number: good as an answer, not as a notification */
	if (!direct && !freshness_is_newer(&res->fresh, a->sequence, now_ms))
		return false;
	freshness_take(&res->fresh, a->sequence, now_ms);
	return true;
}

/* Of an observed body the blocks behind the first: it is whole, or there is none. */
static void end_rest(struct coapres *res, int status, const struct coapmsg_answer *a, const struct err *why)
{
	struct err e;
	res->rest = NULL;
	if (!res->listening)
		return;
	if (status == REQUEST_DONE && (status = coapmsg_judge(a, COAPMSG_OBSERVE, &e)) != REQUEST_DONE)
		why = &e;
	if (status == REQUEST_DONE || status == REQUEST_GARBLED)
		tell_all(res, status == REQUEST_DONE ? a : NULL, status, why);
	else
		lose(res, status, why);
}

static void on_rest_end(struct coappeer_exchange *x, int status, const struct coapmsg_answer *a, const struct err *why)
{
	end_rest(x->ctx, status, a, why);
}

/* The carrier goes on by itself. Blocks of the same body, by its ETag, need not be read again. */
static void read_rest(struct coapres *res, const struct coapmsg_answer *first)
{
	struct coappeer_exchange *x = res->carrier ? res->carrier : res->rest;
	if (!res->carrier && x && first->etag_size && coapblock_is_same(&x->block, first))
		return;
	if (x && x != res->rest && res->rest)
		coappeer_drop(res->rest); /* it has no requests: only one GET of a resource is under way */
	if (!x) {
		x = coappeer_exchange(res->peer, COAPMSG_GET, &res->busy, res);
		x->ask.path = res->address->path;
		x->ask.format = coapres_accept(res);
		x->on_end = on_rest_end;
	}
	res->carrier = NULL;
	res->rest = x;
	coapblock_restart(&x->block);
	coappeer_take(x, first);
}

/* Who waits gets this instead: it is newer than what he asked for. */
static void end_waiting(struct coapres *res, const struct coapmsg_answer *a)
{
	struct coappeer_exchange *carrier = res->carrier, *rest = res->rest;
	res->carrier = res->rest = NULL;
	if (carrier)
		coappeer_end(carrier, REQUEST_DONE, a, NULL);
	if (rest)
		coappeer_end(rest, REQUEST_DONE, a, NULL);
}

static void take_news(struct coapres *res, const struct coapmsg_answer *a)
{
	struct err why;
	int status = coapmsg_judge(a, COAPMSG_OBSERVE, &why);
	set_registered(res, a->observed);
	keep(res, a);
	if (status == REQUEST_DONE && a->block2.there && (a->block2.more || a->block2.number)) {
		read_rest(res, a);
		return;
	}
	tell_all(res, status == REQUEST_DONE ? a : NULL, status, &why);
	end_waiting(res, a);
}

/* Everything with the token of the observation: answers to its GETs, notifications, and the news that it is over. */
static bool on_answer(void *ctx, const struct coapmsg_answer *a, bool matched)
{
	struct coapres *res = ctx;
	res->peer->heard++;
	if (a->code == 205 && !is_new(res, a, matched))
		return a->observed;
	res->accepted++;
	if (a->code == 205) {
		take_news(res, a);
		return true;
	}
	struct err why;
	lose(res, coapmsg_judge(a, COAPMSG_OBSERVE, &why), &why);
	end_waiting(res, a);
	return true;
}

static void on_nack(void *ctx, enum coapnet_nack nack)
{
	struct coapres *res = ctx;
	if (res->carrier)
		coappeer_nack(res->carrier, nack);
}

void coapobs_init(struct coapres *res)
{
	res->backoff = (struct backoff){ .first_ms = AGAIN_FIRST_MS, .most_ms = AGAIN_MOST_MS };
	res->ticket.on_answer = on_answer;
	res->ticket.on_nack = on_nack;
	res->ticket.ctx = res;
}

void coapobs_on_fly(struct coappeer_exchange *x)
{
	struct coapres *res = x->ctx;
	x->ask.kind = res->listening ? COAPMSG_OBSERVE : COAPMSG_GET;
	x->ticket = NULL;
	if (!res->listening)
		return;
	if (!res->registered) {
		coapnet_issue(res->peer->net, &res->ticket);
		res->fresh.seen = false;
	}
	x->ticket = &res->ticket;
	res->carrier = x;
	res->accepted_before = res->accepted;
}

void coapobs_on_end(struct coapres *res, struct coappeer_exchange *x, int status, const struct coapmsg_answer *a,
		    const struct err *why)
{
	if (res->rest == x) {
		end_rest(res, status, a, why);
		return;
	}
	if (res->carrier == x)
		res->carrier = NULL;
	if (status != REQUEST_DONE && res->listening)
		lose(res, status, why);
}

static void deregister(struct coapres *res)
{
	const struct coapmsg_request ask = {
		.kind = COAPMSG_UNOBSERVE,
		.token = res->ticket.token,
		.uri = res->peer->uri,
		.path = res->address->path,
		.format = COAPMSG_NO_FORMAT,
	};
	if (res->rest && res->rest->on_end == on_rest_end)
		coappeer_drop(res->rest);
	res->rest = NULL;
	if (res->registered)
		coappeer_unobserve(res->peer, &ask);
	set_registered(res, false);
	coapnet_void(res->peer->net, &res->ticket);
	timer_stop(res->bridge->loop, &res->renew);
}

void coapobs_lost(struct coapres *res)
{
	if (!res->registered)
		return;
	set_registered(res, false);
	timer_set(res->bridge->loop, &res->renew, backoff_next(&res->backoff, res->bridge->loop), renew, res);
}

void coapobs_listen(struct coapres *res, bool on)
{
	bool was = res->listening;
	res->listening = on;
	if (on && !was)
		coapres_get(res);
	if (!on && was)
		deregister(res);
}
