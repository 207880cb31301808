#include "core/plan.h"

#include "core/base/mem.h"
#include "core/conf/build.h"
#include "core/conf/rows.h"
#include "core/conf/same.h"

#include <string.h>

struct planning {
	struct plan *plan;
	const struct house *live, *fresh;
	const struct protocol *const *protocols;
	bool (*concerns)(const void *ctx, const struct device *d);
	const void *ctx;
	struct map broken; /* ids that stand there with a mistake -> struct device */
	bool nameless;     /* somewhere is a mistake, and it is not known whose it is: nobody is taken away */
	struct map kept;   /* id -> struct device: they stay as they run */
};

static void add_bus(struct plan *p, struct bus *live, struct bus *fresh)
{
	p->buses = mem_resize(p->buses, (p->n_buses + 1) * sizeof(*p->buses));
	p->buses[p->n_buses++] = (struct plan_bus){ live, fresh };
}

static void add_device(struct plan *p, struct device *live, struct device *fresh)
{
	p->devices[p->n_devices++] = (struct plan_device){ live, fresh };
	p->n_added += !live;
	p->n_gone += !fresh;
	p->n_changed += live && fresh;
}

/* Another protocol is another bus. */
static void compare_bus(struct planning *g, struct bus *live)
{
	struct bus *fresh = house_find_bus(g->fresh, live->id);
	if (fresh && text_same(fresh->protocol, live->protocol)) {
		if (!same_bus(live, fresh, build_protocol(g->protocols, live->protocol)))
			add_bus(g->plan, live, fresh);
		return;
	}
	add_bus(g->plan, live, NULL);
	if (fresh)
		add_bus(g->plan, NULL, fresh);
}

static void compare_buses(struct planning *g)
{
	for (size_t i = 0; i < g->live->n_buses; i++)
		compare_bus(g, g->live->buses[i]);
	for (size_t i = 0; i < g->fresh->n_buses; i++)
		if (!house_find_bus(g->live, g->fresh->buses[i]->id))
			add_bus(g->plan, NULL, g->fresh->buses[i]);
}

static const struct plan_bus *change_of(const struct plan *p, const struct bus *live)
{
	for (size_t i = 0; i < p->n_buses; i++)
		if (p->buses[i].live == live)
			return &p->buses[i];
	return NULL;
}

static void keep(struct planning *g, struct device *d, const char *why)
{
	text_addf(&g->plan->notes, "device '%s': stays as it runs: %s\n", d->id, why);
	map_put(&g->kept, d->id, d);
}

/* It is no longer there, or not rightly. */
static void miss(struct planning *g, struct device *live)
{
	const struct plan_bus *bus = change_of(g->plan, live->bus);
	if (bus && !bus->fresh)
		add_device(g->plan, live, NULL); /* there is nothing that it could stay on */
	else if (map_find(&g->broken, live->id))
		keep(g, live, "there is a mistake in its new configuration");
	else if (g->nameless)
		keep(g, live, "there is a mistake in a device whose id is not known");
	else
		add_device(g->plan, live, NULL);
}

static void compare_device(struct planning *g, struct device *live)
{
	struct device *fresh = house_find_device(g->fresh, live->id);
	if (!fresh)
		miss(g, live);
	else if (change_of(g->plan, live->bus) || !text_same(live->bus->protocol, fresh->bus->protocol) ||
		 !same_device(live, fresh, build_protocol(g->protocols, live->bus->protocol)))
		add_device(g->plan, live, fresh);
	else
		g->plan->n_same++;
}

static void compare_devices(struct planning *g)
{
	g->plan->devices = mem_array(g->live->n_devices + g->fresh->n_devices, sizeof(*g->plan->devices));
	for (size_t i = 0; i < g->live->n_devices; i++) {
		struct device *live = g->live->devices[i];
		if (live->broken)
			continue;
		if (g->concerns(g->ctx, live))
			compare_device(g, live);
		else
			map_put(&g->kept, live->id, live);
	}
	for (size_t i = 0; i < g->fresh->n_devices; i++) {
		struct device *fresh = g->fresh->devices[i];
		if (!fresh->broken && !house_find_device(g->live, fresh->id))
			add_device(g->plan, NULL, fresh);
	}
}

/* Whose JID is that of one that stays as it runs? */
static const struct device *rival(const struct planning *g, const struct device *fresh)
{
	for (size_t i = 0; i < fresh->n_points; i++) {
		const struct thing *t = fresh->points[i]->thing;
		const struct thing *there = t ? house_find_thing(g->live, t->local, strlen(t->local)) : NULL;
		if (there && map_find(&g->kept, there->device->id) == there->device)
			return there->device;
	}
	return NULL;
}

/* One that cannot come stays as it was, and may be in the way of another one then. */
static bool give_way(struct planning *g, struct plan_device *d)
{
	const struct device *other = d->fresh ? rival(g, d->fresh) : NULL;
	if (!other)
		return false;
	text_addf(&g->plan->notes, "device '%s': its JID is that of device '%s', which stays as it runs: left out\n",
		  d->fresh->id, other->id);
	g->plan->n_added -= !d->live;
	g->plan->n_changed -= d->live != NULL;
	if (d->live)
		map_put(&g->kept, d->live->id, d->live);
	*d = g->plan->devices[--g->plan->n_devices];
	return true;
}

static void settle(struct planning *g)
{
	bool again = g->kept.n > 0;
	while (again) {
		again = false;
		for (size_t i = 0; i < g->plan->n_devices; i++)
			again |= give_way(g, &g->plan->devices[i]);
	}
}

static void note_restarts(struct plan *p, const struct conf *live, const struct conf *fresh)
{
	for (const struct setting *row = rows_file; row->key; row++)
		if (row->type == SETTING_GROUP && !same_row(row, live, fresh))
			text_addf(&p->notes, "%s: it has changed, and that needs a restart: what runs stays\n",
				  row->key);
}

static void note_broken(struct planning *g, const struct conf *fresh)
{
	size_t n = 0;
	for (size_t i = 0; i < g->fresh->n_devices; i++) {
		struct device *d = g->fresh->devices[i];
		if (!d->broken || !*d->id)
			continue;
		n++;
		map_put(&g->broken, d->id, d);
	}
	g->nameless = fresh->n_broken > n;
}

void plan_make(struct plan *p, const struct conf *live, const struct conf *fresh, bool whole,
	       bool (*concerns)(const void *ctx, const struct device *d), const void *ctx,
	       const struct protocol *const *protocols)
{
	struct planning g = { .plan = p,
			      .live = live->house,
			      .fresh = fresh->house,
			      .protocols = protocols,
			      .concerns = concerns,
			      .ctx = ctx };
	*p = (struct plan){ 0 };
	note_broken(&g, fresh);
	if (whole) {
		note_restarts(p, live, fresh);
		compare_buses(&g);
	}
	compare_devices(&g);
	settle(&g);
	map_free(&g.broken);
	map_free(&g.kept);
}

void plan_free(struct plan *p)
{
	mem_free(p->buses);
	mem_free(p->devices);
	text_free(&p->notes);
	*p = (struct plan){ 0 };
}
