#include "core/model/thing.h"

#include "core/base/mem.h"

#include <string.h>

enum { FEW = 8 }; /* friends that are found as fast one by one */

struct thing *thing_new(char *take_local, struct device *device)
{
	struct thing *t = mem_new(sizeof(*t));
	t->local = take_local;
	t->device = device;
	list_init(&t->friends);
	list_init(&t->pendings);
	return t;
}

void thing_free(struct thing *t)
{
	if (!t)
		return;
	list_each (at, &t->friends)
		thing_drop_friend(list_of(at, struct friend, link));
	list_each (at, &t->pendings)
		thing_drop_pending(list_of(at, struct pending, link));
	if (t->by_jid)
		map_free(t->by_jid);
	mem_free(t->by_jid);
	names_free(&t->names);
	mem_free(t->points);
	mem_free(t->local);
	mem_free(t->password_file);
	mem_free(t->key);
	mem_free(t->owner);
	mem_free(t);
}

void thing_add_point(struct thing *t, struct point *p)
{
	t->points = mem_resize(t->points, (t->n_points + 1) * sizeof(struct point *));
	t->points[t->n_points++] = p;
	p->thing = t;
}

struct point *thing_find_point(const struct thing *t, const char *id, size_t size)
{
	for (size_t i = 0; i < t->n_points; i++)
		if (strlen(t->points[i]->id) == size && memcmp(t->points[i]->id, id, size) == 0)
			return t->points[i];
	return NULL;
}

struct friend *thing_find_friend(const struct thing *t, const char *jid)
{
	if (t->by_jid)
		return map_find(t->by_jid, jid);
	list_each (at, &t->friends) {
		struct friend *f = list_of(at, struct friend, link);
		if (strcmp(f->jid, jid) == 0)
			return f;
	}
	return NULL;
}

static void index_friends(struct thing *t)
{
	t->by_jid = mem_new(sizeof(*t->by_jid));
	list_each (at, &t->friends) {
		struct friend *f = list_of(at, struct friend, link);
		map_put(t->by_jid, f->jid, f);
	}
}

struct friend *thing_add_friend(struct thing *t, const char *jid)
{
	struct friend *f = thing_find_friend(t, jid);
	if (f)
		return f;
	f = mem_new(sizeof(*f));
	f->thing = t;
	f->jid = mem_text(jid);
	list_add(&t->friends, &f->link);
	t->n_friends++;
	if (t->by_jid)
		map_put(t->by_jid, f->jid, f);
	else if (t->n_friends > FEW)
		index_friends(t);
	return f;
}

void thing_drop_friend(struct friend *f)
{
	if (!f)
		return;
	if (f->thing->by_jid)
		map_drop(f->thing->by_jid, f->jid);
	f->thing->n_friends--;
	list_drop(&f->link);
	mem_free(f->jid);
	mem_free(f);
}

struct pending *thing_find_pending(const struct thing *t, const char *jid)
{
	list_each (at, &t->pendings) {
		struct pending *p = list_of(at, struct pending, link);
		if (strcmp(p->jid, jid) == 0)
			return p;
	}
	return NULL;
}

struct pending *thing_add_pending(struct thing *t, const char *jid)
{
	struct pending *p = thing_find_pending(t, jid);
	if (p)
		return p;
	p = mem_new(sizeof(*p));
	p->jid = mem_text(jid);
	list_add(&t->pendings, &p->link);
	return p;
}

void thing_drop_pending(struct pending *p)
{
	if (!p)
		return;
	list_drop(&p->link);
	mem_free(p->jid);
	mem_free(p);
}
