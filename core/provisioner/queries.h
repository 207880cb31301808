/*
 * What is asked about decisions: a thing asks whether somebody is its friend (siot section 6; S16, S17, S30, S39), an owner
 * asks who waits (section 7; S25). Loop thread.
 *
 * A question nobody has decided yet becomes a pending request, and "pending" is said when that is on disk.
 */
#pragma once

#include "core/provisioner/inside.h"

void queries_take_friend(void *self, struct incoming *in);
void queries_take_pending(void *self, struct incoming *in);
