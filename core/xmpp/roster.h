/*
 * The thing's side of presence subscriptions (RFC 6121 3, wire.md 3.3). In component mode we keep the rosters and speak for
 * the things; with accounts the server does, and rosters arrive by pushes (account roster below).
 */
#pragma once

#include "core/xmpp/things.h"

void roster_take_subscribe(void *self, struct incoming *in);
void roster_take_subscribed(void *self, struct incoming *in);
void roster_take_unsubscribe(void *self, struct incoming *in);
void roster_take_unsubscribed(void *self, struct incoming *in);

void roster_approve(struct things *t, struct thing *thing, const char *jid); /* persist, then subscribed and presence */
void roster_refuse(struct things *t, struct thing *thing, const char *jid);  /* unsubscribed, to one who is not in */
void roster_revoke(struct things *t, struct thing *thing,
		   const char *jid); /* out at once; unavailable and unsubscribed */
void roster_say_out(struct things *t, struct thing *thing, const char *jid); /* unavailable, unsubscribed */
