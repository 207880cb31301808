#include "core/conf/show.h"

#include "core/base/mem.h"
#include "core/conf/build.h"
#include "core/conf/devices.h"
#include "core/conf/points.h"
#include "core/conf/rows.h"
#include "core/conf/scalar.h"

#include <string.h>

/* Rows, the struct they filled, and the same struct as a block that says nothing gives it. */
struct layer {
	const struct setting *rows;
	const void *filled, *defaults;
};

enum { MOST_LAYERS = 4 };

static const char mark[] = "  # default";

static void indent(struct text *to, int depth)
{
	for (int i = 0; i < depth; i++)
		text_add(to, "\t");
}

static const void *inside(const void *filled, size_t offset)
{
	return (const char *)filled + offset;
}

/* True when it says something that is not the default. */
static bool show_value(const struct setting *row, const struct layer *l, struct text *to, int depth)
{
	struct text now = { 0 }, before = { 0 };
	bool set = setting_print(row, l->filled, &now), known = setting_print(row, l->defaults, &before);
	bool same = known && set && !(row->flags & SETTING_REQUIRED) && strcmp(now.data, before.data) == 0;
	if (set) {
		indent(to, depth);
		text_addf(to, "%s = %s;%s\n", row->key, now.data, same ? mark : "");
	}
	text_free(&now);
	text_free(&before);
	return set && !same;
}

static bool show_secret(const struct setting *row, const struct layer *l, struct text *to, int depth)
{
	const char *const *file = inside(l->filled, row->file);
	if (!row->file || !*file)
		return show_value(row, l, to, depth);
	indent(to, depth);
	text_addf(to, "%s_file = ", row->key);
	scalar_quote(to, *file);
	text_add(to, ";\n");
	return true;
}

static bool show_layers(const struct layer *layers, size_t n, const char *skip, struct text *to, int depth);

static bool show_list(const struct setting *row, const struct layer *l, struct text *to, int depth)
{
	struct setting_list list;
	memcpy(&list, inside(l->filled, row->offset), sizeof(list));
	if (list.n == 0)
		return false;
	void *defaults = setting_new(row->rows, row->size);
	indent(to, depth);
	text_addf(to, "%s = (\n", row->key);
	for (size_t i = 0; i < list.n; i++) {
		const struct layer element = { row->rows, inside(list.elements, i * row->size), defaults };
		indent(to, depth + 1);
		text_add(to, "{\n");
		show_layers(&element, 1, NULL, to, depth + 2);
		indent(to, depth + 1);
		text_add(to, i + 1 < list.n ? "},\n" : "}\n");
	}
	indent(to, depth);
	text_add(to, ");\n");
	setting_drop(defaults);
	return true;
}

static bool has_required(const struct setting *rows)
{
	for (; rows->key; rows++)
		if (rows->flags & SETTING_REQUIRED)
			return true;
	return false;
}

/* The group of one key in all layers. Whether it stood in the file decides, where that is known; else a group that says
 * nothing but defaults is left out if it could not stand there without more. */
static bool show_group(const char *key, const struct layer *layers, size_t n, struct text *to, int depth)
{
	struct layer inner[MOST_LAYERS];
	size_t n_inner = 0;
	bool given = false, asked = false, required = false;
	for (size_t i = 0; i < n; i++) {
		const struct setting *row = setting_find(layers[i].rows, key);
		if (!row)
			continue;
		inner[n_inner++] = (struct layer){ row->rows, inside(layers[i].filled, row->offset),
						   inside(layers[i].defaults, row->offset) };
		asked = asked || (row->flags & SETTING_GIVEN);
		given = given || ((row->flags & SETTING_GIVEN) && *((const bool *)layers[i].filled + row->given));
		required = required || has_required(row->rows);
	}
	struct text body = { 0 };
	bool news = show_layers(inner, n_inner, NULL, &body, depth + 1);
	if (asked ? given : news || (!required && body.size)) {
		indent(to, depth);
		text_addf(to, "%s = {\n%s", key, body.data ? body.data : "");
		indent(to, depth);
		text_add(to, "};\n");
	}
	text_free(&body);
	return news || given;
}

static bool show_row(const struct setting *row, const struct layer *layers, size_t n, size_t i, struct text *to,
		     int depth)
{
	if (row->type == SETTING_BLOCKS)
		return false;
	if (row->type == SETTING_LIST)
		return show_list(row, &layers[i], to, depth);
	if (row->type == SETTING_SECRET)
		return show_secret(row, &layers[i], to, depth);
	if (row->type != SETTING_GROUP)
		return show_value(row, &layers[i], to, depth);
	for (size_t earlier = 0; earlier < i; earlier++)
		if (setting_find(layers[earlier].rows, row->key))
			return false; /* shown there, with ours in it */
	return show_group(row->key, layers, n, to, depth);
}

static bool show_layers(const struct layer *layers, size_t n, const char *skip, struct text *to, int depth)
{
	bool news = false;
	for (size_t i = 0; i < n; i++)
		for (const struct setting *row = layers[i].rows; row && row->key; row++)
			if (!skip || strcmp(skip, row->key) != 0)
				news |= show_row(row, layers, n, i, to, depth);
	return news;
}

