#include "core/loop/backoff.h"

enum { LEAST_MS = 50 };

static int64_t ceiling(const struct backoff *b)
{
	int64_t ms = b->first_ms;
	for (unsigned i = 0; i < b->n && ms < b->most_ms; i++)
		ms = ms <= b->most_ms / 2 ? ms * 2 : b->most_ms;
	return ms < b->most_ms ? ms : b->most_ms;
}

int64_t backoff_next(struct backoff *b, struct loop *loop)
{
	int64_t most = ceiling(b);
	b->n++;
	uint32_t below = most < UINT32_MAX ? (uint32_t)most : UINT32_MAX;
	int64_t ms = (int64_t)loop_random(loop, below) + 1;
	return ms < LEAST_MS ? LEAST_MS : ms;
}

void backoff_reset(struct backoff *b)
{
	b->n = 0;
}
