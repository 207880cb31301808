#include "core/conf/devices.h"

#include "core/base/mem.h"
#include "core/conf/ident.h"
#include "core/conf/nearest.h"
#include "core/conf/pattern.h"
#include "core/conf/points.h"
#include "core/conf/repeat.h"
#include "core/conf/rows.h"
#include "core/conf/template.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

void devices_default(struct device *d)
{
	setting_defaults(rows_device, d);
	d->stale_ms = -1;
}

static void check_free(struct build *b, const struct fill *f, const struct file_node *n, const char *id)
{
	const struct device *first = map_find(&b->devices, id);
	if (!first && b->found)
		first = house_find_device(build_known(b), id);
	if (first && b->found && build_replaces(b, first, id))
		first = NULL;
	if (first)
		fill_fault(f, n, "id", "the device at %s:%d has it already", first->file, first->line);
}

static void check_id(struct build *b, const struct fill *f, const struct file_node *n, const char *id)
{
	struct err e;
	if (ident_check(id, &e) < 0)
		fill_fault(f, n, "id", "%s", e.text);
	else
		check_free(b, f, n, id);
}

static struct bus *find_bus(struct build *b, const struct fill *f, const struct file_node *n)
{
	const struct house *h = build_known(b);
	const struct file_node *word = file_find(n, "bus");
	const char *id = file_text_of(n, "bus");
	struct bus *bus = id ? house_find_bus(h, id) : NULL;
	if (bus || !id) {
		if (!word)
			fill_fault(f, n, NULL, "'bus' is missing: %s", rows_device_bus[0].help);
		else if (!id)
			fill_fault(f, word, "bus", "must be the id of a bus in quotes");
		return bus;
	}
	const char *nearest = NULL;
	size_t best = SIZE_MAX;
	for (size_t i = 0; i < h->n_buses; i++)
		if (nearest_better(h->buses[i]->id, id, &best))
			nearest = h->buses[i]->id;
	fill_fault(f, word, "bus", "there is no bus '%.60s'%s%s%s", id, nearest ? " - did you mean '" : "",
		   nearest ? nearest : "", nearest ? "'?" : "");
	return NULL;
}

/* By a thing that has stood there before. */
static bool is_taken(struct build *b, const struct fill *f, const char *local, const char *id)
{
	const struct thing *there = house_find_thing(build_known(b), local, strlen(local));
	if (!there || build_replaces(b, there->device, id))
		return false;
	fault_error(b->c, f->subject, 0, "its JID '%.100s@...' is that of device '%s' already", local, there->device->id);
	return true;
}

/* Each thing needs a localpart of its own; the first who has it keeps it. */
static void claim_local(struct build *b, const struct fill *f, const char *id, char *take_text, const char *file, int line)
{
	struct local *there = map_find(&b->locals, take_text);
	if (there) {
		fault_error(b->c, file, line, "%s: its JID '%.100s@...' is that of %s:%d already", f->subject,
			    take_text, there->file, there->line);
		mem_free(take_text);
		return;
	}
	if (b->found && is_taken(b, f, take_text, id)) {
		mem_free(take_text);
		return;
	}
	struct local *local = mem_new(sizeof(*local));
	*local = (struct local){ take_text, file, line };
	map_put(&b->locals, local->text, local);
}

static void claim_locals(struct build *b, const struct fill *f, const struct device *d)
{
	if (d->gathering == GATHER_DEVICE) {
		claim_local(b, f, d->id, mem_text(d->id), d->file, d->line);
		return;
	}
	for (size_t i = 0; i < d->n_points; i++) {
		const struct point *p = d->points[i];
		if (!p->hidden && !p->disabled)
			claim_local(b, f, d->id, p->jid ? mem_text(p->jid) : mem_format("%s.%s", d->id, p->id), p->file,
				    p->line);
	}
}

static bool needs_password(const struct build *b, const struct device *d)
{
	return b->c->xmpp.given && b->c->xmpp.mode == MODE_ACCOUNTS && d->gathering == GATHER_DEVICE &&
	       !d->password_file;
}

/* List of blocks under key, or NULL: then the row has said why. */
static const struct file_node *blocks_of(const struct file_node *n, const char *key)
{
	const struct file_node *list = file_find(n, key);
	return list && file_kind(list) == FILE_LIST ? list : NULL;
}

/* What the points of the device are made of; what cannot stand together is said. */
static struct points find_points(struct build *b, const struct fill *f, const struct file_node *n,
				 const struct protocol *protocol)
{
	const struct file_node *word = file_find(n, "template"), *points = file_find(n, "points");
	const struct file_node *override = file_find(n, "override");
	struct points from = { blocks_of(n, "points"), NULL, blocks_of(n, "override"), f->mark };
	if (word)
		from.template = template_find(b, f, word, protocol);
	else if (!points)
		fill_fault(f, n, NULL, "'points' is missing: what it measures and takes, or a template");
	if (word && points)
		fill_fault(f, points, "points", "they come from the template; write what differs into 'override'");
	if (!word && override)
		fill_fault(f, override, "override", "there is no template to write over; write 'points'");
	return from;
}

