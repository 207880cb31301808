#include "core/gate/gate.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/gate/retry.h"
#include "core/model/past.h"

/*
 * Who owns the thing, and the factory reset that ends all of it. An owner: persist, then memory, then speak. A reset: memory,
 * then persist, then speak; until it holds there is neither owner nor key, and no owner is taken. What the disk refuses is
 * tried again; an owner that was overtaken by a newer one or by a reset no longer takes effect.
 */

struct keep {
	struct retry retry;
	struct thing *thing;
	char *value; /* owner or key */
	char *device, *group; /* reset: its device and the device's new key, NULL if it has none */
	uint64_t number;
	struct gate_after after;
};

static struct keep *keep_of(struct retry *r)
{
	return list_of(r, struct keep, retry);
}

static void keep_end(struct keep *k, int status)
{
	if (k->after.fn)
		k->after.fn(k->after.ctx, k->thing, k->value, status);
	k->thing->n_changes--;
	mem_free(k->value);
	mem_free(k->device);
	mem_free(k->group);
	mem_free(k);
}

static void give_up(struct retry *r)
{
	keep_end(keep_of(r), -1);
}

static struct keep *keep_new(struct gate *g, struct thing *t, const char *value, void (*again)(struct retry *r),
			     const struct gate_after *after)
{
	struct keep *k = mem_new(sizeof(*k));
	*k = (struct keep){ .retry = { .gate = g, .again = again, .give_up = give_up },
			    .thing = t,
			    .value = mem_text(value),
			    .number = t->change };
	t->n_changes++;
	if (after)
		k->after = *after;
	return k;
}

static void replace(char **at, const char *value)
{
	mem_free(*at);
	*at = mem_text(value);
}

static bool is_newest(const struct keep *k)
{
	return k->thing->change == k->number;
}

static void owner_stored(void *ctx, int status, const struct err *why)
{
	struct keep *k = ctx;
	if (!is_newest(k)) {
		keep_end(k, -1);
	} else if (status < 0) {
		retry_later(&k->retry, k->thing, "its owner", why);
	} else {
		replace(&k->thing->owner, k->value);
		replace(&k->thing->key, NULL); /* it is void once somebody owns the thing (S11) */
		keep_end(k, 0);
	}
}

static void store_owner(struct retry *r)
{
	struct keep *k = keep_of(r);
	const char *const put[] = { k->thing->local, k->value };
	if (is_newest(k))
		store_put(r->gate->store, STORE_THING_OWNER, put, owner_stored, k);
	else
		keep_end(k, -1);
}

void gate_own(struct gate *g, struct thing *t, const char *owner, const struct gate_after *after)
{
	must(!t->resetting);
	t->change = ++g->changes;
	store_owner(&keep_new(g, t, owner, store_owner, after)->retry);
}

/* Not tried again: it is only a note that the service knows the key. */
static void acknowledged(void *ctx, int status, const struct err *why)
{
	struct keep *k = ctx;
	if (status < 0)
		log_error(k->retry.gate->log, "thing '%s': could not be stored: %s", k->thing->local, why->text);
	keep_end(k, status);
}

void gate_acknowledge(struct gate *g, struct thing *t)
{
	const char *const put[] = { t->local, t->key, "1" };
	must(t->key);
	if (t->acknowledged)
		return;
	t->acknowledged = true;
	store_put(g->store, STORE_THING_KEY, put, acknowledged, keep_new(g, t, t->key, NULL, NULL));
}

static void reset_stored(void *ctx, int status, const struct err *why)
{
	struct keep *k = ctx;
	if (status < 0) {
		retry_later(&k->retry, k->thing, "its reset", why);
		return;
	}
	replace(&k->thing->key, k->value);
	if (k->group && k->thing->device) /* else it has left the house meanwhile */
		replace(&k->thing->device->group_key, k->group);
	k->thing->resetting = false;
	keep_end(k, 0);
}

/* Accounts mode: until the server's roster shows it. */
static void store_out(struct gate *g, const struct thing *t, const struct friend *f)
{
	const char *const put[] = { t->local, f->jid, "0", "0", "0" };
	if (f->out)
		store_put(g->store, STORE_FRIEND_PUT, put, NULL, NULL);
}

/* The key of the whole device was void with the claim, or is known to the former owner: it is renewed too. */
static void store_reset(struct retry *r)
{
	struct keep *k = keep_of(r);
	const char *const put[] = { k->thing->local, k->value };
	store_begin(r->gate->store);
	if (k->group)
		store_put(r->gate->store, STORE_GROUP_KEY, (const char *const[]){ k->device, k->group },
			  NULL, NULL);
	store_put(r->gate->store, STORE_THING_RESET, put, reset_stored, k);
	list_each (at, &k->thing->friends)
		store_out(r->gate, k->thing, list_of(at, struct friend, link));
	store_end(r->gate->store);
}

static void forget_friend(struct gate *g, struct friend *f)
{
	f->out |= g->server_roster && (f->subscription & SUBSCRIPTION_FROM);
	f->subscription = SUBSCRIPTION_NONE;
	f->asked = false;
	f->change = ++g->changes;
	if (!f->out)
		thing_drop_friend(f);
}

static void forget_all(struct gate *g, struct thing *t)
{
	list_each (at, &t->friends)
		forget_friend(g, list_of(at, struct friend, link));
	list_each (at, &t->pendings)
		thing_drop_pending(list_of(at, struct pending, link));
	for (size_t i = 0; i < t->n_points; i++)
		if (t->points[i]->past)
			past_clear(t->points[i]->past); /* it is not the next owner's */
	replace(&t->owner, NULL);
	replace(&t->key, NULL);
	t->acknowledged = false;
	t->resetting = true;
}

void gate_reset(struct gate *g, struct thing *t, const struct gate_after *after)
{
	char key[GATE_KEY_ROOM], group[GATE_KEY_ROOM];
	must(!t->resetting);
	gate_new_key(key);
	gate_new_key(group);
	t->change = ++g->changes;
	struct keep *k = keep_new(g, t, key, store_reset, after);
	if (t->device->group_key) {
		k->device = mem_text(t->device->id);
		k->group = mem_text(group);
	}
	forget_all(g, t);
	store_reset(&k->retry);
}

bool gate_forget(struct gate *g, const char *local)
{
	const char *const put[] = { local };
	const struct thing *t = map_find(&g->orphans, local);
	if (t && t->n_changes)
		return false;
	store_put(g->store, STORE_THING_FORGET, put, NULL, NULL);
	thing_free(map_drop(&g->orphans, local));
	return true;
}
