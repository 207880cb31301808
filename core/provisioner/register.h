/*
 * <register/> (siot section 4; S1, S4-S7, S41): a thing says who it is and which key its owner will show. Loop thread.
 */
#pragma once

#include "core/provisioner/inside.h"

void register_take(void *self, struct incoming *in);