static void show_bus(const struct bus *bus, const struct protocol *const *protocols, struct text *to)
{
	const struct protocol *protocol = build_protocol(protocols, bus->protocol);
	if (!protocol)
		return;
	struct rows_bus head = { mem_text(bus->id), mem_text(bus->protocol) }, none = { 0 };
	void *defaults = setting_new(protocol->options, protocol->options_size);
	const struct layer layers[] = { { rows_bus, &head, &none }, { protocol->options, bus->options, defaults } };
	text_add(to, "\t{\n");
	show_layers(layers, 2, NULL, to, 2);
	text_add(to, "\t}");
	setting_drop(defaults);
	setting_free(rows_bus, &head);
}

void show_point(const struct point *p, const struct protocol *protocol, struct text *to)
{
	struct point none = { 0 };
	void *address = setting_new(protocol->address, protocol->address_size);
	points_default(&none, p->device, protocol);
	if (none.stale_ms < 0)
		none.stale_ms = points_stale(p);
	names_add(&none.names, "", p->id);
	const struct layer layers[] = { { rows_point, p, &none }, { protocol->address, p->address, address } };
	text_add(to, "{\n");
	show_layers(layers, 2, p->access & ACCESS_WRITE ? NULL : "write", to, 4);
	text_add(to, "\t\t\t}");
	setting_drop(address);
	setting_free(rows_point, &none);
}

/* bus: NULL: it is not said */
static void show_head(const struct device *d, const struct protocol *protocol, const char *bus, struct text *to)
{
	struct device none = { 0 };
	struct rows_device head = { .bus = mem_text(bus) }, no_head = { 0 };
	void *options = setting_new(protocol->device, protocol->device_size);
	devices_default(&none);
	names_add(&none.names, "", d->id);
	const struct layer layers[] = { { rows_device, d, &none },
					{ rows_device_bus, &head, &no_head },
					{ protocol->device, d->options, options } };
	show_layers(layers, 3, NULL, to, 2);
	setting_drop(options);
	setting_free(rows_device_bus, &head);
	setting_free(rows_device, &none);
}

static bool show_block(const struct device *d, const struct protocol *protocol, const char *bus,
		       bool (*keep)(void *ctx, const struct point *p), void *ctx, struct text *to)
{
	bool any = false;
	text_add(to, "{\n");
	show_head(d, protocol, bus, to);
	text_add(to, "\t\tpoints = (\n");
	for (size_t i = 0; i < d->n_points; i++) {
		if (!keep(ctx, d->points[i]))
			continue;
		text_add(to, any ? ",\n\t\t\t" : "\t\t\t");
		show_point(d->points[i], protocol, to);
		any = true;
	}
	text_addf(to, "%s\t\t);\n\t}", any ? "\n" : "");
	return any;
}

bool show_device(const struct device *d, const struct protocol *protocol,
		 bool (*keep)(void *ctx, const struct point *p), void *ctx, struct text *to)
{
	return show_block(d, protocol, NULL, keep, ctx, to);
}

static bool keep_all(void *ctx, const struct point *p)
{
	(void)ctx, (void)p;
	return true;
}

static void show_house(const struct house *h, const struct protocol *const *protocols, struct text *to)
{
	bool first = true;
	text_add(to, "\nbuses = (\n");
	for (size_t i = 0; i < h->n_buses; i++) {
		show_bus(h->buses[i], protocols, to);
		text_add(to, i + 1 < h->n_buses ? ",\n" : "\n");
	}
	text_add(to, ");\n\n");
	for (size_t i = 0; i < h->n_devices; i++)
		if (h->devices[i]->broken)
			text_addf(to, "# %s:%d: device '%s' is left out\n", h->devices[i]->file, h->devices[i]->line,
				  h->devices[i]->id);
	text_add(to, "devices = (\n");
	for (size_t i = 0; i < h->n_devices; i++) {
		if (h->devices[i]->broken)
			continue;
		text_add(to, first ? "" : ",\n");
		text_add(to, "\t");
		show_block(h->devices[i], build_protocol(protocols, h->devices[i]->bus->protocol),
			   h->devices[i]->bus->id, keep_all, NULL, to);
		first = false;
	}
	for (size_t i = 0; i < h->n_buses; i++)
		for (size_t k = 0; k < h->buses[i]->n_patterns; k++) {
			text_addf(to, "%s\t%s", first ? "" : ",\n", h->buses[i]->patterns[k].text);
			first = false;
		}
	text_add(to, first ? ");\n" : "\n);\n");
}

void show_conf(const struct conf *c, const struct protocol *const *protocols, struct text *to)
{
	struct conf none = { 0 };
	setting_defaults(rows_file, &none);
	none.xmpp.mode = c->xmpp.mode;
	rows_complete(&none);
	none.xmpp.mode = MODE_COMPONENT;
	const struct layer layer = { rows_file, c, &none };
	show_layers(&layer, 1, NULL, to, 0);
	if (c->house)
		show_house(c->house, protocols, to);
	setting_free(rows_file, &none);
}
