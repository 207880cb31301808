/*
 * What the service says about itself: XEP-0030 and XEP-0199 (siot S31). Loop thread.
 */
#pragma once

#include "core/provisioner/inside.h"

void about_take_info(void *self, struct incoming *in);
void about_take_items(void *self, struct incoming *in);
void about_take_ping(void *self, struct incoming *in);
