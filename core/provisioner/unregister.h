/*
 * <x:unregister/> (siot S9): the thing is gone for good, with all that was known about it. Loop thread.
 */
#pragma once

#include "core/provisioner/inside.h"

void unregister_take(void *self, struct incoming *in);
