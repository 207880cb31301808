/*
 * The provisioning service (siot, urn:xmpp:siot:1; wire.md section 1.1): things register, owners claim them, things ask who is
 * a friend, owners decide. A component domain of its own; it serves any thing of any server, ours have no privilege.
 *
 * It persists first, then speaks: an answer that grants something comes when it is on disk. A no counts at once. Nobody
 * decides = nobody gets in.
 *
 * Beside siot it understands urn:jidgate:siot:0 (x:thing, x:group, x:give-up, x:unregister, x:things, x:friends) and words in
 * chat (talk.c). Lists that do not fit into one stanza end with more='true'; the same query with after='the last JID' goes on.
 *
 * Owned by gateway.c. Loop thread. Order at the end: provisioner_close, on_closed, then provisioner_free; the store is closed
 * after on_closed.
 */
#pragma once

#include "core/conf/conf.h"
#include "core/store/store.h"
#include "core/xmpp/link.h"

struct provisioner;

struct provisioner_events {
	void (*on_up)(void *ctx);                          /* after every connect; may be NULL */
	void (*on_down)(void *ctx, const struct err *why); /* may be NULL */
	void (*on_closed)(void *ctx);                      /* the last call; not provisioner_free inside it */
};

/* Reads what the store has and connects. -1 (NULL): the store cannot be read. settings, store, loop and log outlive it. */
struct provisioner *provisioner_open(const struct conf_xmpp *settings, struct store *store, struct loop *loop,
				     struct log *log, const struct provisioner_events *events, void *ctx,
				     struct err *e);
void provisioner_close(struct provisioner *p);
void provisioner_free(struct provisioner *p); /* NULL is allowed */

/* For people who look at it; p may be NULL. */
const struct link *provisioner_link(const struct provisioner *p); /* NULL: not started */
size_t provisioner_count(const struct provisioner *p);            /* things that are registered */

/* The two halves of provisioner_open, for tests: with a link of the test's own, made with provisioner_link_events. */
extern const struct link_events provisioner_link_events;
struct provisioner *provisioner_new(struct store *store, struct loop *loop, struct log *log,
				    const struct provisioner_events *events, void *ctx, struct err *e);
void provisioner_start(struct provisioner *p, struct link *take_link);
