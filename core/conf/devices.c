#include "core/conf/devices.h"

#include "core/base/mem.h"
#include "core/conf/ident.h"
#include "core/conf/nearest.h"
#include "core/conf/points.h"
#include "core/conf/rows.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

void devices_default(struct device *d)
{
	setting_defaults(rows_device, d);
	d->stale_ms = -1;
}

static void check_id(struct build *b, const struct fill *f, const struct file_node *n, const char *id)
{
	struct err e;
	const struct device *first = map_find(&b->devices, id);
	if (ident_check(id, &e) < 0)
		fill_fault(f, n, "id", "%s", e.text);
	else if (first)
		fill_fault(f, n, "id", "the device at %s:%d has it already", first->file, first->line);
}

static struct bus *find_bus(struct build *b, const struct fill *f, const struct file_node *n)
{
	const struct house *h = b->c->house;
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

/* Each thing needs a localpart of its own; the first who has it keeps it. */
static void claim_local(struct build *b, const struct fill *f, char *take_text, const char *file, int line)
{
	struct local *there = map_find(&b->locals, take_text);
	if (there) {
		fault_error(b->c, file, line, "%s: its JID '%.100s@...' is that of %s:%d already", f->subject,
			    take_text, there->file, there->line);
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
		claim_local(b, f, mem_text(d->id), d->file, d->line);
		return;
	}
	for (size_t i = 0; i < d->n_points; i++) {
		const struct point *p = d->points[i];
		if (!p->hidden && !p->disabled)
			claim_local(b, f, p->jid ? mem_text(p->jid) : mem_format("%s.%s", d->id, p->id), p->file,
				    p->line);
	}
}

static bool needs_password(const struct build *b, const struct device *d)
{
	return b->c->xmpp.given && b->c->xmpp.mode == MODE_ACCOUNTS && d->gathering == GATHER_DEVICE &&
	       !d->password_file;
}

static void fill_device(struct build *b, const struct fill *f, const struct file_node *n, struct device *d)
{
	const struct protocol *protocol = build_protocol(b->protocols, d->bus->protocol);
	const struct file_node *points = file_find(n, "points");
	struct rows_device head = { 0 };
	struct err e;
	if (!protocol)
		return; /* said at the bus */
	size_t before = b->c->n_errors;
	d->options = setting_new(protocol->device, protocol->device_size);
	mem_free(d->id); /* it comes again by its row */
	d->id = NULL;
	const struct fill_layer layers[] = { { rows_device, d },
					     { rows_device_bus, &head },
					     { protocol->device, d->options } };
	fill_block(f, n, layers, 3);
	setting_free(rows_device_bus, &head);
	if (needs_password(b, d))
		fill_fault(f, n, NULL, "'password_file' is missing: in accounts mode every thing logs in");
	if (b->c->n_errors == before && protocol->check_device && protocol->check_device(d, &e) < 0)
		fill_fault(f, n, NULL, "%s", e.text);
	if (d->names.n == 0 && d->id)
		names_add(&d->names, "", d->id);
	if (points && file_kind(points) == FILE_LIST)
		points_build(b, d, protocol, points);
}

static void add_device(struct build *b, struct device *d)
{
	struct house *h = b->c->house;
	h->devices = mem_resize(h->devices, (h->n_devices + 1) * sizeof(struct device *));
	h->devices[h->n_devices++] = d;
	if (!map_find(&b->devices, d->id))
		map_put(&b->devices, d->id, d);
}

static void build_device(struct build *b, const struct file_node *n, size_t i)
{
	char name[80];
	const char *id = file_text_of(n, "id");
	if (id)
		snprintf(name, sizeof(name), "device '%.60s'", id);
	else
		snprintf(name, sizeof(name), "device %zu", i + 1);
	const struct fill f = { b->c, name, name, "" };
	struct device *d = mem_new(sizeof(*d));
	size_t before = b->c->n_errors;
	devices_default(d);
	d->file = house_file(b->c->house, file_name(n));
	d->line = file_line(n);
	if (id)
		check_id(b, &f, n, id);
	d->bus = find_bus(b, &f, n);
	if (d->bus)
		fill_device(b, &f, n, d);
	if (!d->id)
		d->id = mem_text(id ? id : "");
	if (b->c->n_errors == before)
		claim_locals(b, &f, d);
	d->broken = b->c->n_errors > before;
	add_device(b, d);
}

void devices_build(struct build *b, const struct file_node *list)
{
	for (size_t i = 0; i < file_length(list); i++) {
		const struct file_node *n = file_at(list, i);
		size_t before = b->c->n_errors;
		if (file_kind(n) == FILE_GROUP)
			build_device(b, n, i);
		else
			fault_error(b->c, file_name(n), file_line(n), "a device is a group { id = ...; ... }");
		b->c->n_broken += b->c->n_errors > before;
		b->n_spared += b->c->n_errors - before;
	}
}
