#include "core/provisioner/quota.h"

#include "core/base/mem.h"

static uint32_t mix(uint32_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return (h ^ 0xFF) * 16777619u; /* 0xFF is in no UTF-8: "ab","c" is not "a","bc" */
}

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
	uint32_t h = mix(mix(2166136261u ^ q->salt, who), what);
	return &q->slots[(h ^ h >> 16) % QUOTA_SLOTS];
}

static uint32_t period_of(const struct quota *q)
{
	return (uint32_t)(loop_now(q->loop) / q->period_ms) + 1;
}

bool quota_left(const struct quota *q, const char *who, const char *what)
{
	const struct quota_slot *s = slot_of(q, who, what);
	return s->period != period_of(q) || s->n < q->most;
}

bool quota_take(struct quota *q, const char *who, const char *what)
{
	struct quota_slot *s = slot_of(q, who, what);
	if (!quota_left(q, who, what))
		return false;
	if (s->period != period_of(q))
		*s = (struct quota_slot){ .period = period_of(q) };
	s->n++;
	return true;
}
