/*
 * A token bucket for what would come in thousands at once: so many a second, in order; urgent ones need not wait for all the
 * others, but for each second one (siot S43).
 * Jobs are owned by the caller and belong to the pace until fn is called. Loop thread.
 */
#pragma once

#include "core/base/list.h"
#include "core/loop/loop.h"

struct pace_job {
	struct list link;
	void (*fn)(struct pace_job *job); /* may free the job */
};

struct pace {
	struct loop *loop;
	struct list waiting, urgent;
	struct timer timer;
	int64_t refilled_ms;
	int64_t tokens; /* thousandths */
	bool paused;    /* the link is down */
	bool was_urgent;
};

void pace_begin(struct pace *p, struct loop *loop);
void pace_add(struct pace *p, struct pace_job *job, bool urgent);
void pace_pause(struct pace *p, bool pause);
