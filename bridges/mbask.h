/*
 * A block of the queue as a question, and the values in its answer. Pure but for the bytes it is given; any thread.
 */
#pragma once

#include "bridges/mbframe.h"
#include "bridges/mbqueue.h"

/* A value to be written becomes what the registers hold of it: a float has fewer digits. -1: it does not fit, with the sentence. */
int mbask_question(const struct mbqueue_block *b, struct mbframe_question *ret, struct err *e);

/* The raw value of one point, whose registers are all in the block (mbqueue_covers). ret untouched unless NONE. */
enum trouble mbask_value(const struct mbqueue_block *b, const struct mbframe_answer *answer, const struct point *p,
			 struct value *ret);
