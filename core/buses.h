/*
 * The buses that run: one bridge for each bus of the house. Owned by gateway.c; loop thread.
 */
#pragma once

#include "core/bridge/bridge.h"

struct buses {
	struct house *house;
	struct loop *loop;
	struct log *log;
	const struct bridge_events *events;
	void *ctx;

	struct bridge **list;
	size_t n;
};

void buses_make(struct buses *b);                         /* the members up to ctx are set: all of the house */
struct bridge *buses_add(struct buses *b, struct bus *bus); /* not started */
void buses_drop(struct buses *b, struct bridge *bridge);  /* closed; frees it */
void buses_start(struct buses *b);
void buses_stop(struct buses *b);
void buses_free(struct buses *b);
size_t buses_count(const struct buses *b, bool (*counts)(const struct bridge *bridge));
bool buses_up(const struct bridge *bridge);       /* for buses_count */
bool buses_answered(const struct bridge *bridge); /* the same */
bool buses_alive(const struct buses *b);          /* else it is in the log whose driver holds a request for ever */
