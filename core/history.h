/*
 * The history of the points that are to have one: who has a ring in the past (core/model/past.h), by the key "device.point"
 * and by what its values mean. Owned by gateway.c; loop thread.
 */
#pragma once

#include "core/conf/conf.h"
#include "core/model/past.h"

struct history {
	struct past past;
};

void history_begin(struct history *h, const struct conf_history *settings);

/* Gives each point of the house what is its own, and forgets the history of points that are gone: at start, and again when
 * the house has changed. A point with another unit or sort of value than before begins anew. */
void history_attach(struct history *h, const struct house *house);

void history_end(struct history *h); /* no sample comes any more */
