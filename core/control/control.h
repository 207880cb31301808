/*
 * The control socket: what the command line asks the running gateway. One request is one line, a JSON object {"word": ..., "args": [...]};
 * the answer is any number of lines, each an object, and then {"end": "done"} or {"end": "failed", "why": ...}; then the next
 * request may come. The words are the rows of a table in words.c.
 *
 * Who may connect is local.h's. A client that is slow, silent or gone costs its own buffer, of at most LIMIT_CONTROL_OUT bytes and one
 * line: words go on only while there is room in it. What it may look at is in the public members; floors above, and rooms
 * beside, are asked through the functions there. Owned by gateway.c; loop thread.
 */
#pragma once

#include "core/bridge/bridge.h"
#include "core/conf/conf.h"
#include "core/gate/gate.h"
#include "core/model/wish.h"

struct control_link {
	bool there, up;
	int64_t since_ms; /* monotonic; 0: since the start */
	const char *why;  /* why it is away; NULL or "": not known */
	const char *domain;
	size_t accounts; /* accounts mode: how many are up */
	uint64_t ups, taken, sent;
};

struct control_figures { /* what only others know */
	struct control_link things, provisioner;
	struct wish_counts wishes;
	size_t wishes_open;
	uint64_t notifications;
	size_t registrations; /* things that the service of this process keeps */
	bool service_fails;   /* the provisioning service does not serve us */
	bool ready;
};

struct control {
	/* set before control_open; may change when the configuration does */
	const struct conf *conf;
	struct gate *gate; /* NULL without things */
	struct loop *loop;
	struct log *log;
	void (*figures)(void *ctx, struct control_figures *ret);
	void (*wish)(void *ctx, struct wish *w); /* core/request.c */
	void *wish_ctx;
	void (*reset)(void *ctx, struct thing *t);
	void (*forget)(void *ctx, const struct thing *orphan);
	/* Answers once, in the call or later: the lines of the report are for people; -1: everything stays as it was. NULL: cannot. */
	void (*reload)(void *ctx, void (*done)(void *done_ctx, int status, const char *report), void *done_ctx);
	void *ctx;

	/* its own */
	struct local *local;
	struct list clients;    /* struct client */
	struct list watchings;  /* struct watching */
	struct list operations; /* struct operation: wishes under way, also of clients that are gone */
	struct thing *desk;     /* whose the wishes of the command line are: its bound is its own */
	int64_t began_ms;
};

/* LOCAL_FAILED: nobody can ask, the rest works; LOCAL_TAKEN: another one runs. After either control_end may be called. */
int control_open(struct control *c, struct err *e);
void control_close(struct control *c); /* nobody is answered any more; wishes under way may still end */
void control_end(struct control *c);   /* closed; the wishes have ended */

void control_news(struct control *c, const struct point *p); /* a point has changed, as friends would hear */
/* Devices have come or gone: points that are watched are looked up again, before the loop goes on. */
void control_changed(struct control *c);

/* Members of a line, as `things`, `read` and `watch` show them. A sample that is not good has no value, but a `last`. */
void control_add_point(struct text *to, const struct point *p); /* "point": "DEVICE.POINT" */
void control_add_sample(struct text *to, const struct sample *s, const char *unit, int64_t utc_ms);
