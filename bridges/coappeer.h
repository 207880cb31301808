/*
 * One device at its uri: its address, its session, and the exchanges with it, which wait their turn, fly and end.
 *
 * An exchange ends exactly once, with an answer or without: when the device answers, when it was silent for `timeout`,
 * when libcoap gave up or the device reset it, when its name cannot be resolved. Until then an unreachable port is only
 * a suspicion. A body that comes or goes in blocks is one exchange, which flies once for each block; `timeout` is for each of
 * them. At most nstart fly at a time, one write among them, and one GET of each resource.
 *
 * libcoap has no way to take back one message that it repeats. What must not be sent again (a write whose deadline has
 * passed) is taken back with all others of the session, and GETs that were among them begin anew. A device with a name
 * that was silent altogether is looked up again.
 *
 * A name may have several addresses, and a device may listen at one of them only: where nothing was heard the next one has its
 * turn, at once when the first says that nobody is there.
 *
 * With coaps nothing flies before the handshake is over. A device that was restarted does not say that it has lost its
 * session: after `max_lost` requests without answer, or when it says so, a new one is begun, and GETs under way begin anew.
 * There taking back would end the session: so only a write is taken back.
 *
 * Owned by the driver; exchanges by their peer. Loop thread.
 */
#pragma once

#include "bridges/coapblock.h"
#include "bridges/coapdtls.h"
#include "bridges/coapnet.h"
#include "bridges/coaprows.h"
#include "core/loop/resolve.h"

struct coappeer {
	struct list link;           /* the driver's */
	struct coapnet_errand pump; /* sends what may be sent */
	struct coapnet *net;
	const struct coaprows_bus *bus;
	const struct coaprows_device *options;
	const struct uri *uri;             /* in options */
	coap_session_t *session;           /* NULL: there is no address yet */
	struct resolve *resolve;           /* NULL: nothing under way */
	size_t which, n_addresses, tried;  /* of its name: whose turn it is; how many in a row were not heard */
	uint64_t heard_at_begin;           /* heard, when the session began */
	struct list resources;             /* struct coapres.link, the driver's */
	struct list queue, flying, ending; /* struct coappeer_exchange.link */
	size_t n_flying, n_registered;     /* observations that count on this session */
	bool writing;                      /* a write is under way */
	bool held;                         /* nothing is sent for the moment */
	uint64_t heard;                    /* answers so far */
	struct coapdtls dtls;              /* coaps */
	struct timer handshake;
	int64_t lost;                           /* requests without answer, since it was heard */
	uint64_t heard_at_end;                  /* heard, at the end of the session before */
	void (*on_lost)(struct coappeer *peer); /* what the device knew of us is gone with its session; may be NULL */
};

struct coappeer_exchange {
	struct list link;
	struct coappeer *peer;
	struct coapmsg_request ask; /* uri, path, format are borrowed */
	struct text body;           /* owned */
	struct coapblock block;
	struct coapnet_ticket *ticket; /* own, or one that lives longer */
	struct coapnet_ticket own;
	bool *busy; /* only one with the same flies */
	bool write, flying, ended;
	bool rest;        /* it asks for blocks behind the first, or again for the first */
	int64_t begun_ms; /* when the first came */
	bool suspect;     /* unreachable, said somebody on the way */
	uint64_t heard;   /* peer.heard when it was sent */
	int64_t sent_ms;
	struct timer timer;
	struct list requests; /* struct request.link; whoever made the exchange ends them in on_end */
	void (*on_fly)(struct coappeer_exchange *x); /* before the first block: may choose kind and ticket; or NULL */
	/* status < 0: no answer, and why; else the answer with its whole body. The exchange is freed after it. */
	void (*on_end)(struct coappeer_exchange *x, int status, const struct coapmsg_answer *a, const struct err *why);
	void *ctx;
};

/* bus and options are borrowed. */
struct coappeer *coappeer_new(struct coapnet *net, const struct coaprows_bus *bus,
			      const struct coaprows_device *options);
void coappeer_stop(struct coappeer *peer); /* at close: nothing ends any more, requests are forgotten */
void coappeer_free(struct coappeer *peer); /* when nobody is inside */

struct coappeer_exchange *coappeer_exchange(struct coappeer *peer, enum coapmsg_kind kind, bool *busy, void *ctx);
void coappeer_post(struct coappeer_exchange *x); /* it flies when its turn comes */
void coappeer_end(struct coappeer_exchange *x, int status, const struct coapmsg_answer *a, const struct err *why);
/* An answer to it that came with another ticket, or before it was posted: it ends, or goes on with the next block. */
void coappeer_take(struct coappeer_exchange *x, const struct coapmsg_answer *a);
void coappeer_nack(struct coappeer_exchange *x, enum coapnet_nack nack); /* for tickets that are not its own */
void coappeer_drop(struct coappeer_exchange *x); /* without on_end; a write under way is not sent again */

/* What was sent and is not answered is taken back; GETs begin anew. */
void coappeer_hush(struct coappeer *peer);
void coappeer_unobserve(struct coappeer *peer, const struct coapmsg_request *ask); /* tells it, and waits for nothing */
