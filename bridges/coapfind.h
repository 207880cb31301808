/*
 * Discovery of CoAP devices and what they have (RFC 6690, RFC 9176), for tools: no configuration is needed, nothing is
 * written to a device.
 *
 * Happy path: a device is asked for /.well-known/core, and each resource of that list is read once, so that what is found
 * is known to be readable and of which type. A device whose list says that it is a resource directory is asked for what
 * others have registered, page by page, and those devices are read as well. A multicast group is asked who is there, and
 * who answers is asked for himself.
 *
 * Lists of others only count when a directory says them: any other device speaks for itself. A list is read once, links
 * lead at most two lists deep, and everything is bounded (limits.h): a list that leads in circles ends. A device that
 * leaves several requests without an answer is asked no more.
 *
 * Owned by who makes it. Loop thread.
 */
#pragma once

#include "bridges/coapfound.h"
#include "core/loop/loop.h"
#include "core/model/house.h"

struct coapfind;

/* on_quiet: nothing is under way any more; it may be called again when more is asked. bus: borrowed. */
struct coapfind *coapfind_new(struct loop *loop, struct bus *bus, void (*on_quiet)(void *ctx), void *ctx, struct err *e);
void coapfind_close(struct coapfind *f, void (*on_closed)(void *ctx), void *ctx); /* frees it when on_closed comes */

/* Where is what people write (coapwhere.h). A device: its list, or the list that it names; a group: who answers within
 * wait_ms is found. */
int coapfind_look(struct coapfind *f, const char *where, int64_t wait_ms, struct err *e);

const struct coapfound *coapfind_found(const struct coapfind *f);
