/*
 * Devices that make themselves (core/conf/pattern.h): each level that a topic has where a pattern has its + is told to the core once.
 * Two levels that would be one JID are reported, and the second is left out.
 *
 * Member of its driver's struct. Strangers make levels: LIMIT_UNITS for each pattern. Loop thread.
 */
#pragma once

#include "bridges/topic.h"
#include "core/bridge/bridge.h"

/* What the topic has where the filter has its +, not ended by a zero; NULL: it does not fit. */
const char *levels_match(const char *filter, const char *topic, size_t *ret_size);

struct levels {
	struct bridge *bridge;
	struct map seen; /* "PATTERN/LEVEL", as the core knows it -> struct level */
	struct map ids;  /* id of a device -> struct level, of those that were first */
	size_t *counts;  /* of each pattern */
};

void levels_begin(struct levels *l, struct bridge *b, struct topic_table *topics); /* adds the filters */
void levels_change(struct levels *l); /* the points of the bus are others */
void levels_message(struct levels *l, const char *topic);
void levels_end(struct levels *l); /* also when it never began */
