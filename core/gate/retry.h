/*
 * What the disk refused is tried again until it holds. Member of what waits; owned by whoever made it. Loop thread.
 */
#pragma once

#include "core/gate/gate.h"

struct retry {
	struct gate *gate;
	void (*again)(struct retry *r);
	void (*give_up)(struct retry *r); /* at exit */
	struct timer timer;
	struct list link; /* in gate.retries while the timer is set */
	bool said;
};

/* what: "a new friend", for the log, once. */
void retry_later(struct retry *r, const struct thing *t, const char *what, const struct err *why);
void retry_end_all(struct gate *g);
