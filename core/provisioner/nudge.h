/*
 * Tells an owner that somebody waits for his decision: siot's <pending-friend-notification/>, with words for people in the
 * same message. At most LIMIT_NOTICES_MINUTE; what comes above is told together when the minute is over (siot S39).
 * Loop thread.
 */
#pragma once

#include "core/provisioner/inside.h"

void nudge_owner(struct provisioner *p, struct owner *owner); /* NULL, or nothing untold: does nothing */

/* The lines of requests that wait, and how to answer: also for the word "pending". untold: only those he was not told of. */
void nudge_describe(struct text *t, struct owner *owner, bool untold, const char *language);
