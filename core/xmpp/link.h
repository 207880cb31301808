/*
 * The link to the XMPP server. Two transports stand behind it: component.c (XEP-0114, one connection speaks for a whole
 * domain) and account.c (one c2s connection per thing). Nothing above knows which one runs, except that a link of accounts
 * has link->accounts set: there the server keeps the rosters.
 *
 * Reconnects by itself (full jitter, wire of libraries.md); on_up comes after every connect, on_down after every loss.
 * Owned by gateway.c and provisioner.c. Loop thread.
 */
#pragma once

#include "core/base/err.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/conf/conf.h"
#include "core/loop/loop.h"
#include "core/xmpp/element.h"
#include "core/xmpp/writer.h"

struct link;
struct thing;

struct link_events {
	/* local: the account that is up or down; NULL for a component, which is up or down as a whole */
	void (*on_up)(void *ctx, const char *local);
	void (*on_down)(void *ctx, const char *local, const struct err *why);
	void (*on_stanza)(void *ctx, struct element *stanza); /* freed after the call */
	void (*on_closed)(void *ctx);                         /* after link_close: the last call */
};

struct link_driver {
	void (*open)(struct link *l);
	void (*close)(struct link *l); /* flushes within 2 s, then on_closed */
	bool (*up)(const struct link *l, const char *local);
	struct text *(*begin)(struct link *l, const char *local, bool answer);
	void (*end)(struct link *l); /* what was begun is complete, or empty again when it was too large */
	bool (*congested)(const struct link *l);
	void (*add)(struct link *l, struct thing *t); /* accounts */
	void (*drop)(struct link *l, struct thing *t);
	void (*free)(struct link *l);
};

struct link_counts { /* since the start */
	uint64_t taken, sent; /* stanzas */
	uint64_t ups;         /* connects, of all accounts together */
	int64_t since_ms;     /* monotonic, of the last up or down; 0: neither yet */
	bool up;              /* which of them it was */
	struct err why;       /* of the last down */
};

struct link { /* first member of the transports' structs */
	const struct link_driver *driver;
	const char *domain;  /* prepared; the only domain of every `from` we write */
	bool accounts;
	const struct link_events *events;
	void *ctx;
	struct loop *loop;
	struct log *log;
	const char *name; /* "xmpp" or "provisioner": subject of log lines */
	struct text *writing; /* between link_begin and link_end */
	size_t mark;          /* where the open stanza begins in it */
	struct link_counts counts;
};

/* settings must outlive the link. Opening cannot fail: what is wrong is logged, said in on_down, and tried again. */
struct link *component_new(const char *name, const struct conf_xmpp *settings, struct loop *loop, struct log *log,
			   const struct link_events *events, void *ctx);

void link_open(struct link *l);
void link_close(struct link *l);
/* Accounts: a thing more, which logs in; one less, which logs out after what was written. t lives until the second call returns. */
void link_add(struct link *l, struct thing *t);
void link_drop(struct link *l, struct thing *t);
void link_free(struct link *l); /* closed or never opened; NULL is allowed */
/* local NULL: the component is connected, or some account is, and each has tried to log in. */
bool link_up(const struct link *l, const char *local);

/* The buffer to which exactly one stanza from `local` (NULL: the domain) is appended, then link_end. NULL: not now - the link
 * is down, or it is a notification (answer false) and too much waits: the caller keeps the newest and tries later. The stanza
 * leaves at the end of the loop's turn. link_end is false when it was above LIMIT_STANZA_OUT and therefore taken back. */
struct text *link_begin(struct link *l, const char *local, bool answer);
bool link_end(struct link *l);
/* What the transports say to who listens. */
void link_tell_up(struct link *l, const char *local);
void link_tell_down(struct link *l, const char *local, const struct err *why);
void link_tell_stanza(struct link *l, struct element *stanza);
bool link_congested(const struct link *l); /* above LIMIT_LINK_HIGH: coalesce notifications */
