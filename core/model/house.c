#include "core/model/house.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <string.h>

struct house *house_new(void)
{
	return mem_new(sizeof(struct house));
}

static void free_options(const struct house *h, void *options)
{
	if (h->free_options)
		h->free_options(options);
	else
		mem_free(options);
}

void house_free_device(const struct house *h, struct device *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n_points; i++) {
		free_options(h, d->points[i]->address);
		point_free(d->points[i]);
	}
	mem_free(d->points);
	free_options(h, d->options);
	names_free(&d->names);
	mem_free(d->password_file);
	mem_free(d->group_key);
	mem_free(d->found);
	mem_free(d->level);
	mem_free(d->id);
	mem_free(d);
}

static void free_pattern(struct pattern *p)
{
	for (size_t i = 0; i < p->n_filters; i++)
		mem_free(p->filters[i]);
	mem_free(p->filters);
	mem_free(p->id);
	mem_free(p->text);
}

static void free_bus(const struct house *h, struct bus *bus)
{
	if (!bus)
		return;
	free_options(h, bus->options);
	for (size_t i = 0; i < bus->n_patterns; i++)
		free_pattern(&bus->patterns[i]);
	mem_free(bus->patterns);
	mem_free(bus->id);
	mem_free(bus);
}

void house_free(struct house *h)
{
	if (!h)
		return;
	struct thing *t;
	for (size_t at = 0; (t = map_next(&h->things, &at));)
		thing_free(t);
	map_free(&h->things);
	map_free(&h->by_id);
	for (size_t i = 0; i < h->n_devices; i++)
		house_free_device(h, h->devices[i]);
	for (size_t i = 0; i < h->n_buses; i++)
		free_bus(h, h->buses[i]);
	for (size_t i = 0; i < h->n_files; i++)
		mem_free(h->files[i]);
	mem_free(h->devices);
	mem_free(h->buses);
	mem_free(h->files);
	mem_free(h);
}

const char *house_file(struct house *h, const char *file)
{
	for (size_t i = h->n_files; i > 0; i--)
		if (strcmp(h->files[i - 1], file) == 0)
			return h->files[i - 1];
	h->files = mem_resize(h->files, (h->n_files + 1) * sizeof(char *));
	h->files[h->n_files] = mem_text(file);
	return h->files[h->n_files++];
}

void house_add_bus(struct house *h, struct bus *bus)
{
	h->buses = mem_resize(h->buses, (h->n_buses + 1) * sizeof(struct bus *));
	h->buses[h->n_buses++] = bus;
}

void house_add_device(struct house *h, struct device *d)
{
	h->devices = mem_resize(h->devices, (h->n_devices + 1) * sizeof(struct device *));
	h->devices[h->n_devices++] = d;
	if (!d->broken && !map_find(&h->by_id, d->id))
		map_put(&h->by_id, d->id, d);
}

struct device *house_find_device(const struct house *h, const char *id)
{
	return map_find(&h->by_id, id);
}

static struct point *find_in(const struct device *d, const char *id)
{
	for (size_t i = 0; d && i < d->n_points; i++)
		if (strcmp(d->points[i]->id, id) == 0)
			return d->points[i];
	return NULL;
}

struct point *house_find_point(const struct house *h, const char *name)
{
	struct point *p = NULL;
	char *device = mem_text(name);
	for (char *dot = strchr(device, '.'); dot && !p; dot = strchr(dot + 1, '.')) {
		*dot = '\0';
		p = find_in(house_find_device(h, device), name + (dot - device) + 1);
		*dot = '.';
	}
	mem_free(device);
	return p;
}

struct bus *house_find_bus(const struct house *h, const char *id)
{
	for (size_t i = 0; i < h->n_buses; i++)
		if (strcmp(h->buses[i]->id, id) == 0)
			return h->buses[i];
	return NULL;
}

struct thing *house_find_thing(const struct house *h, const char *local, size_t size)
{
	return map_find_n(&h->things, local, size);
}

/* "Boiler" and "Set point" give "Boiler Set point", in every language the point has. */
static void join_names(struct names *to, const struct device *d, const struct point *p)
{
	for (size_t i = 0; i < p->names.n; i++) {
		const struct name *name = &p->names.list[i];
		char *joined = mem_format("%s %s", names_find(&d->names, name->language), name->text);
		names_add(to, name->language, joined);
		mem_free(joined);
	}
}

static struct thing *thing_of_point(struct point *p)
{
	char *local = p->jid ? mem_text(p->jid) : mem_format("%s.%s", p->device->id, p->id);
	struct thing *t = thing_new(local, p->device);
	join_names(&t->names, p->device, p);
	t->password_file = mem_text(p->password_file);
	thing_add_point(t, p);
	return t;
}

static struct thing *thing_of_device(struct device *d)
{
	struct thing *t = thing_new(mem_text(d->id), d);
	names_copy(&t->names, &d->names);
	t->password_file = mem_text(d->password_file);
	for (size_t i = 0; i < d->n_points; i++) {
		struct point *p = d->points[i];
		if (!p->disabled && !p->hidden)
			thing_add_point(t, p);
	}
	return t;
}

static int add_thing(struct house *h, struct thing *t, struct err *e)
{
	const struct thing *there = map_find(&h->things, t->local);
	if (there) {
		err_set(e, "device '%s': its thing '%s' has the JID of one of device '%s'", t->device->id, t->local,
			there->device->id);
		for (size_t i = 0; i < t->n_points; i++)
			t->points[i]->thing = NULL;
		thing_free(t);
		return -1;
	}
	map_put(&h->things, t->local, t);
	return 0;
}

int house_make_things_of(struct house *h, struct device *d, struct err *e)
{
	if (d->gathering == GATHER_DEVICE)
		return add_thing(h, thing_of_device(d), e);
	for (size_t i = 0; i < d->n_points; i++) {
		struct point *p = d->points[i];
		if (!p->disabled && !p->hidden && add_thing(h, thing_of_point(p), e) < 0)
			return -1;
	}
	return 0;
}

int house_make_things(struct house *h, struct err *e)
{
	for (size_t i = 0; i < h->n_devices; i++)
		if (!h->devices[i]->broken && house_make_things_of(h, h->devices[i], e) < 0)
			return -1;
	return 0;
}
