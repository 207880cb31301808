#include "core/watchdog.h"

#include "core/loop/notify.h"

#include <stdio.h>
#include <string.h>

static void feed(void *ctx)
{
	struct watchdog *w = ctx;
	if (w->alive(w->ctx))
		notify_send("WATCHDOG=1");
	timer_set(w->loop, &w->timer, w->every_ms, feed, w);
}

void watchdog_begin(struct watchdog *w, struct loop *loop, bool (*alive)(void *ctx), void *ctx)
{
	*w = (struct watchdog){ .loop = loop, .every_ms = notify_watchdog_ms(), .alive = alive, .ctx = ctx };
	if (w->every_ms)
		timer_set(loop, &w->timer, w->every_ms, feed, w);
}

void watchdog_end(struct watchdog *w)
{
	if (w->loop)
		timer_stop(w->loop, &w->timer);
}

void watchdog_ready(struct watchdog *w)
{
	(void)w;
	notify_send("READY=1");
}

void watchdog_reloading(struct watchdog *w)
{
	char state[64];
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)loop_now(w->loop) * 1000);
	notify_send(state);
}

void watchdog_stopping(struct watchdog *w)
{
	timer_stop(w->loop, &w->timer);
	notify_send("STOPPING=1");
}

void watchdog_status(struct watchdog *w, const char *status)
{
	char line[sizeof(w->status) + sizeof("STATUS=")];
	if (strcmp(w->status, status) == 0)
		return;
	snprintf(w->status, sizeof(w->status), "%s", status);
	snprintf(line, sizeof(line), "STATUS=%s", status);
	notify_send(line);
}
