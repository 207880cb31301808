/*
 * Questions and answers on one Modbus bus, one at a time: silence between frames, time limits, and no answer believed that
 * may belong to an earlier question.
 *
 * Over TCP the transaction number tells answers apart, and a connection that was not answered well is shut. On a serial line
 * nothing tells them apart but unit and function. So after a question that got no good answer its function is not used
 * with that unit again until an answer to a question with another function has come: a device answers in order, so nothing
 * earlier can follow.
 *
 * A unit that is silent twice in a row is left alone until no late answer is conceivable (ten times the timeout). Then one
 * question probes it, and it is left alone twice as long, up to a minute: the others must not notice. Its requests end in
 * TIMEOUT meanwhile. The first answer makes it one of the others again.
 *
 * Worker thread of the bus; mbtalk_new and mbtalk_free loop thread. Owned by the driver's self.
 */
#pragma once

#include "bridges/mbframe.h"
#include "bridges/mbline.h"

struct mbtalk;

struct mbtalk_outcome {
	int status;                   /* enum request_status */
	bool lost;                    /* the bus is away */
	bool silent;                  /* the unit is left alone for a while */
	struct mbframe_answer answer; /* when status is DONE; may be an exception */
	int64_t turnaround_us;        /* when status is DONE: what it took beyond the time on the wire */
	struct err why;               /* when it is not */
};

struct mbtalk *mbtalk_new_rtu(struct mbline *take_line, const struct mbaddress_rtu *options);
struct mbtalk *mbtalk_new_tcp(struct mbline *take_line, const struct mbaddress_tcp *options);
/* Frames of a serial line through a converter: behind it nothing tells late answers apart either. */
struct mbtalk *mbtalk_new_rtu_tcp(struct mbline *take_line, const struct mbaddress_tcp *options);
void mbtalk_free(struct mbtalk *t); /* also the line; NULL is allowed */

/* TCP: more than one unit is asked over this connection, so it is a gateway's. While nothing is asked. */
void mbtalk_several(struct mbtalk *t, bool several);
/* For a search, where most units are not there: silence costs one timeout and is held against nobody. */
void mbtalk_search(struct mbtalk *t, bool on);
/* A serial line at the baud and mode that its options have now: shut and opened again. -1 with a sentence. */
int mbtalk_reopen(struct mbtalk *t, struct err *e);

/* Sends nothing after deadline_us (of mbline_now): TIMEOUT then, and why says that it was not sent.
 * Reads are repeated as the options say, also where the device is busy; writes never. */
void mbtalk_ask(struct mbtalk *t, const struct mbframe_question *q, int64_t deadline_us, struct mbtalk_outcome *ret);
