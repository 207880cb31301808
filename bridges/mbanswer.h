/*
 * One running Modbus bus, loop side, and what an answer means for those who wait: values, a refusal that is halved until the guilty
 * register is found, silence that is told of all points of a unit at once. Part of modbus.c, whose struct it is; loop thread.
 */
#pragma once

#include "bridges/mbqueue.h"
#include "bridges/mbtalk.h"
#include "core/loop/resolve.h"
#include "core/loop/worker.h"

struct modbus {
	struct mbline *line; /* owned by talk */
	struct mbtalk *talk;
	struct worker *worker;
	struct resolve *resolve;
	struct mbqueue queue;
	struct job job; /* the one that the worker has: opening, asking or shutting */
	bool with_worker, up, closing, several;
	struct err why; /* of the last opening that failed or line that was lost */
	int opened;

	/* of the running block; question, deadline_us and outcome are the worker's while it runs */
	struct bridge *bridge;
	bool runs; /* its answer is not here yet: who wants a register of it may ride along */
	struct mbqueue_block running;
	struct list ending; /* whose end is being told */
	bool silent[256];   /* units whose points have all been said to be offline */
	struct mbframe_question question;
	int64_t deadline_us;
	struct mbtalk_outcome outcome;
};

int64_t mbanswer_unit(const struct point *p); /* of its device */

/* Reads of the running block: on their way (mark is &m->running) or waiting again (m). */
void mbanswer_mark(struct modbus *m, void *mark);
void mbanswer_end_all(struct modbus *m, int status, const struct err *why); /* of the running block, without a value */
void mbanswer_report(struct modbus *m);                                     /* m->outcome to all of the running block */
