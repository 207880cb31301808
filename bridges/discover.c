#include "bridges/discover.h"

#include "core/base/mem.h"
#include "core/conf/show.h"

enum {
	QUIET_MS = 1000,    /* a device tells of its points in many messages */
	PATIENCE_MS = 5000, /* somebody tells without end */
	STEP = 20,          /* devices in one turn */
};

static void note(void *ctx, const char *source, const char *why, bool strange)
{
	struct discover *d = ctx;
	log_outside(d->bridge->log, strange ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
		    "bus '%s': discovery: '%.120s' is left out: %s", d->bridge->bus->id, source, why);
}

void discover_begin(struct discover *d, struct bridge *b, struct topic_table *topics)
{
	static const char *const shapes[] = { "/+/+/config", "/+/+/+/config" };
	const struct mqtt_bus *o = b->bus->options;
	d->bridge = b;
	d->off = o->discovery == MQTT_DISCOVERY_NONE;
	d->found.rule = (struct hafound_rule){ .prefix = o->discovery_prefix,
					       .filter = &o->discovery_filter,
					       .most = (size_t)o->discovery_limit,
					       .hidden = o->discovery_diagnostic,
					       .sources = true };
	d->found.note = note;
	d->found.ctx = d;
	hafound_begin(&d->found);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]) && !d->off; i++) {
		char *filter = mem_format("%s%s", o->discovery_prefix, shapes[i]);
		topic_keep(topics, filter, 1);
		mem_free(filter);
	}
}

static void on_soon(void *ctx);

static void wait_for(struct discover *d, int64_t ms)
{
	if (d->up)
		timer_set(d->bridge->loop, &d->soon, ms, on_soon, d);
}

void discover_message(struct discover *d, const char *topic, const void *bytes, size_t size)
{
	int64_t now = loop_now(d->bridge->loop);
	if (d->off || !hafound_take(&d->found, topic, bytes, size))
		return;
	if (!d->since_ms)
		d->since_ms = now;
	int64_t left = d->since_ms + PATIENCE_MS - now;
	wait_for(d, left > QUIET_MS ? QUIET_MS : left > 0 ? left : 0);
}

/* --- what runs already --- */

static const char *source_of(const struct point *p)
{
	const struct mqtt_address *a = p->address;
	return a->discovered;
}

static bool was_discovered(const struct device *device)
{
	for (size_t i = 0; i < device->n_points; i++)
		if (source_of(device->points[i]))
			return true;
	return false;
}

/* Nothing was said of the message that told of it: it stays. */
static bool stays(void *ctx, const struct point *p)
{
	const struct discover *d = ctx;
	return source_of(p) && !hafound_knows(&d->found, source_of(p));
}

/* The devices of the bus, each once: their points stand together. */
static const struct device *next_device(const struct bridge *b, size_t *at)
{
	while (*at < b->n_points) {
		size_t i = (*at)++;
		if (i == 0 || b->points[i]->device != b->points[i - 1]->device)
			return b->points[i]->device;
	}
	return NULL;
}

static const struct device *find_running(const struct bridge *b, const char *id)
{
	const struct device *device;
	for (size_t at = 0; (device = next_device(b, &at));)
		if (strcmp(device->id, id) == 0)
			return device;
	return NULL;
}

/* --- what is told --- */

static void tell(struct discover *d, const char *id, const char *block)
{
	char *key = mem_format("homeassistant/%s", id);
	bridge_found(d->bridge, key, block);
	mem_free(key);
}

static void tell_found(struct discover *d, const struct hafound_device *found)
{
	const struct device *running = find_running(d->bridge, found->id);
	struct text block = { 0 };
	hafound_print_head(found, NULL, &block);
	text_add(&block, " points = (\n");
	size_t n = hafound_print_points(&d->found, found, ",\n", &block);
	for (size_t i = 0; running && i < running->n_points; i++) {
		const struct point *p = running->points[i];
		if (!stays(d, p) || hafound_has(found, p->id))
			continue;
		text_add(&block, n++ ? ",\n" : "");
		show_point(p, &d->bridge->driver->protocol, &block);
	}
	text_add(&block, "); }");
	tell(d, found->id, n ? block.data : NULL);
	text_free(&block);
}

/* A device that discovery told of once; what it says now has none of its points any more. */
static void tell_rest(struct discover *d, const struct device *running)
{
	struct text block = { 0 };
	bool any = show_device(running, &d->bridge->driver->protocol, stays, d, &block);
	tell(d, running->id, any ? block.data : NULL);
	text_free(&block);
}

static bool is_wrong(const struct discover *d, const struct device *running, const struct hafound_device *found)
{
	for (size_t i = 0; i < running->n_points; i++) {
		const struct point *p = running->points[i];
		bool told = source_of(p) && hafound_knows(&d->found, source_of(p));
		if (told && !(found && hafound_has(found, p->id)))
			return true;
	}
	return false;
}

/* What runs although it is not wanted any more: refused by a filter that is new, taken back while we were not there. */
static void look_through(struct discover *d)
{
	const struct device *running;
	d->since_ms = 0;
	for (size_t at = 0; (running = next_device(d->bridge, &at));) {
		const struct hafound_device *found = hafound_find(&d->found, running->id);
		if (is_wrong(d, running, found) && found)
			hafound_change(&d->found, running->id);
		else if (is_wrong(d, running, found))
			tell_rest(d, running);
	}
}

static void forget_all(struct discover *d)
{
	const struct device *running;
	for (size_t at = 0; (running = next_device(d->bridge, &at));)
		if (was_discovered(running))
			tell(d, running->id, NULL);
}

static void on_soon(void *ctx)
{
	struct discover *d = ctx;
	struct hafound_device *found = NULL;
	if (d->off) {
		forget_all(d);
		return;
	}
	for (size_t i = 0; i < STEP && (found = hafound_next(&d->found)); i++)
		tell_found(d, found);
	if (!d->found.n_changed && d->since_ms)
		look_through(d);
	if (d->found.n_changed)
		wait_for(d, 0);
}

void discover_up(struct discover *d)
{
	d->up = true;
	wait_for(d, QUIET_MS);
}

void discover_down(struct discover *d)
{
	d->up = false;
	timer_stop(d->bridge->loop, &d->soon);
}

void discover_end(struct discover *d)
{
	if (!d->bridge)
		return;
	discover_down(d);
	hafound_end(&d->found);
}
