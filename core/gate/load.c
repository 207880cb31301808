#include "core/gate/gate.h"

#include "core/base/mem.h"
#include "core/base/text.h"
#include "core/gate/retry.h"

#include <string.h>

/* What the store keeps, into the house. Rows of things that no configuration has any more are left alone: they stay registered
 * until somebody says `jidgate forget`. */

static struct thing *find(const struct house *h, const char *local)
{
	return local ? house_find_thing(h, local, strlen(local)) : NULL;
}

static bool is_device(const struct device *d)
{
	return !d->broken && d->gathering == GATHER_POINTS && d->n_points > 1;
}

struct failure {
	int status;
	struct err *e;
};

static void note_failure(void *ctx, int status, const struct err *why)
{
	struct failure *f = ctx;
	if (status == 0 || f->status < 0)
		return;
	f->status = status;
	if (f->e)
		*f->e = *why;
}

static void prepare_thing(struct store *store, const struct thing *t, struct failure *ret)
{
	char key[GATE_KEY_ROOM];
	gate_new_key(key);
	const char *const put[] = { t->local, key, is_device(t->device) ? t->device->id : NULL };
	store_put(store, STORE_THING_ADD, put, note_failure, ret);
}

static void prepare_group(struct store *store, const struct device *d, struct failure *ret)
{
	char key[GATE_KEY_ROOM];
	gate_new_key(key);
	const char *const put[] = { d->id, key };
	store_put(store, STORE_GROUP_ADD, put, note_failure, ret);
}

struct known {
	struct map locals;
	struct list list;
};

struct known_local {
	struct list link;
	char local[];
};

static void know(void *ctx, const char *const *values)
{
	struct known *known = ctx;
	size_t size = strlen(values[0]) + 1;
	struct known_local *k = mem_new(sizeof(*k) + size);
	memcpy(k->local, values[0], size);
	list_add(&known->list, &k->link);
	map_put(&known->locals, k->local, k);
}

static void forget_known(struct known *known)
{
	struct list *at;
	map_free(&known->locals);
	while ((at = list_pop(&known->list)))
		mem_free(list_of(at, struct known_local, link));
}

int gate_prepare(const struct house *house, struct store *store, struct err *e)
{
	struct known known = { 0 };
	struct failure failure = { 0, e };
	const struct thing *t;
	list_init(&known.list);
	if (store_each(store, STORE_THINGS, know, &known, e) < 0) {
		forget_known(&known);
		return -1;
	}
	store_begin(store);
	for (size_t at = 0; (t = map_next(&house->things, &at));)
		if (!map_find(&known.locals, t->local))
			prepare_thing(store, t, &failure);
	for (size_t i = 0; i < house->n_devices; i++)
		if (is_device(house->devices[i]))
			prepare_group(store, house->devices[i], &failure);
	store_end(store);
	forget_known(&known);
	return failure.status;
}

static void load_orphan(struct gate *g, const char *const *values)
{
	struct thing *t = thing_new(mem_text(values[0]), NULL);
	t->owner = mem_text(values[4]);
	t->wants_forget = text_same(values[5], "forget");
	map_put(&g->orphans, t->local, t);
}

static void load_thing(void *ctx, const char *const *values)
{
	struct gate *g = ctx;
	struct thing *t = find(g->house, values[0]);
	if (!t) {
		load_orphan(g, values);
		return;
	}
	t->key = mem_text(values[1]);
	t->acknowledged = text_same(values[3], "1");
	t->owner = mem_text(values[4]);
	t->wants_reset = text_same(values[5], "reset");
	t->wants_forget = text_same(values[5], "forget");
}

static void load_group(void *ctx, const char *const *values)
{
	struct gate *g = ctx;
	struct device *d = house_find_device(g->house, values[0]);
	if (d && is_device(d))
		d->group_key = mem_text(values[1]);
}

static struct thing *find_with_orphans(struct gate *g, const char *local)
{
	struct thing *t = find(g->house, local);
	return t || !local ? t : map_find(&g->orphans, local);
}

static int digit(const char *text, int most)
{
	return text && text[0] >= '0' && text[0] <= '0' + most && !text[1] ? text[0] - '0' : 0;
}

static void load_friend(void *ctx, const char *const *values)
{
	struct gate *g = ctx;
	struct thing *t = find_with_orphans(g, values[0]);
	bool out = digit(values[2], SUBSCRIPTION_BOTH) == SUBSCRIPTION_NONE;
	if (!t || (g->server_roster && !out))
		return; /* the server's roster is the truth but for those who were told no */
	if (g->server_roster) {
		thing_add_friend(t, values[1])->out = true;
		return;
	}
	enum role role = (enum role)digit(values[3], ROLE_SERVICE);
	bool service = gate_is_service(g, values[1]);
	if ((role == ROLE_OWNER && !gate_is_owner(t, values[1])) || (role == ROLE_SERVICE && !service))
		return; /* he was let in as that, and is it no more */
	struct friend *f = thing_add_friend(t, values[1]);
	f->subscription = (enum subscription)digit(values[2], SUBSCRIPTION_BOTH);
	f->role = service ? ROLE_SERVICE : role;
	f->asked = text_same(values[4], "1");
}

static void load_pending(void *ctx, const char *const *values)
{
	struct gate *g = ctx;
	struct thing *t = find(g->house, values[0]);
	if (!t)
		return;
	struct pending *p = thing_add_pending(t, values[1]);
	p->state = text_same(values[2], "2") ? PENDING_APPROVED : PENDING_WAITING;
	p->subscribed_first = text_same(values[3], "1");
}

int gate_load(struct gate *g, struct err *e)
{
	static const struct {
		enum store_read what;
		void (*row)(void *ctx, const char *const *values);
	} tables[] = {
		{ STORE_THINGS, load_thing },
		{ STORE_GROUPS, load_group },
		{ STORE_FRIENDS, load_friend },
		{ STORE_PENDINGS, load_pending },
	};
	list_init(&g->retries);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (store_each(g->store, tables[i].what, tables[i].row, g, e) < 0)
			return -1;
	return 0;
}

void gate_end(struct gate *g)
{
	struct thing *t;
	retry_end_all(g);
	for (size_t at = 0; (t = map_next(&g->orphans, &at));)
		thing_free(t);
	map_free(&g->orphans);
	mem_free(g->service);
}
