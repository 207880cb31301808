/*
 * What we are: XEP-0030 for things and for the domain, XEP-0199 for both. The domain lists to each asker only the things that he
 * may see.
 */
#pragma once

#include "core/xmpp/things.h"

void disco_take_info(void *self, struct incoming *in);
void disco_take_items(void *self, struct incoming *in);
void disco_take_domain_info(void *self, struct incoming *in);
void disco_take_domain_items(void *self, struct incoming *in);
void disco_take_ping(void *self, struct incoming *in);
