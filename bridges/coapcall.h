/*
 * Questions to devices by their addresses, for tools that look for devices: each address becomes a device with the checks,
 * the identity and the times that a device on this bus has; and the question who is there, to everybody. See coapask.h.
 *
 * Owned by who makes it. After coapcall_close nothing is told but on_closed, which comes in the same or a later turn and is
 * the end of it. Loop thread.
 */
#pragma once

#include "core/base/err.h"
#include "core/loop/loop.h"
#include "core/model/house.h"

struct coapcall;

enum { COAPCALL_ANY = -1 }; /* no Content-Format is said or asked for */

struct coapcall_answer {
	int code;          /* 205 is 2.05; 0: there is no answer, and why */
	int format;        /* Content-Format, or COAPCALL_ANY */
	const char *bytes; /* the whole body, during the call */
	size_t size;
	const struct err *why; /* NULL with a code of 2.05 */
};

/* bus: borrowed; its options are those of driver_coap's rows. NULL: libcoap cannot, and why. */
struct coapcall *coapcall_new(struct loop *loop, struct bus *bus, struct err *e);
void coapcall_close(struct coapcall *c, void (*on_closed)(void *ctx), void *ctx);

/* fn once, maybe in this call. uri: "coap://host:port"; path as uri.h checks it; accept: a Content-Format or COAPCALL_ANY.
 * -1: it cannot be asked there, and fn is not called. */
int coapcall_get(struct coapcall *c, const char *uri, const char *path, int accept,
		 void (*fn)(void *ctx, const struct coapcall_answer *answer), void *ctx, struct err *e);

/* Whoever answers is told with his uri, maybe more than once, until coapcall_close. See coapcast.h. */
int coapcall_all(struct coapcall *c, const char *group, const char *zone, int port,
		 void (*on_peer)(void *ctx, const char *uri), void *ctx, struct err *e);
