#include "tests/lib/rig.h"

#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_S = 100 }; /* of real time */

static void on_sample(void *ctx, struct point *p, enum news news)
{
	struct rig *rig = ctx;
	rig->n_samples++;
	if (rig->on_sample)
		rig->on_sample(rig, p, news);
}

static void on_state(void *ctx, struct bridge *b)
{
	struct rig *rig = ctx;
	rig->n_up += b->state == BRIDGE_UP;
	rig->n_away += b->state == BRIDGE_AWAY;
	rig->n_closed += b->state == BRIDGE_CLOSED;
}

static void on_found(void *ctx, struct bridge *b, const char *key, const char *block)
{
	struct rig *rig = ctx;
	(void)b;
	rig->n_found++;
	if (rig->on_found)
		rig->on_found(rig, key, block);
}

static const struct bridge_events events = { on_sample, on_state, on_found };

static void fill_one(const struct setting *rows, void *filled, char *key, const char *value)
{
	char *dot = strchr(key, '.');
	struct err e;
	if (dot)
		*dot = '\0';
	const struct setting *row = setting_find(rows, key);
	must(row);
	if (row->flags & SETTING_GIVEN)
		*((char *)filled + row->given) = true;
	if (dot) {
		fill_one(row->rows, (char *)filled + row->offset, dot + 1, value);
		return;
	}
	if (setting_parse(row, value, filled, &e) < 0) {
		fprintf(stderr, "%s: %s\n", key, e.text);
		abort();
	}
}

static void *fill(const struct setting *rows, size_t size, const char *options)
{
	void *filled = setting_new(rows, size);
	char *copy = mem_text(options ? options : ""), *rest = copy, *pair;
	while ((pair = strsep(&rest, ";"))) {
		pair += strspn(pair, " ");
		char *value = strchr(pair, '=');
		if (!value)
			continue;
		*value++ = '\0';
		fill_one(rows, filled, pair, value);
	}
	mem_free(copy);
	return filled;
}

struct rig *rig_new(const struct bridge_driver *driver, const char *options)
{
	struct rig *rig = mem_new(sizeof(*rig));
	alarm(PATIENCE_S);
	rig->driver = driver;
	rig->loop = loop_new();
	log_init(&rig->log, LOG_LEVEL_DEBUG, getenv("RIG_LOG") ? stderr : NULL);
	rig->house = house_new();
	rig->house->free_options = setting_drop;
	rig->house->buses = mem_array(1, sizeof(struct bus *));
	rig->house->n_buses = 1;
	rig->bus = rig->house->buses[0] = mem_new(sizeof(struct bus));
	rig->bus->id = mem_text("bus");
	rig->bus->protocol = driver->protocol.name;
	rig->bus->options = fill(driver->protocol.options, driver->protocol.options_size, options);
	return rig;
}

struct device *rig_device(struct rig *rig, const char *id, const char *options)
{
	struct house *h = rig->house;
	struct device *d = mem_new(sizeof(*d));
	d->id = mem_text(id);
	d->bus = rig->bus;
	d->stale_ms = -1;
	d->options = fill(rig->driver->protocol.device, rig->driver->protocol.device_size, options);
	h->devices = mem_resize(h->devices, (h->n_devices + 1) * sizeof(struct device *));
	h->devices[h->n_devices++] = d;
	return d;
}

struct point *rig_point(struct rig *rig, struct device *d, const char *id, enum type type, const char *options)
{
	struct point *p = mem_new(sizeof(*p));
	*p = (struct point){ .id = mem_text(id), .type = type, .access = ACCESS_READ, .decimals = -1, .device = d };
	p->poll_ms = rig->driver->protocol.poll_ms;
	p->write_deadline_ms = 5000;
	p->address = fill(rig->driver->protocol.address, rig->driver->protocol.address_size, options);
	d->points = mem_resize(d->points, (d->n_points + 1) * sizeof(struct point *));
	d->points[d->n_points++] = p;
	return p;
}

static int check_device(const struct protocol *protocol, struct device *d, struct err *e)
{
	if (protocol->check_device && protocol->check_device(d, e) < 0)
		return -1;
	for (size_t i = 0; i < d->n_points; i++)
		if (protocol->check && protocol->check(d->points[i], e) < 0)
			return -1;
	return 0;
}

int rig_check(struct rig *rig, struct err *e)
{
	const struct protocol *protocol = &rig->driver->protocol;
	if (protocol->check_bus && protocol->check_bus(rig->bus, e) < 0)
		return -1;
	for (size_t i = 0; i < rig->house->n_devices; i++)
		if (check_device(protocol, rig->house->devices[i], e) < 0)
			return -1;
	return 0;
}

void rig_start(struct rig *rig)
{
	struct err e;
	if (rig_check(rig, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		abort();
	}
	rig->bridge = bridge_new(rig->driver, rig->bus, rig->house, rig->loop, &rig->log, &events, rig);
	bridge_start(rig->bridge);
}

void rig_free(struct rig *rig)
{
	if (rig->bridge)
		bridge_stop(rig->bridge);
	RIG_UNTIL(rig, !rig->bridge || rig->bridge->state == BRIDGE_CLOSED);
	bridge_free(rig->bridge);
	house_free(rig->house);
	log_end(&rig->log);
	loop_free(rig->loop);
	mem_free(rig);
	alarm(0);
}

static void on_done(struct request *r, int status, const struct sample *shown, const struct err *why)
{
	struct rig_ask *a = r->ctx;
	a->n_done++;
	a->status = status;
	a->confirmed = r->confirmed;
	if (why)
		a->why = *why;
	if (!shown)
		return;
	sample_free(&a->shown);
	a->shown = *shown;
	a->shown.value = value_copy(&shown->value);
}

void rig_ask_read(struct rig *rig, struct rig_ask *a, struct point *p, int64_t deadline_ms)
{
	a->request = (struct request){ .point = p, .deadline_ms = loop_now(rig->loop) + deadline_ms, .done = on_done };
	a->request.ctx = a;
	bridge_ask(rig->bridge, &(struct request *){ &a->request }, 1);
}

void rig_ask_write(struct rig *rig, struct rig_ask *a, struct point *p, const char *shown, int64_t deadline_ms)
{
	struct value v = { 0 };
	struct err e;
	a->request = (struct request){ .point = p, .write = true, .done = on_done, .ctx = a };
	a->request.deadline_ms = loop_now(rig->loop) + deadline_ms;
	must(point_parse(p, shown, strlen(shown), &v, &e) == 0);
	must(point_to_raw(p, &v, &a->request.raw, &e) == 0);
	value_free(&v);
	bridge_ask(rig->bridge, &(struct request *){ &a->request }, 1);
}

void rig_ask_free(struct rig_ask *a)
{
	sample_free(&a->shown);
}

int rig_read(struct rig *rig, struct point *p, char ret[DECIMAL_ROOM])
{
	struct rig_ask a = { 0 };
	char room[DECIMAL_ROOM];
	rig_ask_read(rig, &a, p, p->write_deadline_ms);
	RIG_UNTIL(rig, a.n_done);
	if (ret)
		strncpy(ret, value_print(&a.shown.value, room), DECIMAL_ROOM - 1)[DECIMAL_ROOM - 1] = '\0';
	rig_ask_free(&a);
	return a.status;
}

int rig_write(struct rig *rig, struct point *p, const char *shown)
{
	struct rig_ask a = { 0 };
	rig_ask_write(rig, &a, p, shown, p->write_deadline_ms);
	RIG_UNTIL(rig, a.n_done);
	rig_ask_free(&a);
	return a.status;
}
