/*
 * May he? The one function that every way in goes through, and the only code that changes who is let in.
 *
 * Rules (wire.md S13, S14): the owner may everything; a roster item from or both may read and write; the provisioning
 * service sees presence and nothing else; nobody decides = no. A no takes effect in memory at once and is persisted then;
 * a yes takes effect when it is durable. Owned by gateway.c; loop thread. JIDs are bare and prepared (jid_bare).
 */
#pragma once

#include "core/base/err.h"
#include "core/base/log.h"
#include "core/loop/loop.h"
#include "core/model/house.h"
#include "core/store/store.h"

enum right {
	RIGHT_SEE, /* presence, that it exists, what it is called */
	RIGHT_READ,
	RIGHT_WRITE,
};

struct gate {
	struct house *house;
	struct store *store;
	struct loop *loop;
	struct log *log;
	char *service;       /* JID of the provisioning service, bare, or NULL */
	bool server_roster;  /* accounts mode: the server keeps subscriptions, stored here is only who was told no */
	uint64_t changes;    /* counts what was asked of the store */
	struct list retries; /* retry.c's: changes that the disk has refused so far */
	struct map orphans;  /* local -> struct thing, owned: kept, but of no configuration (any more) */
};

/* What the caller hears, once: the change is durable (status 0), or was overtaken or given up at exit (-1: say nothing). A disk
 * that refuses is asked again until it takes it. */
struct gate_after {
	void (*fn)(void *ctx, struct thing *t, const char *jid, int status);
	void *ctx;
};

bool gate_may(const struct thing *t, const char *jid, enum right right);

/* Who speaks through the control socket, in the place of a JID: root and the users whom the socket lets in. He has what the machine
 * gives him anyway, and is told apart from everybody else by this address in memory, not by its text: nobody who comes in at the
 * north can be him. */
extern const char gate_operator[];
bool gate_is_somebodys(const struct thing *t); /* it has an owner, or others than the service know it */
bool gate_is_owner(const struct thing *t, const char *jid);
bool gate_is_service(const struct gate *g, const char *jid);

/* friends.c: roster items. after may be NULL. Who is let in has no request any more. */
void gate_let_in(struct gate *g, struct thing *t, const char *jid, enum role role, const struct gate_after *after);
void gate_put_out(struct gate *g, struct thing *t, const char *jid, const struct gate_after *after);
void gate_set_subscription(struct gate *g, struct thing *t, const char *jid, enum subscription s, bool asked,
			   const struct gate_after *after); /* the `to` half; NONE drops the item */
void gate_confirm_out(struct gate *g, struct thing *t,
		      const char *jid); /* accounts mode: the server shows that he is out */
void gate_own(struct gate *g, struct thing *t, const char *owner,
	      const struct gate_after *after);          /* not while resetting */
void gate_acknowledge(struct gate *g, struct thing *t); /* the service has answered our register; in memory at once */
/* Factory reset: forgets owner, key, friends and pendings at once; a new key is there when that is durable, and after comes. What
 * is to be said to former friends the caller has gathered before. Not while one is under way (thing.resetting). */
void gate_reset(struct gate *g, struct thing *t, const struct gate_after *after);
/* Everything that is kept of it; also the orphan. false: a change that the disk has refused still needs it: at the next start. */
bool gate_forget(struct gate *g, const char *local);

/* pending.c: requests that wait. -1: too many wait for this thing. */
int gate_remember(struct gate *g, struct thing *t, const char *jid, enum pending_state state, bool subscribed_first);
void gate_forget_pending(struct gate *g, struct thing *t, const char *jid);
bool gate_may_ask(const struct pending *p, int64_t now_ms);       /* not denied a moment ago (S19) */
void gate_deny(struct gate *g, struct thing *t, const char *jid); /* kept in memory for 5 minutes only */

/* key.c: 24 characters of 32 kinds, 120 bits of getrandom, "TWNK-KD5Y-..." (S4). */
enum { GATE_KEY_ROOM = 30 };
void gate_new_key(char ret[GATE_KEY_ROOM]);

/* load.c: at start, before the loop runs. gate_prepare gives a key to things that are new (store of the command line: writes at
 * once); gate_load brings what is kept into the house. -1 with the sentence. */
int gate_prepare(const struct house *house, struct store *store, struct err *e);
int gate_load(struct gate *g, struct err *e);
void gate_end(struct gate *g); /* what the disk refused until now is given up */
