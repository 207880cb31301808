#include "bridges/freshness.h"

static const uint32_t HALF = 1U << 23;
static const int64_t FORGET_MS = 128000;

bool freshness_is_newer(const struct freshness *last, uint32_t sequence, int64_t now_ms)
{
	uint32_t before = last->sequence;
	if (!last->seen || now_ms > last->at_ms + FORGET_MS)
		return true;
	return (before < sequence && sequence - before < HALF) || (before > sequence && before - sequence > HALF);
}

void freshness_take(struct freshness *last, uint32_t sequence, int64_t now_ms)
{
	*last = (struct freshness){ .seen = true, .sequence = sequence, .at_ms = now_ms };
}
