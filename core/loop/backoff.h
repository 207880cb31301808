/*
 * Delay before the next attempt, full jitter: random in (0, min(most, first * 2^n)]. Pure but for the random number.
 */
#pragma once

#include "core/loop/loop.h"

struct backoff {
	int64_t first_ms, most_ms;
	unsigned n; /* failures in a row */
};

int64_t backoff_next(struct backoff *b, struct loop *loop); /* counts one more failure; at least 50 ms */
void backoff_reset(struct backoff *b);
