/*
 * A thing: one JID, its points, who owns it and who its friends are. Plain data with helpers; core/gate decides,
 * core/store keeps it. Things belong to the house. Loop thread.
 */
#pragma once

#include "core/base/list.h"
#include "core/base/map.h"
#include "core/model/names.h"
#include "core/model/point.h"

/* A roster item of the thing, seen from the thing (RFC 6121): from = the friend sees and may read the thing. */
enum subscription { SUBSCRIPTION_NONE = 0, SUBSCRIPTION_FROM = 1, SUBSCRIPTION_TO = 2, SUBSCRIPTION_BOTH = 3 };
enum role {
	ROLE_FRIEND,
	ROLE_OWNER,
	ROLE_SERVICE
}; /* the provisioning service sees presence but has no data rights (S14) */

struct friend
{
	struct list link; /* in thing.friends */
	struct thing *thing;
	char *jid;        /* bare, normalised */
	enum subscription subscription;
	enum role role;
	bool asked;      /* we sent subscribe and wait */
	bool out;        /* accounts mode: told no, and the server's roster does not show it yet; kept over restarts */
	uint64_t change; /* the gate's: number of the newest change, so that an older one cannot overtake it */
};

/* Where a stranger's request stands (siot S18-S23). */
enum pending_state {
	PENDING_ASKING,   /* is-friend-query in flight */
	PENDING_WAITING,  /* the service said pending, or could not be asked: we say nothing to the requestor */
	PENDING_APPROVED, /* the owner said yes before the requestor asked: the next subscribe is granted */
	PENDING_DENIED,   /* no, kept only for a while (S19); never stored */
};

struct pending {
	struct list link; /* in thing.pendings */
	char *jid;        /* bare, normalised */
	enum pending_state state;
	bool subscribed_first; /* a subscribe is waiting for the answer (else only pre-approval) */
	int64_t until_ms;      /* monotonic: end of a denial, or next time to ask; 0: none */
};

struct thing {
	char *local; /* JID localpart, escaped and prepared; key in house.things */
	struct names names;
	struct device *device;
	struct point **points; /* not owned */
	size_t n_points;
	char *password_file; /* accounts mode */

	/* kept by the store */
	char *key;            /* claim key, NULL once owned (it is void then) */
	char *owner;          /* bare JID or NULL */
	bool acknowledged;    /* the service has answered our register */
	bool wants_reset;     /* the command line asked for a factory reset */
	bool wants_forget;    /* somebody asked to unregister it when it was of no configuration */
	bool resetting;       /* the gate's: a reset is not durable yet; there is no owner and no key */
	uint64_t change;      /* the gate's: number of the newest owner or reset */
	size_t n_changes;     /* the gate's: not durable yet; until then the thing is not freed */
	bool lost;            /* core/apply.c's: it has been in this house, so what memory knows of it is the newest */
	bool loose;           /* core/apply.c's: its device leaves, and nothing else has taken it over */
	struct list friends;  /* struct friend, owned */
	size_t n_friends;
	struct map *by_jid;   /* of friends, when there are many: each stanza asks for one */
	struct list pendings; /* struct pending, owned */

	/* awake */
	bool stated;      /* presence was sent in this session of the link */
	int64_t spoke_ms; /* monotonic time of the last presence */
	bool dirty;       /* presence is due */
	struct list dirty_link;
	int n_wishes;    /* wishes in flight, bounded by LIMIT_WISHES_THING */
};

struct thing *thing_new(char *take_local, struct device *device);
void thing_free(struct thing *t);
void thing_add_point(struct thing *t, struct point *p);
struct point *thing_find_point(const struct thing *t, const char *id, size_t size);
struct friend *thing_find_friend(const struct thing *t, const char *jid);
struct friend *thing_add_friend(struct thing *t, const char *jid); /* the one there is, or a new one with none */
void thing_drop_friend(struct friend *f);                          /* also frees; NULL allowed */
struct pending *thing_find_pending(const struct thing *t, const char *jid);
struct pending *thing_add_pending(struct thing *t, const char *jid);
void thing_drop_pending(struct pending *p); /* also frees; NULL allowed */
