/*
 * The points of a device. Part of build.h.
 */
#pragma once

#include "core/conf/build.h"

struct template;

struct points {                           /* where the points of a device stand */
	const struct file_node *list;     /* `points` of the device, or NULL */
	const struct template *template;  /* or NULL */
	const struct file_node *override; /* over the template, or NULL */
	const struct repeat_mark *mark;   /* what ${unit} or ${level} is, or NULL */
};

/* protocol: its bus's. The points are the device's, broken ones too. */
void points_build(struct build *b, struct device *d, const struct protocol *protocol, const struct points *from);

/* zeroed -> what a block that says nothing gives, without the address; also for the "default" of show-config */
void points_default(struct point *p, const struct device *d, const struct protocol *protocol);
int64_t points_stale(const struct point *p); /* when neither point, device nor driver says it */
