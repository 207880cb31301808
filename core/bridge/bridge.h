/*
 * The south door. A driver knows how, the core knows when: seven functions down (struct bridge_driver), seven calls up.
 * What is known of it before anything runs, rows and checks, is in core/conf/protocol.h.
 *
 * Law for drivers, each line with a test that every driver must pass:
 *  1 never block the loop            2 every request ends in exactly one bridge_done
 *  3 after close only bridge_closed  4 cancel is a hint, not an end
 *  5 deliver raw values; scaling is the point's      6 keep no sample after handing it over
 *  7 no retry, backoff or sleep of its own: say bridge_down and wait for open
 *  8 refuse in check what can be refused             9 no global, no static variable
 * 10 whatever the device sends, answer with a value or an error, never assert on it
 *
 * Loop thread. The core owns bridges and requests; the driver owns what self points to and what it hangs on
 * driver_data.
 */
#pragma once

#include "core/base/err.h"
#include "core/base/list.h"
#include "core/base/log.h"
#include "core/conf/protocol.h"
#include "core/loop/backoff.h"
#include "core/loop/loop.h"
#include "core/model/house.h"

struct bridge;

enum request_status {
	REQUEST_DONE = 0,     /* read: the sample is in; write: accepted by the bus or the device, answered if it is to be */
	REQUEST_AWAY = -1,    /* bus or device cannot be reached */
	REQUEST_TIMEOUT = -2, /* sent, no answer until the deadline */
	REQUEST_REFUSED = -3, /* the device answered with an error */
	REQUEST_GARBLED = -4, /* an answer that the protocol does not allow */
	REQUEST_CANCELLED = -5,
	REQUEST_BUSY = -6,    /* the queue is full */
	REQUEST_DIFFERS = -7, /* core only: what was read back is not what was written */
};

enum request_rank { /* who goes first on a bus that is busy; a write goes before all reads */
	REQUEST_ASKED,      /* somebody waits for it */
	REQUEST_POLLED,     /* due in its interval */
	REQUEST_BACKGROUND, /* nobody notices when it comes a little later */
};

/* One point to be read or written. Owned by who made it; between bridge_ask and its done it belongs to the bridge. */
struct request {
	struct list link; /* the core's; while a driver has the request the driver may use it */
	struct point *point;
	bool write;
	struct value raw;    /* write: what to send; owned by the request. A driver may make of it what the device can hold */
	int64_t deadline_ms; /* monotonic; never acted on later than this */
	enum request_rank rank;
	int64_t due_ms;      /* POLLED: when the next one is due, monotonic: the earliest goes first */
	bool confirmed;      /* set by the core: the value was seen at the device */
	bool answered;       /* set by the core: the device said that it did it (CONFIRM_RESPONSE) */
	/* Once; may free r. shown is the point's newest sample, borrowed; NULL when the read failed. why: NULL or the
	 * cause. */
	void (*done)(struct request *r, int status, const struct sample *shown, const struct err *why);
	/* Whether it is still to be done when it has waited for its bus; NULL: yes. If not it ends as cancelled. */
	bool (*may)(const struct request *r);
	void *ctx;
	void *driver_data;

	/* core/bridge's */
	struct bridge *bridge; /* NULL: not in a bridge */
	struct timer timer;    /* its deadline */
	struct list wait_link;
	int64_t asked_ms;
	int stage;
};

struct bridge_driver {
	struct protocol protocol; /* name, rows of bus, device and point address, check */
	size_t size;              /* of self; the core gives it zeroed */
	/* Writes while the bus is away wait for it, each until its deadline, and a newer one to the same point takes the
	 * place of one that waits. Else they are refused at once. */
	bool last_wins;
	/* 0: bridge_up() or bridge_down() will follow, once; -1: down at once. After bridge_down() it is called again,
	 * without a close between. A driver that says bridge_down() has ended its requests before. */
	int (*open)(struct bridge *b, struct err *e);
	int (*listen)(struct bridge *b, struct point *p,
		      bool on); /* 1: the bus tells us of this point; 0: poll it. After every
				   bridge_up for each point; NULL: all are polled */
	void (*read)(struct bridge *b, struct request **r,
		     size_t n);                             /* due together: merge them as you like; NULL: cannot */
	void (*write)(struct bridge *b, struct request *r); /* NULL: cannot */
	/* The core wants no answer any more, or the deadline has passed: still exactly one bridge_done(). NULL: ignore */
	void (*cancel)(struct bridge *b, struct request *r);
	/* Also after bridge_down(), not after a failed check. Requests that it has not ended when close returns are
	 * ended by the core: from then on the driver does not touch them. bridge_closed() is the last call, in close or
	 * later. */
	void (*close)(struct bridge *b);
	/* b->points has changed while the bus is up: take up the new, forget the gone. Those of the gone that were listened to
	 * were told listen(off) before, none of them is in a request; after the call they are freed. Of the new, listen(on)
	 * follows. A point whose address or options have changed is gone in one call and new in a second one. NULL: the core
	 * closes and opens the bus. */
	void (*change)(struct bridge *b);
};

