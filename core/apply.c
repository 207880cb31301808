#include "core/apply.h"

#include "core/base/mem.h"
#include "core/conf/build.h"
#include "core/conf/same.h"
#include "core/xmpp/siot.h"

#include <string.h>

enum { TURN_POINTS = 500, FEW = 8 };

/* --- buses --- */

static void take_bus(struct house *to, struct house *from, struct bus *bus)
{
	size_t i = 0;
	while (from->buses[i] != bus)
		i++;
	from->buses[i] = from->buses[--from->n_buses];
	house_add_bus(to, bus);
	bus->file = house_file(to, bus->file);
}

static void change_bus(struct house *h, struct bus *live, struct bus *fresh)
{
	struct bus was = *live;
	live->options = fresh->options;
	live->patterns = fresh->patterns;
	live->n_patterns = fresh->n_patterns;
	fresh->options = was.options;
	fresh->patterns = was.patterns;
	fresh->n_patterns = was.n_patterns;
	live->file = house_file(h, fresh->file);
	live->line = fresh->line;
}

static void do_bus(const struct apply *a, const struct plan_bus *b)
{
	if (b->live && b->fresh)
		change_bus(a->live->house, b->live, b->fresh);
	else if (b->fresh)
		take_bus(a->live->house, a->fresh->house, b->fresh);
	else
		take_bus(a->fresh->house, a->live->house, b->live); /* before one of the same id comes */
}

/* --- devices --- */

struct finder { /* the points of a device by id */
	const struct device *device;
	struct map map;
};

static void find_begin(struct finder *f, const struct device *d)
{
	*f = (struct finder){ .device = d };
	for (size_t i = 0; d->n_points > FEW && i < d->n_points; i++)
		map_put(&f->map, d->points[i]->id, d->points[i]);
}

static struct point *find(const struct finder *f, const char *id)
{
	if (f->device->n_points > FEW)
		return map_find(&f->map, id);
	for (size_t i = 0; i < f->device->n_points; i++)
		if (strcmp(f->device->points[i]->id, id) == 0)
			return f->device->points[i];
	return NULL;
}

/* What was seen by one that is switched off is long ago. */
static bool sees_the_same(const struct apply *a, const struct point *p, const struct point *was)
{
	return !was->disabled && same_sight(was, p, build_protocol(a->protocols, p->device->bus->protocol));
}

static void inherit_point(const struct apply *a, struct point *p, struct point *was)
{
	bool knew = was->last.quality != QUALITY_UNKNOWN, same = sees_the_same(a, p, was);
	if (p->thing && knew && !same)
		p->thing->dirty = true;
	point_inherit(p, was, same);
}

static void inherit(const struct apply *a, struct device *fresh, struct device *live)
{
	struct finder by_id;
	find_begin(&by_id, live);
	for (size_t i = 0; i < fresh->n_points; i++) {
		struct point *p = fresh->points[i], *was = find(&by_id, p->id);
		if (was)
			inherit_point(a, p, was);
	}
	map_free(&by_id.map);
	if (live->group_key) {
		mem_free(fresh->group_key);
		fresh->group_key = live->group_key;
		live->group_key = NULL;
	}
}

static bool same_names(const struct names *a, const struct names *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; same && i < a->n; i++)
		same = strcmp(a->list[i].text, b->list[i].text) == 0 &&
		       strcmp(a->list[i].language, b->list[i].language) == 0;
	return same;
}

/* Of the same thing, what was and what is: the rest stays. */
static void dress(struct thing *t, struct thing *fresh)
{
	struct thing was = *t;
	t->names = fresh->names;
	t->points = fresh->points;
	t->n_points = fresh->n_points;
	t->password_file = fresh->password_file;
	t->device = fresh->device;
	t->loose = false;
	fresh->names = was.names;
	fresh->points = was.points;
	fresh->n_points = was.n_points;
	fresh->password_file = was.password_file;
	for (size_t i = 0; i < t->n_points; i++)
		t->points[i]->thing = t;
}

/* Is there something to be seen that was not there before? */
static bool looks_other(const struct thing *t, const struct thing *was)
{
	bool other = t->n_points != was->n_points || was->dirty;
	for (size_t i = 0; !other && i < t->n_points; i++)
		other = strcmp(t->points[i]->id, was->points[i]->id) != 0 ||
			!same_names(&t->points[i]->names, &was->points[i]->names) ||
			!text_same(t->points[i]->unit, was->points[i]->unit);
	return other;
}

/* It was there before: what is kept of it is in fresh, unless it has been here since: what was read from the disk a while ago may be
 * of before a friend was put out. */
