/*
 * What must survive a kill -9 and a power cut: one SQLite database (WAL, synchronous=FULL) in the state directory.
 *
 * Rule of all callers: persist first, then speak. A write is handed to the store's thread and `done` comes on the loop thread
 * when it is on disk; several writes that wait share one commit, in order. Reads happen at start, before the loop runs.
 * Statements are rows of a table in statements.c; callers name them and give texts, NULL for null. Schema version and
 * migration are in schema.c. Several processes may have it open (jidgate labels beside the daemon).
 */
#pragma once

#include "core/base/err.h"
#include "core/loop/loop.h"

enum store_write {
	/* the thing's side */
	STORE_THING_ADD,    /* local, key, group: nothing if it is there */
	STORE_THING_KEY,    /* local, key|NULL, acknowledged "0"|"1" */
	STORE_THING_OWNER,  /* local, owner|NULL; owner set makes the key null */
	STORE_THING_RESET,  /* local, new key: forgets owner, friends, pendings and the wish "reset" of the thing */
	STORE_THING_FORGET, /* local: everything of it */
	STORE_THING_WANT,   /* local, "reset"|"forget"|NULL: what the command line wants the daemon to do */
	STORE_GROUP_ADD,    /* group (device id), key: nothing if it is there */
	STORE_GROUP_KEY,    /* group, key: replaces it */
	STORE_FRIEND_PUT,   /* local, jid, subscription "0".."3", role "0".."2", asked "0"|"1" */
	STORE_FRIEND_DROP,  /* local, jid */
	STORE_PENDING_PUT,  /* local, jid, state, subscribed_first "0"|"1" */
	STORE_PENDING_DROP, /* local, jid */
	STORE_COUNTER_PUT,  /* point as "device.point", modulus, reading, turns, speed, utc ms of the reading */
	STORE_FOUND_PUT,    /* bus, key, block: a device that the bus told of */
	STORE_FOUND_DROP,   /* bus, key */
	/* the provisioning service's side */
	STORE_REG_PUT, /* jid, name (attribute|NULL), names as "lang\tname\n...", key_hash|NULL, group|NULL, group_key_hash|NULL, owner|NULL, since */
	STORE_REG_DROP,          /* jid: and its decisions */
	STORE_DECISION_PUT,      /* thing jid, requestor, state "yes"|"no"|"pending", since */
	STORE_DECISION_DROP,     /* thing jid, requestor */
	STORE_DECISION_DROP_ALL, /* thing jid */
	STORE_WRITES
};

enum store_read {
	STORE_THINGS,    /* local, key, group, acknowledged, owner, want */
	STORE_GROUPS,    /* group, key */
	STORE_FRIENDS,   /* local, jid, subscription, role, asked */
	STORE_PENDINGS,  /* local, jid, state, subscribed_first */
	STORE_COUNTERS,  /* as STORE_COUNTER_PUT */
	STORE_FOUNDS,    /* bus, key, block */
	STORE_REGS,      /* as STORE_REG_PUT */
	STORE_DECISIONS, /* thing jid, requestor, state, since */
	STORE_READS
};

struct store;

/* Opens or makes directory/jidgate.db, private to its user. A file that is there but empty, foreign, newer or not writable
 * is refused and left alone: lost state must not look like a beginning. loop NULL: for the command line; then writes happen
 * at once, in the call. */
struct store *store_open(const char *directory, struct loop *loop, struct err *e);

/* Waits until what was handed over is on disk and its dones were called. NULL is allowed; not inside a done. */
void store_close(struct store *s);

/* done (may be NULL) gets 0 or -1 with the sentence; loop thread. Values are copied. A change of a thing or registration
 * that is not there fails. */
void store_put(struct store *s, enum store_write what, const char *const *values,
	       void (*done)(void *ctx, int status, const struct err *why), void *ctx);

/* Between begin and end all puts become durable together or not at all. No nesting. */
void store_begin(struct store *s);
void store_end(struct store *s);

/* Calls row for every row; at start or in the command line only, it blocks. */
int store_each(struct store *s, enum store_read what, void (*row)(void *ctx, const char *const *values), void *ctx,
	       struct err *e);