static void fill_parts_of(const struct fill *f, const struct file_node *n, const struct points *from, struct device *d,
			  const struct protocol *protocol)
{
	struct rows_device head = { 0 };
	const struct fill_layer layers[] = { { rows_device, d },
					     { rows_device_bus, &head },
					     { protocol->device, d->options } };
	const struct fill_part parts[] = { { from->template ? file_root(from->template->file) : n, rows_template },
					   { n, NULL } };
	mem_free(d->id); /* it comes again by its row */
	d->id = NULL;
	if (from->template)
		fill_parts(f, parts, 2, n, layers, 3);
	else
		fill_block(f, n, layers, 3);
	setting_free(rows_device_bus, &head);
}

static void fill_device(struct build *b, const struct fill *f, const struct file_node *n, struct device *d)
{
	const struct protocol *protocol = build_protocol(b->protocols, d->bus->protocol);
	struct err e;
	if (!protocol)
		return; /* said at the bus */
	size_t before = b->c->n_errors;
	d->options = setting_new(protocol->device, protocol->device_size);
	const struct points from = find_points(b, f, n, protocol);
	if (file_text_of(n, "template") && !from.template)
		return; /* what is missing now would have come from it */
	fill_parts_of(f, n, &from, d, protocol);
	if (needs_password(b, d))
		fill_fault(f, n, NULL, "'password_file' is missing: in accounts mode every thing logs in");
	if (b->c->n_errors == before && protocol->check_device && protocol->check_device(d, &e) < 0)
		fill_fault(f, n, NULL, "%s", e.text);
	if (d->names.n == 0 && d->id)
		names_add(&d->names, "", d->id);
	points_build(b, d, protocol, &from);
}

static void add_device(struct build *b, struct device *d)
{
	house_add_device(b->c->house, d);
	if (!map_find(&b->devices, d->id))
		map_put(&b->devices, d->id, d);
}

/* Who it is in what is said of it. */
static void name_device(char room[80], const char *id, size_t i)
{
	if (id)
		snprintf(room, 80, "device '%.60s'", id);
	else
		snprintf(room, 80, "device %zu", i + 1);
}

struct device *devices_make(struct build *b, const struct file_node *n, size_t i, const struct repeat_mark *mark, const char *id)
{
	char name[80];
	const char *written = file_text_of(n, "id");
	char *own = written && !id ? repeat_text(written, mark) : mem_text(id);
	name_device(name, own, i);
	const struct fill f = { b->c, name, name, "", mark };
	struct device *d = mem_new(sizeof(*d));
	size_t before = b->c->n_errors;
	devices_default(d);
	d->found = b->found ? mem_text(b->found->key) : NULL;
	d->level = mark && mark->mark == repeat_level ? mem_text(mark->value) : NULL;
	d->file = house_file(b->c->house, file_name(n));
	d->line = file_line(n);
	if (own && !id)
		check_id(b, &f, n, own);
	d->bus = find_bus(b, &f, n);
	if (d->bus)
		fill_device(b, &f, n, d);
	if (id || !d->id) {
		mem_free(d->id);
		d->id = mem_text(own ? own : "");
	}
	d->broken = b->c->n_errors > before;
	mem_free(own);
	return d;
}

static void take_device(struct build *b, const struct file_node *n, struct device *d, size_t i)
{
	char name[80];
	size_t before = b->c->n_errors;
	name_device(name, *d->id ? d->id : NULL, i);
	const struct fill f = { b->c, name, name, "", NULL };
	if (d->level)
		check_free(b, &f, n, d->id);
	if (!d->broken && b->c->n_errors == before)
		claim_locals(b, &f, d);
	d->broken |= b->c->n_errors > before;
	b->c->n_broken += d->broken;
	add_device(b, d);
}

void devices_build_level(struct build *b, const struct file_node *n, size_t i, const char *level, const char *id)
{
	const struct repeat_mark mark = { repeat_level, level };
	take_device(b, n, devices_make(b, n, i, &mark, id), i);
}

/* One device, or one for each of its units; a device that is wrong counts. */
static void build_devices(struct build *b, const struct file_node *n, size_t i)
{
	const char *units = file_text_of(n, "units"), *id = file_text_of(n, "id");
	struct repeat r = { 0 };
	struct err e;
	if (!units) {
		take_device(b, n, devices_make(b, n, i, NULL, NULL), i);
		return;
	}
	if (repeat_parse(units, &r, &e) < 0 ||
	    (id && !repeat_is_in(id, repeat_unit) && err_set(&e, "the id needs ${unit} in it") < 0)) {
		fault_error(b->c, file_name(n), file_line(file_find(n, "units")), "device '%.60s': units: %s",
			    id ? id : "", e.text);
		b->c->n_broken++;
	} else {
		for (size_t k = 0; k < r.n; k++) {
			const struct repeat_mark mark = { repeat_unit, r.units[k] };
			take_device(b, n, devices_make(b, n, i, &mark, NULL), i);
		}
	}
	repeat_free(&r);
}

static void build_block(struct build *b, const struct file_node *n, size_t i)
{
	if (pattern_is_found(b, n))
		pattern_expand(b, n, i);
	else if (!b->found && pattern_is(n))
		pattern_build(b, n, i);
	else
		build_devices(b, n, i);
}

void devices_build(struct build *b, const struct file_node *list)
{
	for (size_t i = 0; i < file_length(list); i++) {
		const struct file_node *n = file_at(list, i);
		size_t before = b->c->n_errors;
		if (file_kind(n) == FILE_GROUP) {
			build_block(b, n, i);
		} else {
			fault_error(b->c, file_name(n), file_line(n), "a device is a group { id = ...; ... }");
			b->c->n_broken++;
		}
		b->n_spared += b->c->n_errors - before;
	}
}
