#include "core/gate/gate.h"

#include "core/base/mem.h"

/* Who owns the thing, and the factory reset that ends all of it. Persist, then memory, then speak; forgetting goes first. */

struct keep {
	struct gate *gate;
	struct thing *thing;
	char *value; /* owner or key */
	struct gate_after after;
};

static struct keep *keep_new(struct gate *g, struct thing *t, const char *value, const struct gate_after *after)
{
	struct keep *k = mem_new(sizeof(*k));
	*k = (struct keep){ .gate = g, .thing = t, .value = mem_text(value) };
	if (after)
		k->after = *after;
	return k;
}

static void keep_end(struct keep *k, int status, const struct err *why)
{
	if (status < 0)
		log_error(k->gate->log, "thing '%s': its state could not be stored: %s", k->thing->local, why->text);
	if (k->after.fn)
		k->after.fn(k->after.ctx, k->thing, k->value, status);
	mem_free(k->value);
	mem_free(k);
}

static void owner_done(void *ctx, int status, const struct err *why)
{
	struct keep *k = ctx;
	if (status == 0) {
		mem_free(k->thing->owner);
		k->thing->owner = mem_text(k->value);
		mem_free(k->thing->key); /* it is void once somebody owns the thing (S11) */
		k->thing->key = NULL;
	}
	keep_end(k, status, why);
}

void gate_own(struct gate *g, struct thing *t, const char *owner, const struct gate_after *after)
{
	const char *const put[] = { t->local, owner };
	store_put(g->store, STORE_THING_OWNER, put, owner_done, keep_new(g, t, owner, after));
}

static void acknowledge_done(void *ctx, int status, const struct err *why)
{
	struct keep *k = ctx;
	if (status == 0)
		k->thing->acknowledged = true;
	keep_end(k, status, why);
}

void gate_acknowledge(struct gate *g, struct thing *t)
{
	const char *const put[] = { t->local, t->key, "1" };
	store_put(g->store, STORE_THING_KEY, put, acknowledge_done, keep_new(g, t, t->key, NULL));
}

static void reset_done(void *ctx, int status, const struct err *why)
{
	struct keep *k = ctx;
	if (status == 0) {
		mem_free(k->thing->key);
		k->thing->key = mem_text(k->value);
	}
	keep_end(k, status, why);
}

static void group_done(void *ctx, int status, const struct err *why)
{
	struct keep *k = ctx;
	if (status == 0) {
		mem_free(k->thing->device->group_key);
		k->thing->device->group_key = mem_text(k->value);
	}
	keep_end(k, status, why);
}

/* The key of the whole device was void with the claim, or is known to the former owner. */
static void renew_group(struct gate *g, struct thing *t)
{
	char key[GATE_KEY_ROOM];
	gate_new_key(key);
	const char *const put[] = { t->device->id, key };
	if (t->device->group_key)
		store_put(g->store, STORE_GROUP_KEY, put, group_done, keep_new(g, t, key, NULL));
}

void gate_reset(struct gate *g, struct thing *t, const struct gate_after *after)
{
	char key[GATE_KEY_ROOM];
	gate_new_key(key);
	const char *const put[] = { t->local, key };
	list_each(at, &t->friends) thing_drop_friend(list_of(at, struct friend, link));
	list_each(at, &t->pendings) thing_drop_pending(list_of(at, struct pending, link));
	mem_free(t->owner);
	t->owner = NULL;
	t->acknowledged = false;
	g->changes++;
	store_begin(g->store);
	renew_group(g, t);
	store_put(g->store, STORE_THING_RESET, put, reset_done, keep_new(g, t, key, after));
	store_end(g->store);
}

void gate_forget(struct gate *g, const char *local)
{
	const char *const put[] = { local };
	store_put(g->store, STORE_THING_FORGET, put, NULL, NULL);
}
