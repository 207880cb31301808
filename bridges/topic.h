/*
 * Who is told what: from a topic to the points and devices that read it. Exact topics are found by one hash look-up; a
 * filter with wildcards stands here only to be subscribed.
 *
 * Made from the points of a bus and brought up to date when those change; owned by its driver. Readers and watchers borrow
 * from the points and devices. Loop thread.
 */
#pragma once

#include "bridges/mqtt_rows.h"
#include "bridges/note.h"
#include "bridges/payload.h"
#include "core/base/map.h"

struct topic_reader { /* a point that takes its value from the topic */
	struct topic_reader *next;
	struct topic *topic;
	struct point *point;
	struct payload_rule rule;
	struct note note;
};

struct topic_watcher { /* a device that says there whether it is available */
	struct topic_watcher *next;
	struct device *device;
	const struct mqtt_watch *rule;
	bool away;
	struct note note;
};

struct topic {
	char *name;
	struct topic_reader *readers;
	struct topic_watcher *watchers;
	int qos;
	bool answers;     /* devices answer writes there */
	bool ours;        /* we also publish to it, so a message may be our own words */
	bool kept;        /* a filter: stays without readers */
	bool watched;     /* one of the listeners is for the watchers, or because it is kept */
	size_t listeners; /* in this session of the broker */
	bool asked;       /* subscribed in this session */
	struct note note; /* whether the broker refuses the subscription */
};

struct topic_table {
	struct map map; /* name -> struct topic, owned */
};

void topic_take(struct topic_table *t, struct point *const *points, size_t n); /* these, and no others any more */
void topic_keep(struct topic_table *t, const char *filter, int qos);
void topic_sweep(struct topic_table *t, void (*gone)(void *ctx, struct topic *topic),
		 void *ctx); /* what nobody needs */
struct topic *topic_find(const struct topic_table *t, const char *name);
bool topic_is_away(const struct topic_table *t,
		   const struct device *d); /* does it, or its bridge, say that it is away */
void topic_free(struct topic_table *t);
