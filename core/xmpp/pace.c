#include "core/xmpp/pace.h"

static const int64_t PER_SECOND = 20, BURST = 20, TOKEN = 1000;

static void refill(struct pace *p)
{
	int64_t now = loop_now(p->loop);
	p->tokens += (now - p->refilled_ms) * PER_SECOND;
	if (p->tokens > BURST * TOKEN)
		p->tokens = BURST * TOKEN;
	p->refilled_ms = now;
}

static bool is_idle(const struct pace *p)
{
	return list_empty(&p->waiting) && list_empty(&p->urgent);
}

/* In turns, while there are both: neither may starve the other. */
static struct pace_job *next(struct pace *p)
{
	bool urgent = list_empty(&p->waiting) || (!list_empty(&p->urgent) && !p->was_urgent);
	p->was_urgent = urgent;
	return list_of(list_pop(urgent ? &p->urgent : &p->waiting), struct pace_job, link);
}

static void run(void *ctx)
{
	struct pace *p = ctx;
	refill(p);
	while (!p->paused && p->tokens >= TOKEN && !is_idle(p)) {
		struct pace_job *job = next(p);
		p->tokens -= TOKEN;
		job->fn(job);
	}
	if (!p->paused && !is_idle(p))
		timer_set(p->loop, &p->timer, (TOKEN - p->tokens) / PER_SECOND + 1, run, p);
}

void pace_begin(struct pace *p, struct loop *loop)
{
	*p = (struct pace){ .loop = loop, .paused = true, .tokens = BURST * TOKEN, .refilled_ms = loop_now(loop) };
	list_init(&p->waiting);
	list_init(&p->urgent);
}

void pace_add(struct pace *p, struct pace_job *job, bool urgent)
{
	list_add(urgent ? &p->urgent : &p->waiting, &job->link);
	if (!p->paused && !p->timer.place)
		timer_set(p->loop, &p->timer, 0, run, p);
}

void pace_pause(struct pace *p, bool pause)
{
	p->paused = pause;
	if (pause)
		timer_stop(p->loop, &p->timer);
	else
		timer_set(p->loop, &p->timer, 0, run, p);
}
