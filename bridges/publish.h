/*
 * Writes on their way to a broker: a window of messages that it has not acknowledged yet, and a queue of ours behind it,
 * because what libmosquitto holds cannot be called back when its deadline passes. Each request ends in one bridge_done.
 *
 * Member of its driver's struct. Loop thread.
 */
#pragma once

#include "bridges/broker.h"
#include "core/bridge/bridge.h"

enum { PUBLISH_WINDOW = 20 /* what brokers promise to take at once, unless told otherwise */ };

struct publish_slot {
	bool used;
	struct request *request; /* NULL: it was cancelled, but the broker still has the message */
	int mid;
	bool answered, refused; /* while the call is on the stack */
	struct err why;
};

struct publish {
	struct bridge *bridge;
	struct broker *broker;
	struct publish_slot slots[PUBLISH_WINDOW];
	struct publish_slot *calling;
	struct list waiting; /* struct request.link */
};

void publish_begin(struct publish *p);
void publish_add(struct publish *p, struct request *r);
void publish_answer(struct publish *p, int mid, const struct err *why); /* why: the broker refused it */
void publish_cancel(struct publish *p, struct request *r);
void publish_end(struct publish *p, const struct err *why); /* all are away */
void publish_forget(struct publish *p);                     /* the core ends them */
