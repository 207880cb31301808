/*
 * <friend-state-update/> and the words "yes" and "no" in chat (siot section 8; S20, S21, S24-S26, S30): the owner decides.
 *
 * A no counts from the moment it comes in, a yes when it is on disk. Either is told to the thing when it is on disk.
 * Without x:thing (S25): an owner of one thing means that one; otherwise a yes is for the things where that person waits, a no
 * for all things where he waits or is a friend. What fits nothing is refused. Loop thread.
 */
#pragma once

#include "core/provisioner/asker.h"

void decisions_take(void *self, struct incoming *in);

/* One stanza's or line's worth of decisions, gathered before any of them is carried out. */
struct update;
struct update *decisions_begin(struct asker take_asker);
/* thing NULL: not named. What is wrong is remembered: then decisions_end refuses all of it. */
void decisions_add(struct update *u, const char *requestor, const char *thing, bool friend);
void decisions_end(struct update *u);
