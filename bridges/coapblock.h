/*
 * Bodies in blocks (RFC 7959), our own way: each block is a request of its own with a token of its own. Here is what has
 * come or was taken so far, and what is asked next; who sends it is coappeer.
 *
 * GET: a block must begin where the one before it ended, and have the same ETag and Content-Format; else the body has
 * changed, and is read from its beginning. A device that sends no ETag cannot say that it has changed: then the body is
 * read until it is twice the same. The device may make blocks smaller at any time, and never larger.
 * PUT, POST: each block is answered 2.31; only the answer to the last one says that the value was taken. A device that
 * wants smaller blocks says so with 2.31 (they go on) or 4.13 (from the beginning, for nothing was taken yet).
 *
 * Owned by the exchange. Pure; loop thread.
 */
#pragma once

#include "bridges/coapmsg.h"

struct coapblock {                /* coapblock_init, coapblock_free */
	struct text body, before; /* GET: what came so far; the reading before */
	uint8_t etag[COAPMSG_ETAG];
	size_t etag_size;
	int format;
	unsigned szx; /* a block has 16 << szx bytes (section 2.2) */
	size_t taken; /* PUT, POST: bytes that the device has confirmed */
	unsigned restarts;
	bool begun, again; /* again: there was a reading before */
};

enum coapblock_step {
	COAPBLOCK_WHOLE, /* the body, or an answer that is none, is in ret */
	COAPBLOCK_MORE,  /* ask again, with what coapblock_ask says */
	COAPBLOCK_BAD,   /* nothing that can be gone on with, and why */
};

void coapblock_init(struct coapblock *b, unsigned szx);
void coapblock_free(struct coapblock *b);
void coapblock_restart(struct coapblock *b);                                       /* GET: what came is superseded */
bool coapblock_is_same(const struct coapblock *b, const struct coapmsg_answer *a); /* of the body that is being read? */

/* Narrows a request for the whole to the next block. */
void coapblock_ask(const struct coapblock *b, struct coapmsg_request *ask);

/* ret points into b for a body that came in blocks. */
enum coapblock_step coapblock_got(struct coapblock *b, const struct coapmsg_answer *a, struct coapmsg_answer *ret,
				  struct err *e);

/* size: of the whole body that is written. */
enum coapblock_step coapblock_put(struct coapblock *b, const struct coapmsg_answer *a, size_t size, struct err *e);
