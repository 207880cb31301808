/*
 * Home Assistant's discovery as a source of devices: what the broker keeps under its prefix becomes blocks of configuration
 * for the core, some at a time and when the flood has calmed down.
 *
 * The core remembers devices over restarts, the broker may forget what it was told. So a point that runs stays until
 * discovery speaks of the very message that told of it (its `discovered`), and then says something else.
 *
 * Member of its driver's struct. Loop thread.
 */
#pragma once

#include "bridges/hafound.h"
#include "bridges/topic.h"
#include "core/bridge/bridge.h"

struct discover {
	struct bridge *bridge;
	struct hafound found;
	struct timer soon;
	int64_t since_ms; /* of the first message that was not looked through yet; 0: there is none */
	bool off, up;
};

void discover_begin(struct discover *d, struct bridge *b, struct topic_table *topics); /* adds the filters */
void discover_message(struct discover *d, const char *topic, const void *bytes, size_t size);
void discover_up(struct discover *d); /* before bridge_up: what it finds is told later */
void discover_down(struct discover *d);
void discover_end(struct discover *d); /* also when it never began */
