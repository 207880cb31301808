/*
 * What we remember of people who are nobody's friend, in a fixed amount of memory: who asked to be let in where, and how often
 * the users of a server had us do something. It is found by a salted hash; two names may share a place, which makes us forget
 * the older one or be stricter with both.
 *
 * Whether there is a thing at an address makes no difference here: what a stranger is answered depends only on what he has sent
 * before (wire.md 1.8). Owned by struct things; loop thread. All may be called with NULL, which knows nobody.
 */
#pragma once

#include "core/loop/loop.h"

struct strangers;

struct strangers *strangers_new(struct loop *loop);
void strangers_free(struct strangers *s); /* NULL is allowed */

/* He asks to be let in. false: too often in this hour, or his server in this minute (S39): nothing is to come of it. */
bool strangers_ask(struct strangers *s, const char *jid, const char *local);
void strangers_forget(struct strangers *s, const char *jid, const char *local);      /* he took it back, or was answered */
bool strangers_waits(const struct strangers *s, const char *jid, const char *local); /* he has asked */
bool strangers_may_list(struct strangers *s, const char *jid); /* the domain; false: his server did so too often */
