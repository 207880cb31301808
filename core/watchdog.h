/*
 * What systemd hears of us: READY, STATUS texts, STOPPING, and a watchdog that is fed only while everything makes progress.
 * Owned by gateway.c; loop thread.
 */
#pragma once

#include "core/loop/loop.h"

struct watchdog {
	struct loop *loop;
	struct timer timer;
	int64_t every_ms; /* 0: nobody waits for us */
	bool (*alive)(void *ctx);
	void *ctx;
	char status[160];
};

void watchdog_begin(struct watchdog *w, struct loop *loop, bool (*alive)(void *ctx), void *ctx);
void watchdog_end(struct watchdog *w);
void watchdog_ready(struct watchdog *w);
void watchdog_reloading(struct watchdog *w); /* watchdog_ready follows */
void watchdog_stopping(struct watchdog *w);
void watchdog_status(struct watchdog *w, const char *status); /* said when it has changed */