enum bridge_state { BRIDGE_CLOSED, BRIDGE_OPENING, BRIDGE_UP, BRIDGE_AWAY, BRIDGE_CLOSING };

struct bridge_counts { /* since the start; times in ms */
	uint64_t reads, read_errors, writes, write_errors; /* requests that have ended */
	uint64_t samples, news;                            /* values that came, and those that changed something */
	uint64_t ups, aways;
	int64_t last_request_ms; /* how long the last good request took, with its time in the queue; -1: none yet */
	int busy_percent;        /* of the last whole minute: a request was under way; -1: not known yet */
};

struct bridge {
	const struct bridge_driver *driver;
	void *self;
	struct bus *bus;
	struct loop *loop;
	struct log *log;
	struct point **points; /* of all devices on this bus; not owned */
	size_t n_points;
	enum bridge_state state;
	bool answered; /* up or away at least once: READY waits for it */

	/* core/bridge's own */
	struct backoff backoff;
	struct timer timer;     /* next open */
	struct timer age_timer; /* next point that may become old */
	struct poll *poll;      /* poll.c */
	struct list waiting;    /* struct request.wait_link, in flight */
	struct list held;       /* the same: they wait until the bus is open again */
	size_t n_waiting, n_held;
	int phase;          /* renew.c: of a change of configuration */
	bool reopens, holds; /* renew.c */
	struct timer patience, calm;
	void (*quiet)(void *ctx, struct bridge *b);
	void *quiet_ctx;
	int64_t up_ms;  /* monotonic, since when it is up */
	int64_t since_ms; /* monotonic, of this state but for attempts to open */
	struct bridge_counts counts;
	struct { /* count.c's */
		int64_t minute_ms, since_ms, spent_ms;
	} busy;
	struct err why; /* of the last away */
	const struct bridge_events *events;
	void *ctx;
};

struct bridge_events {
	void (*on_sample)(void *ctx, struct point *p, enum news news); /* point_take or point_age has been done */
	void (*on_state)(void *ctx, struct bridge *b);                 /* up, away or closed */
	void (*on_found)(void *ctx, struct bridge *b, const char *key, const char *block); /* NULL: nobody wants to know */
};

/* What the core calls. */
struct bridge *bridge_new(const struct bridge_driver *driver, struct bus *bus, struct house *house, struct loop *loop,
			  struct log *log, const struct bridge_events *events, void *ctx);
void bridge_start(struct bridge *b);
void bridge_ask(struct bridge *b, struct request **r, size_t n); /* each ends in exactly one done, also in this call */
void bridge_cancel(struct bridge *b, struct request *r);
void bridge_stop(struct bridge *b);           /* on_state with BRIDGE_CLOSED will follow */
void bridge_free(struct bridge *b);           /* closed or never started; NULL is allowed */
/* renew.c: a new configuration. quiet comes once, not in the call: then the driver has nothing of the devices that are `leaving`, or is
 * closed: when its options change (reopen), when it has no `change`, when it is not up. From quiet to resume the bus, its options
 * and the house may be changed; new devices are `joining`. Until then what is asked of who leaves is refused as busy, and what is
 * asked of who stays goes on or waits. bridge_stop may come at any time: then quiet or resume never does. */
void bridge_hold(struct bridge *b, bool reopen, void (*quiet)(void *ctx, struct bridge *b), void *ctx);
void bridge_resume(struct bridge *b, struct house *house);
bool bridge_is_stuck(const struct bridge *b); /* the driver holds a request long after its deadline */
struct bridge_counts bridge_count(struct bridge *b); /* what has happened so far */
const char *bridge_state_word(enum bridge_state s);
const char *bridge_status_word(int status);   /* enum request_status in words for people */

/* What a driver calls; see the law. `take` is moved from. */
void bridge_up(struct bridge *b);
void bridge_down(struct bridge *b, const struct err *why);
void bridge_sample(struct bridge *b, struct point *p, struct sample *take);
void bridge_done(struct bridge *b, struct request *r, int status, struct sample *take, const struct err *why);
void bridge_closed(struct bridge *b);
void bridge_poll(struct bridge *b, const struct device *d); /* it is back: read its points now, not only when due */
/* The bus told of a device that no configuration names (discovery, a topic that fits a pattern); while it is up. key: what the
 * bus calls it, stable over restarts, at most LIMIT_FOUND_KEY bytes. block: a device as the configuration writes it,
 * "{ id = ...; points = ( ... ); }" without a `bus`, at most LIMIT_FOUND_BLOCK bytes; NULL: it is gone. Texts are copied. The
 * core keeps it over restarts, checks it as it checks a file's, and adds, changes or drops the device in the running house some
 * turns later; the same block again costs nothing. What is wrong with it is the core's to log. */
void bridge_found(struct bridge *b, const char *key, const char *block);
