/*
 * How often somebody may do something per minute or hour, for any number of strangers in a fixed amount of memory: counters
 * are found by a hash, so two names may share one, which only makes the service stricter for both. Zero it, then quota_init.
 * Loop thread.
 */
#pragma once

#include "core/loop/loop.h"

enum { QUOTA_SLOTS = 16384 };

struct quota {
	struct loop *loop;
	int64_t period_ms;
	uint32_t most;
	uint32_t salt; /* nobody outside can aim at another's counter */
	struct quota_slot {
		int64_t since; /* loop_now of the first that is counted */
		uint32_t n;
	} * slots; /* owned */
};

void quota_init(struct quota *q, struct loop *loop, int64_t period_ms, uint32_t most);
void quota_free(struct quota *q);
bool quota_take(struct quota *q, const char *who, const char *what); /* counts one; false: too many. what may be "" */
bool quota_left(const struct quota *q, const char *who, const char *what); /* counts nothing */
