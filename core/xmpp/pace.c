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

static void run(void *ctx)
{
	struct pace *p = ctx;
	refill(p);
	while (!p->paused && p->tokens >= TOKEN && !list_empty(&p->waiting)) {
		struct pace_job *job = list_of(list_pop(&p->waiting), struct pace_job, link);
		p->tokens -= TOKEN;
		job->fn(job);
	}
	if (!p->paused && !list_empty(&p->waiting))
		timer_set(p->loop, &p->timer, (TOKEN - p->tokens) / PER_SECOND + 1, run, p);
}

void pace_begin(struct pace *p, struct loop *loop)
{
	*p = (struct pace){ .loop = loop, .paused = true, .tokens = BURST * TOKEN, .refilled_ms = loop_now(loop) };
	list_init(&p->waiting);
}

void pace_add(struct pace *p, struct pace_job *job, bool urgent)
{
	if (urgent)
		list_add_first(&p->waiting, &job->link);
	else
		list_add(&p->waiting, &job->link);
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

struct pace_job *pace_pop(struct pace *p)
{
	struct list *first = list_pop(&p->waiting);
	if (!first)
		timer_stop(p->loop, &p->timer);
	return first ? list_of(first, struct pace_job, link) : NULL;
}
