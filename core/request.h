/*
 * The river down: request -> gate -> point -> bridge -> reply. A wish that came in at the north is let in, given its meaning,
 * split into one request per point, and answered exactly once: when the last part has ended, or at its deadline.
 *
 * Owned by gateway.c; loop thread.
 */
#pragma once

#include "core/bridge/bridge.h"
#include "core/gate/gate.h"
#include "core/model/wish.h"

struct requests {
	struct loop *loop;
	struct list carriers; /* wishes that wait for a bus */
	size_t n;             /* of them */
	struct wish_counts counts;
};

void request_begin(struct requests *rs, struct loop *loop);
void request_take(void *requests, struct wish *w); /* the `wish` of struct things; answers in the call or later */
void request_end(struct requests *rs); /* answers what still waits as cancelled; before the bridges are freed */
