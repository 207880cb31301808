#include "core/provisioner/quota.h"

#include "core/base/mem.h"
#include "core/base/text.h"

void quota_init(struct quota *q, struct loop *loop, int64_t period_ms, uint32_t most)
{
	*q = (struct quota){ .loop = loop, .period_ms = period_ms, .most = most };
	q->salt = loop_random(loop, UINT32_MAX);
	q->slots = mem_array(QUOTA_SLOTS, sizeof(*q->slots));
}

void quota_free(struct quota *q)
{
	mem_free(q->slots);
	*q = (struct quota){ 0 };
}

static struct quota_slot *slot_of(const struct quota *q, const char *who, const char *what)
{
	uint32_t h = text_hash(what, strlen(what), text_hash(who, strlen(who), q->salt));
	return &q->slots[(h ^ h >> 16) % QUOTA_SLOTS];
}

/* A period begins with what is counted first, not when the clock says so: else twice as much fits around its border. */
static bool is_over(const struct quota *q, const struct quota_slot *s)
{
	return s->n && loop_now(q->loop) - s->since >= q->period_ms;
}

bool quota_left(const struct quota *q, const char *who, const char *what)
{
	const struct quota_slot *s = slot_of(q, who, what);
	return s->n < q->most || is_over(q, s);
}

bool quota_take(struct quota *q, const char *who, const char *what)
{
	struct quota_slot *s = slot_of(q, who, what);
	if (!quota_left(q, who, what))
		return false;
	if (!s->n || is_over(q, s))
		*s = (struct quota_slot){ .since = loop_now(q->loop) };
	s->n++;
	return true;
}
