/*
 * Subscriptions of one session with a broker: gathered during a turn, asked for in few packets, and each answer looked
 * at. A broker that does not answer is dropped, for it would leave us deaf without a word.
 *
 * Member of its driver's struct. Loop thread.
 */
#pragma once

#include "bridges/broker.h"
#include "bridges/topic.h"
#include "core/base/list.h"

struct subscribe {
	struct loop *loop;
	struct broker *broker;
	struct topic_table *topics;
	void (*on_refused)(void *ctx, struct topic *topic, bool refused); /* for each answer */
	void (*on_heard)(void *ctx); /* all that was asked for is answered, again and again */
	void *ctx;
	struct list batches;
	struct timer soon, patience;
};

void subscribe_begin(struct subscribe *s);
void subscribe_add(struct subscribe *s, struct topic *topic);    /* one listener more */
void subscribe_drop(struct subscribe *s, struct topic *topic);   /* one less */
void subscribe_forget(struct subscribe *s, struct topic *topic); /* it has no listeners and will be freed */
void subscribe_answer(struct subscribe *s, int mid, const bool *refused, size_t n);
bool subscribe_is_done(const struct subscribe *s); /* nothing is asked for that is not answered */
void subscribe_end(struct subscribe *s); /* of the session */
