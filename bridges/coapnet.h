/*
 * libcoap's contexts behind watched file descriptors, and the tickets by which answers find their way home.
 *
 * libcoap calls back per context, and hands a notification over without the request that it answers: so each request
 * gets a token of eight random bytes, and only who holds a ticket with that token is told. What comes with a token that
 * nobody holds (late answers, notifications of a former life) is answered with RST, and the device stops sending it.
 *
 * libcoap counts its retransmissions on the clock of the day. When somebody sets that clock, they would come all at
 * once or not at all: on_jump tells, before anything is sent or received, that they should be started anew.
 *
 * Whoever is called from the loop (watch, timer, resolver, the core) is inside until he leaves. When the last one
 * leaves, errands are run: so reads that come together are sent together, and nobody is called in the middle of
 * something. After close, on_end frees everything when the last one has left and nothing holds. Loop thread.
 */
#pragma once

#include "bridges/coapmsg.h"
#include "core/base/map.h"
#include "core/bridge/bridge.h"

enum coapnet_nack { COAPNET_UNREACHABLE, COAPNET_SILENT, COAPNET_RESET };

struct coapnet_ticket {
	uint8_t token[COAPMSG_TOKEN];
	char key[2 * COAPMSG_TOKEN + 1]; /* "" when it is not issued */
	const coap_session_t *session;   /* answers must come from here */
	/* matched: libcoap knows for which of our messages this is the acknowledgement. false: let the device know that
	 * nobody wants this. */
	bool (*on_answer)(void *ctx, const struct coapmsg_answer *a, bool matched);
	void (*on_nack)(void *ctx, enum coapnet_nack why); /* unreachable: it is still tried; else: libcoap gave up */
	void *ctx;
};

struct coapnet_errand {
	struct list link;
	void (*run)(void *ctx);
	void *ctx;
};

struct coaprows_secure;
struct tls_trust;

struct coapway { /* one context: that of plain UDP, or of one secret; see coapdtls.h */
	struct list link;
	struct coapnet *net;
	const struct coaprows_secure *secure; /* borrowed; NULL: plain */
	struct tls_trust *trust;
	coap_context_t *context;
	struct watch *watch;
};

struct coapnet {
	struct loop *loop; /* NULL: it is not open */
	struct list ways;
	struct map tickets;
	int64_t clock_ms; /* of the day, minus monotonic */
	struct list errands;
	int inside, holds;
	bool closing; /* nothing goes up any more */
	void (*on_jump)(struct coapnet *net);
	void (*on_end)(struct coapnet *net);
};

int coapnet_open(struct coapnet *net, struct loop *loop, struct err *e);
void coapnet_close(struct coapnet *net); /* after the sessions were released */

/* Made when it is asked for the first time. NULL: it cannot be made, and why. */
const struct coapway *coapnet_way(struct coapnet *net, const struct coaprows_secure *secure, struct err *e);
void coapnet_enter(struct coapnet *net);
void coapnet_leave(struct coapnet *net);
void coapnet_send(struct coapnet *net, struct coapnet_errand *errand); /* to be run once; the link may be in already */
void coapnet_hold(struct coapnet *net);
void coapnet_release(struct coapnet *net); /* from inside */

void coapnet_issue(struct coapnet *net, struct coapnet_ticket *t); /* a new token, also in place of the old one */
void coapnet_void(struct coapnet *net, struct coapnet_ticket *t);  /* also when it is not issued */

/* Before anything is handed to libcoap: looks at the clock. */
void coapnet_check_clock(struct coapnet *net);
