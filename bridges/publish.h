/*
 * Writes on their way to a broker: a window of messages that it has not acknowledged yet, and a queue of ours behind it,
 * because what libmosquitto holds cannot be called back when its deadline passes. A write that is to be answered (confirm =
 * "response", MQTT 5, 4.10) then waits for the message with its correlation data. Each request ends in one bridge_done.
 *
 * Nothing is sent before publish_ready: what a write leads to must be heard.
 *
 * Member of its driver's struct. Loop thread.
 */
#pragma once

#include "bridges/broker.h"
#include "core/bridge/bridge.h"

enum {
	PUBLISH_WINDOW = 20,      /* what brokers promise to take at once, unless told otherwise */
	PUBLISH_CORRELATION = 16, /* digits of correlation data */
};

struct publish_slot {
	bool used;
	struct request *request; /* NULL: it was cancelled or answered, but the broker still has the message */
	int mid;
	bool answered, refused; /* while the call is on the stack */
	struct err why;
};

struct publish {
	struct bridge *bridge;
	struct broker *broker;
	struct publish_slot slots[PUBLISH_WINDOW];
	struct publish_slot *calling;
	struct list waiting;   /* struct request.link */
	struct list unanswered; /* struct publish_answer */
	uint32_t session, count; /* make correlation data that nobody else has */
	bool ready;
};

void publish_begin(struct publish *p);
void publish_ready(struct publish *p); /* we hear what there is to hear */
void publish_add(struct publish *p, struct request *r);
void publish_acknowledge(struct publish *p, int mid, const struct err *why); /* why: the broker refused it */
void publish_respond(struct publish *p, const struct broker_message *message);
void publish_cancel(struct publish *p, struct request *r);
void publish_end(struct publish *p, const struct err *why); /* all are away */
void publish_forget(struct publish *p);                     /* the core ends them */
