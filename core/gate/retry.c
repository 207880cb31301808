#include "core/gate/retry.h"

static const int64_t AGAIN_MS = 10000;

static void again(void *ctx)
{
	struct retry *r = ctx;
	list_drop(&r->link);
	r->again(r);
}

void retry_later(struct retry *r, const struct thing *t, const char *what, const struct err *why)
{
	if (!r->said)
		log_error(r->gate->log, "thing '%s': %s could not be stored, it is tried again: %s", t->local, what,
			  why->text);
	r->said = true;
	timer_set(r->gate->loop, &r->timer, AGAIN_MS, again, r);
	list_add(&r->gate->retries, &r->link);
}

void retry_end_all(struct gate *g)
{
	struct list *at;
	while ((at = list_pop(&g->retries))) {
		struct retry *r = list_of(at, struct retry, link);
		timer_stop(g->loop, &r->timer);
		r->give_up(r);
	}
}
