/*
 * What the files of this room share: the service itself. The others see provisioner.h. Loop thread.
 */
#pragma once

#include "core/provisioner/provisioner.h"
#include "core/provisioner/quota.h"
#include "core/provisioner/registry.h"
#include "core/xmpp/route.h"

#define SIOT   "urn:xmpp:siot:1"
#define SIOT_X "urn:jidgate:siot:0" /* the project's own additions, prefix x: */

struct provisioner {
	struct loop *loop;
	struct store *store;
	struct log *log;
	struct link *link; /* owned; NULL until provisioner_start */
	const struct provisioner_events *events;
	void *ctx;
	struct registry registry;
	struct quota claims;    /* wrong keys per JID and minute */
	struct quota queries;   /* is-friend queries that cost the owner something, per thing, requestor and hour */
	struct quota words;     /* chat lines per JID and minute */
	size_t n_changes;       /* waiting or being saved */
	uint64_t serial;        /* of the stanzas we send */
	struct list due_things; /* struct registration by in_due: to be told something when the link takes it */
	struct list due_owners; /* struct owner by in_due */
	struct timer due;
	struct timer sweep;    /* forgets what is too old */
	struct timer patience; /* while it closes */

	bool closing, hung_up, link_closed, closed; /* in this order */
};

void provisioner_settle(struct provisioner *p); /* a change is over: while it closes, that may have been the last one */
