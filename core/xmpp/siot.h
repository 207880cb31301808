/*
 * siot, the thing's side (urn:xmpp:siot:1, wire.md 1.1, S1 to S43): registers things with the provisioning service, learns the
 * owner, asks who is a friend, and hears of changes. Only the configured service is listened to (S33, S37).
 */
#pragma once

#include "core/xmpp/things.h"

#define SIOT_NS   "urn:xmpp:siot:1"
#define SIOT_X_NS "urn:jidgate:siot:0"

void siot_settle(struct things *t, struct thing *thing); /* what the command line asked for; before anybody hears of it */
void siot_up(struct things *t, const char *local); /* registers what is not registered, asks again what is undecided */
void siot_up_all(struct things *t); /* the service is known now: the same for everything that is up */
void siot_join(struct things *t, struct thing *thing); /* the same for one that has come while the link is up */
void siot_down(struct things *t);                  /* after the asks were dropped */
void siot_down_one(struct things *t, const char *local); /* accounts mode */
void siot_again(struct things *t); /* the service is there: what waits for its next attempt is asked now */
void siot_register(struct things *t, struct thing *thing); /* paced */
/* The service has answered the registration of the present key, or it has told an owner since. Until then it speaks of what was
 * before a reset, and nothing that it says lets anybody in. */
bool siot_is_known(const struct thing *thing);
void siot_reset(struct things *t, struct thing *thing);    /* factory reset: everybody out, new key, register (S7) */
void siot_forget(struct things *t, const struct thing *orphan); /* stored, then its friends and the service are told */
void siot_ask_friend(struct things *t, struct thing *thing, const char *jid); /* a stranger subscribed */
void siot_ask_no_more(struct things *t, struct thing *thing, const char *jid); /* he took it back */
void siot_note_stranger(const struct things *t, const struct incoming *in);   /* does he speak as the service does? */
void siot_take_owner(void *self, struct incoming *in);
void siot_take_states(void *self, struct incoming *in);
void siot_take_disowned(void *self, struct incoming *in);
