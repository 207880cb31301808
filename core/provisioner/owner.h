/*
 * What an owner may ask beside siot (urn:jidgate:siot:0): let go of a thing (S8), list what he has and who has access.
 * Somebody else's thing and one that is not there look the same. Loop thread.
 */
#pragma once

#include "core/provisioner/inside.h"

void owner_take_give_up(void *self, struct incoming *in);
void owner_take_things(void *self, struct incoming *in);
void owner_take_friends(void *self, struct incoming *in);
