/*
 * Who is told what: from a topic to the points and devices that read it. Exact topics only, found by one hash look-up.
 *
 * Built once from the points of a bus, whose strings it borrows; owned by its driver. Loop thread.
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
	const struct mqtt_availability *rule;
	bool away;
	struct note note;
};

struct topic {
	char *name; /* borrowed */
	struct topic_reader *readers;
	struct topic_watcher *watchers;
	int qos;
	bool ours;        /* we also publish to it, so a message may be our own words */
	size_t listeners; /* in this session of the broker */
	bool asked;       /* subscribed in this session */
	struct note note; /* whether the broker refuses the subscription */
};

struct topic_table {
	struct map map; /* name -> struct topic, owned */
};

void topic_fill(struct topic_table *t, struct point *const *points, size_t n);
struct topic *topic_find(const struct topic_table *t, const char *name);
struct topic_watcher *topic_watcher_of(const struct topic_table *t, const struct device *d); /* NULL: it says nothing */
void topic_free(struct topic_table *t);
