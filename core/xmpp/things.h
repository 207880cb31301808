/*
 * The gateway's north: all things of the house on one link. Takes stanzas for things and for the domain itself, and tells
 * friends. Knows no protocol of the south: reads and writes leave as wishes through `wish`.
 *
 * Owned by core/gateway.c; loop thread. Everything about one conversation is in a file of its own: roster.c, presence.c,
 * siot.c, sensor.c, control.c, disco.c.
 */
#pragma once

#include "core/gate/gate.h"
#include "core/model/wish.h"
#include "core/xmpp/ask.h"
#include "core/xmpp/link.h"
#include "core/xmpp/pace.h"
#include "core/xmpp/route.h"
#include "core/xmpp/siot_find.h"
#include "core/xmpp/strangers.h"

#define THINGS_RESOURCE "thing" /* every thing is available as local@domain/thing: some clients need a full JID */

struct things {
	struct link *link;
	struct house *house;
	struct gate *gate;
	struct loop *loop;
	struct log *log;
	const char *language;
	const struct names *names;               /* of the gateway, for people */
	void (*wish)(void *ctx, struct wish *w); /* core/request.c; answers in the call or later */
	void *wish_ctx;

	struct asks asks;     /* our own iqs that wait for their answer */
	struct pace pace;     /* registrations and queries, so many a second (S43) */
	struct list queries;  /* siot_ask.c: what the service is asked, waits for its turn or for the next attempt */
	struct map asked;     /* the same, by what it is about */
	struct siot_find find; /* siot_find.c: when the configuration names no service */
	struct list recalls;  /* recall.c: reads of the past that are not at their end */
	struct timer recalling;
	size_t n_recalls;
	struct list reads;    /* sensor.c: reads that wait for values, for cancel */
	struct list dirty;    /* presence.c: thing.dirty_link whose presence is due */
	struct list fresh;    /* presence.c: the same link, of what has news since the last turn */
	struct timer telling, freshly;
	uint64_t n_told; /* presence.c: available presences that were sent */
	size_t announced;     /* presence.c: place in the walk that states presence after connect */
	struct timer announcing;
	bool service_fails; /* siot_ask.c: said already */
	struct strangers *strangers;
	bool closing;
};

void things_begin(struct things *t);                    /* the members up to wish_ctx are set; the rest is made here */
void things_end(struct things *t);                      /* the link is closed */
void things_up(struct things *t, const char *local);    /* events of the link */
void things_ready(struct things *t, const char *local); /* who the friends are is known */
void things_down(struct things *t, const char *local);
void things_take(struct things *t, struct element *stanza);
void things_news(struct things *t, struct thing *thing); /* core/report.c: friends should hear something new */
void things_join(struct things *t, struct thing *thing); /* it has come into the house */
void things_change(struct things *t, struct thing *thing, bool renamed); /* there is something new to be seen of it */
void things_drop(struct things *t, struct thing *thing); /* it is about to leave the house: friends see it unavailable */
void things_leave(struct things *t);                     /* says unavailable to everybody, before the link is closed */

/* The part of a `from` that is the thing's own, full or bare. */
struct writer_address things_address(const struct things *t, const struct thing *thing, bool full);
