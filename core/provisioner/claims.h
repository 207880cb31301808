/*
 * <claim/> and the word "claim" in chat (siot section 5; S2, S4, S10, S11, x:group): who shows a key becomes the owner.
 *
 * A key is good for one owner. Showing it again gives the same owner the same answer; everybody else cannot tell a used key
 * from one that never was. Wrong keys are counted per bare JID. Loop thread.
 */
#pragma once

#include "core/provisioner/asker.h"

void claims_take(void *self, struct incoming *in);
void claims_try(struct asker take_asker, const char *key, const char *name); /* name NULL: any */
