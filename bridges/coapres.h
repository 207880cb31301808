/*
 * One resource of a device: all points that read it, its GETs, its writes, and its observation (RFC 7641).
 *
 * One GET of it is under way at a time, and reads that come before it is sent share it. While it is observed, each GET
 * renews the registration and carries the same token, so that its answer has a place in the order of the notifications
 * and what was overtaken is dropped. See coapobs.h.
 *
 * Owned by the driver; it lives as long as its peer. Loop thread.
 */
#pragma once

#include "bridges/coappeer.h"
#include "bridges/freshness.h"

struct coapres {
	struct list link; /* in peer.resources */
	struct bridge *bridge;
	struct coappeer *peer;
	const struct coaprows_address *address; /* of one point; all agree on path and format */
	struct point **points;
	size_t n_points;
	struct coappeer_exchange *get; /* the newest; NULL: none waits and none is under way */
	bool busy;                     /* a GET is under way */

	/* coapobs's */
	bool listening;  /* somebody wants notifications */
	bool registered; /* the device says that it sends some */
	bool plain;      /* the device does not observe it, and the log says so */
	struct coapnet_ticket ticket;
	struct coappeer_exchange *carrier; /* the GET under way with that ticket */
	struct coappeer_exchange *rest;    /* reads the blocks behind the first, which came with that ticket */
	struct freshness fresh;
	uint64_t accepted, accepted_before; /* messages so far, and when the carrier was sent */
	struct timer renew;
	struct backoff backoff;
};

struct coapres *coapres_new(struct bridge *b, struct coappeer *peer, const struct coaprows_address *address);
void coapres_add(struct coapres *res, struct point *p); /* point.bus_data becomes res */
void coapres_free(struct coapres *res);                 /* when nobody is inside */

int coapres_accept(const struct coapres *res); /* what its GETs ask for; COAPMSG_NO_FORMAT: anything */
void coapres_get(struct coapres *res);         /* without a request, unless one waits already */
void coapres_read(struct coapres *res, struct request *r);
void coapres_write(struct coapres *res, struct request *r);
void coapres_cancel(struct coapres *res, struct request *r);
