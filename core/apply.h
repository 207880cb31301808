/*
 * A plan becomes true in the running house, while the buses that it touches hold still. A device that changes is replaced as a whole:
 * its points hand over what they have seen, and a thing whose JID stays is the same thing, with owner, friends and key. What leaves
 * the house moves into the new configuration, which is freed afterwards. Loop thread; so much a turn.
 */
#pragma once

#include "core/plan.h"
#include "core/xmpp/things.h"

struct apply {
	struct plan *plan;
	struct conf *live, *fresh;
	struct things *things;
	const struct protocol *const *protocols;
	size_t next;
};

void apply_begin(struct apply *a); /* the members up to protocols are set; buses are done here */
bool apply_some(struct apply *a);  /* true: there is more; in another turn */
void apply_end(struct apply *a);   /* things without a device have left; before the buses are told (device.joining is set) */