static struct thing *come_back(struct apply *a, struct thing *orphan, struct thing *fresh)
{
	map_drop(&a->things->gate->orphans, orphan->local);
	if (!orphan->lost && !orphan->n_changes) {
		fresh->wants_forget |= orphan->wants_forget;
		thing_free(orphan);
		return fresh;
	}
	dress(orphan, fresh);
	thing_free(fresh);
	return orphan;
}

static void change_thing(struct apply *a, struct thing *t, struct thing *fresh)
{
	dress(t, fresh);
	bool renamed = !same_names(&t->names, &fresh->names);
	if (renamed || looks_other(t, fresh))
		things_change(a->things, t, renamed);
	thing_free(fresh);
}

static void take_thing(struct apply *a, struct thing *fresh)
{
	struct house *h = a->live->house;
	struct thing *t = house_find_thing(h, fresh->local, strlen(fresh->local));
	struct thing *orphan = map_find(&a->things->gate->orphans, fresh->local);
	map_drop(&a->fresh->house->things, fresh->local);
	if (t) {
		change_thing(a, t, fresh);
		return;
	}
	if (orphan)
		fresh = come_back(a, orphan, fresh);
	else if (gate_is_somebodys(fresh))
		fresh->wants_forget = true; /* it has been forgotten since it was read from the disk */
	map_put(&h->things, fresh->local, fresh);
	things_join(a->things, fresh);
}

static void take_things(struct apply *a, const struct device *d)
{
	const struct thing *last = NULL;
	for (size_t i = 0; i < d->n_points; i++) {
		struct thing *fresh = d->points[i]->thing;
		if (!fresh || fresh == last)
			continue;
		take_thing(a, fresh);
		last = d->points[i]->thing;
	}
}

static void take_device(struct apply *a, struct device *d, struct device *live)
{
	struct house *h = a->live->house;
	d->bus = house_find_bus(h, d->bus->id);
	d->file = house_file(h, d->file);
	d->joining = true;
	for (size_t i = 0; i < d->n_points; i++)
		d->points[i]->file = house_file(h, d->points[i]->file);
	if (live)
		inherit(a, d, live);
	house_add_device(h, d);
	map_put(&h->by_id, d->id, d);
	take_things(a, d);
}

/* --- in order --- */

void apply_begin(struct apply *a)
{
	const struct plan *p = a->plan;
	for (size_t i = 0; i < p->n_buses; i++)
		do_bus(a, &p->buses[i]);
	for (size_t i = 0; i < p->n_devices; i++) {
		const struct device *live = p->devices[i].live;
		for (size_t k = 0; live && k < live->n_points; k++)
			if (live->points[k]->thing)
				live->points[k]->thing->loose = true;
	}
	a->next = 0;
}

bool apply_some(struct apply *a)
{
	const struct plan *p = a->plan;
	for (size_t n = 0; a->next < p->n_devices && n < TURN_POINTS; a->next++) {
		const struct plan_device *d = &p->devices[a->next];
		if (d->fresh)
			take_device(a, d->fresh, d->live);
		n += 1 + (d->fresh ? d->fresh->n_points : 0);
	}
	return a->next < p->n_devices;
}

/* Of what strangers can make and take back at will, only what somebody has to do with is kept. */
static bool is_kept(const struct thing *t, const struct device *live)
{
	return !live->found || gate_is_somebodys(t);
}

/* It stays registered until somebody says `jidgate forget`. */
static void lose(struct apply *a, struct thing *t, const struct device *live)
{
	things_drop(a->things, t);
	map_drop(&a->live->house->things, t->local);
	t->device = NULL;
	t->n_points = 0;
	t->loose = false;
	t->lost = true;
	map_put(&a->things->gate->orphans, t->local, t);
	if (!is_kept(t, live))
		siot_forget(a->things, t);
}

static void lose_things(struct apply *a, const struct device *live)
{
	for (size_t k = 0; k < live->n_points; k++) {
		struct thing *t = live->points[k]->thing;
		live->points[k]->thing = NULL;
		if (t && t->loose)
			lose(a, t, live);
	}
}

static void move_devices(struct house *live, struct house *fresh)
{
	size_t n = 0;
	for (size_t i = 0; i < fresh->n_devices; i++)
		if (!fresh->devices[i]->joining)
			fresh->devices[n++] = fresh->devices[i];
	fresh->n_devices = n;
	n = 0;
	for (size_t i = 0; i < live->n_devices; i++) {
		struct device *d = live->devices[i];
		if (d->leaving && house_find_device(live, d->id) == d)
			map_drop(&live->by_id, d->id);
		if (d->leaving)
			house_add_device(fresh, d);
		else
			live->devices[n++] = d;
	}
	live->n_devices = n;
}

void apply_end(struct apply *a)
{
	const struct plan *p = a->plan;
	for (size_t i = 0; i < p->n_devices; i++)
		if (p->devices[i].live)
			lose_things(a, p->devices[i].live);
	move_devices(a->live->house, a->fresh->house);
}
