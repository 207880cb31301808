/*
 * What the service knows while it runs: things, owners, groups and decisions, each found by hash. It is the copy of what the
 * store holds; only changes (change.h) that are on disk go in, but for a refusal, which counts at once.
 *
 * The registry owns all of these structs. Loop thread; no I/O.
 */
#pragma once

#include "core/base/list.h"
#include "core/base/map.h"
#include "core/loop/loop.h"
#include "core/model/names.h"
#include "core/provisioner/fingerprint.h"

enum verdict { VERDICT_NONE, VERDICT_PENDING, VERDICT_YES, VERDICT_NO, VERDICTS };

struct registry {
	struct map things;          /* bare JID: struct registration */
	struct map owners;          /* bare JID: struct owner */
	struct map keys;            /* fingerprint_index: struct holder */
	struct map domains;         /* domain: struct domain */
	struct list ages[VERDICTS]; /* struct decision by in_age, the oldest first */
	struct loop *loop;          /* of the owners' timers */
};

/* Who a key belongs to; thing and group NULL: taken by a registration that is not on disk yet. */
struct holder {
	struct fingerprint print;
	struct registration *thing;
	struct group *group;
};

struct group { /* things of one device that share a second key (x:group) */
	struct holder holder;
	char *id;
	char *domain;        /* of all members' JIDs: another server's things do not get in with a copied label */
	char *claimant;      /* who used the key, or is about to; nobody else may use it again (S11) */
	bool spent;          /* it was used */
	unsigned users;      /* claims and registrations in flight, and members */
	unsigned n_claims;   /* in flight */
	struct list members; /* struct registration by in_group */
};

struct owner {
	char *jid; /* bare */
	struct registry *registry;
	struct list things; /* struct registration by in_owner, the first claimed first */
	size_t n_things;
	struct map people;   /* requestor: struct person */
	struct list waiting; /* struct decision by in_waiting: pending ones, the oldest first */
	size_t n_waiting;
	size_t n_untold;     /* of them, he was not told about yet */
	struct timer notice; /* when the next notification is due */
	int64_t since;       /* loop_now of the first of n_notices, which are those of a minute */
	unsigned n_notices;
	struct list in_due;
};

struct person { /* a requestor, with all the decisions of one owner about him */
	char *jid;
	struct owner *owner;
	struct list decisions; /* struct decision by in_person */
};

struct decision {
	char *requestor; /* bare */
	struct registration *thing;
	enum verdict verdict;  /* on disk */
	unsigned refusals;     /* a no is on its way to the disk: it counts already */
	bool unsaved;          /* a no that the disk did not take: it counts while this runs */
	bool told;             /* the owner was told that somebody waits */
	bool named;            /* and who */
	int64_t since;         /* ms since 1970 */
	struct person *person; /* NULL while the thing has no owner */
	struct list in_thing, in_person, in_waiting, in_age;
};

struct registration {
	char *jid;   /* bare */
	bool stored; /* false: the first registration is on its way to the disk */
	char *name;  /* the attribute, or NULL */
	struct names names;
	bool keyed; /* has a key; it is spent when there is an owner */
	struct holder holder;
	struct group *group; /* or NULL */
	struct list in_group;
	struct owner *owner; /* or NULL */
	struct list in_owner;
	int64_t since;        /* ms since 1970: claimed, or registered */
	struct map decisions; /* requestor: struct decision */
	struct list decided;  /* the same by in_thing, the oldest first */
	size_t n[VERDICTS];   /* how many of them */
	struct list changes;  /* struct change, the first is being saved */
	size_t n_changes;

	/* awake */
	bool online;
	char *resource; /* of the last available presence, "" for none */
	unsigned due;   /* what attend.c is to tell it */
	struct list in_due;
};

void registry_init(struct registry *r, struct loop *loop);
void registry_free(struct registry *r);

struct registration *registry_find(const struct registry *r, const char *jid); /* also those that are not stored yet */
struct registration *registry_add(struct registry *r, const char *jid);        /* NULL: too many */
void registry_drop(struct registry *r, struct registration *thing);            /* with its decisions */
struct owner *registry_owner(const struct registry *r, const char *jid);       /* NULL: owns nothing */
void registry_set_owner(struct registry *r, struct registration *thing, const char *jid,
			int64_t since);       /* NULL: nobody */
const char *registry_domain(const char *jid); /* of a bare JID */
bool registry_owns(const struct registration *thing, const char *jid);

/* How it is called in that language, or at all; its JID if it has no name. */
const char *registry_name(const struct registration *thing, const char *language);
