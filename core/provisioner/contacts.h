/*
 * Presence: the things the service sees, and the people who have it in their contact list. Anybody may add the service and see
 * it available; nothing of them is kept. Loop thread.
 */
#pragma once

#include "core/provisioner/inside.h"

void contacts_take_available(void *self, struct incoming *in);
void contacts_take_unavailable(void *self, struct incoming *in);
void contacts_take_subscribe(void *self, struct incoming *in);
void contacts_take_subscribed(void *self, struct incoming *in);
void contacts_take_unsubscribe(void *self, struct incoming *in);
void contacts_take_unsubscribed(void *self, struct incoming *in);
void contacts_take_probe(void *self, struct incoming *in);
void contacts_take_bounce(struct provisioner *p, const struct incoming *in); /* a message came back */
