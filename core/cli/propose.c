#include "core/cli/propose.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/conf/ids.h"
#include "core/conf/repeat.h"
#include "core/conf/scalar.h"

enum { ID_MOST = 60 };

/* In a configuration "${unit}" means something else (repeat.h): people can read the rest without it. */
static void add_label(struct text *to, const char *key, const char *value)
{
	char label[LIMIT_NAME];
	text_quote(label, sizeof(label), value, strlen(value));
	for (char *at = label; (at = strstr(at, "${"));)
		*at = '?';
	scalar_put(to, key, label);
}

static bool is_sayable(const char *text)
{
	bool plain = !text || (text_is_clean(text, strlen(text)) && !repeat_is_any(text));
	for (; plain && text && *text; text++)
		plain = (unsigned char)*text >= ' ';
	return plain;
}

/* What a name of the device's own may have, and a configuration may not. */
static bool cannot_be_said(const struct coapfound_resource *r, const struct leaf *l)
{
	return !is_sayable(r->path) || !is_sayable(l->pointer) || !is_sayable(l->record);
}

static const char *point_id(struct ids *ids, const struct coapfound_resource *r, const struct leaf *l)
{
	struct text wanted = { 0 };
	ids_add_word(&wanted, r->path, ID_MOST);
	if (l->name) {
		text_add(&wanted, wanted.size ? "-" : "");
		ids_add_word(&wanted, l->pointer ? l->pointer : l->name, ID_MOST);
	}
	const char *id = ids_new(ids, wanted.size ? wanted.data : "value");
	text_free(&wanted);
	return id;
}

static void add_point_name(const struct coapfound_resource *r, const struct leaf *l, struct text *to)
{
	bool named = l->name && *l->name;
	if (r->title || !named)
		text_add(to, r->title ? r->title : r->rt ? r->rt : r->path);
	if (named && (!r->title || r->leaves.n > 1))
		text_addf(to, "%s%s", to->size ? " " : "", l->name);
}

/* A line, without the comma: that stands before what follows. */
static void add_point(struct ids *ids, const struct coapfound_resource *r, const struct leaf *l, struct text *to)
{
	struct text name = { 0 };
	add_point_name(r, l, &name);
	text_add(to, "      {");
	scalar_put(to, "id", point_id(ids, r, l));
	add_label(to, "name", name.data ? name.data : "");
	scalar_put(to, "path", r->path);
	text_add(to, r->observable ? " observe = true;" : "");
	scalar_put(to, "format", r->format);
	scalar_put(to, "pointer", l->pointer);
	scalar_put(to, "record", l->record);
	scalar_put(to, "type", type_word(l->type));
	scalar_put(to, "on", l->on);
	scalar_put(to, "off", l->off);
	if (l->unit)
		add_label(to, "unit", l->unit);
	text_add(to, " }");
	text_free(&name);
}

static void add_note(struct text *to, const struct coapfound_resource *r, const struct leaf *l)
{
	text_addf(to, "  # %s%snow %s\n", r->rt && r->title ? r->rt : "", r->rt && r->title ? ", " : "", l->seen);
}

static size_t add_points(const struct coapfound_device *d, struct text *to)
{
	struct ids ids = { 0 };
	const struct coapfound_resource *before_r = NULL;
	const struct leaf *before = NULL;
	size_t n = 0;
	list_each (at, &d->resources) {
		const struct coapfound_resource *r = list_of(at, struct coapfound_resource, link);
		for (size_t i = 0; i < r->leaves.n && n < LIMIT_DISCOVER_POINTS; i++) {
			if (cannot_be_said(r, &r->leaves.list[i]))
				continue;
			n++;
			if (before) {
				text_add(to, ",");
				add_note(to, before_r, before);
			}
			before_r = r;
			before = &r->leaves.list[i];
			add_point(&ids, r, before, to);
		}
	}
	if (before)
		add_note(to, before_r, before);
	ids_end(&ids);
	return n;
}

static void add_troubles(const struct coapfound_device *d, size_t n_points, const char *indent, struct text *to)
{
	if (d->why)
		text_addf(to, "%s# %s\n", indent, d->why);
	list_each (at, &d->resources) {
		const struct coapfound_resource *r = list_of(at, struct coapfound_resource, link);
		if (r->why)
			text_addf(to, "%s# %s: %s\n", indent, r->path, r->why);
		for (size_t i = 0; i < r->leaves.n; i++)
			if (cannot_be_said(r, &r->leaves.list[i]))
				text_addf(to, "%s# %s: has a value with a name that no configuration can say\n", indent,
					  r->path);
		if (r->leaves.more)
			text_addf(to, "%s# %s: has more values\n", indent, r->path);
	}
	if (n_points == LIMIT_DISCOVER_POINTS)
		text_addf(to, "%s# there are more values: a device with more than %d points is nobody's\n", indent,
			  LIMIT_DISCOVER_POINTS);
}

/* Its name at a directory, or its address, with the zone as people write it. */
static void add_device_name(const struct coapfound_device *d, struct text *to)
{
	const char *at = d->name ? d->name : strstr(d->uri, "://") + 3, *zone = d->name ? NULL : strstr(at, "%25");
	text_add_n(to, at, zone ? (size_t)(zone + 1 - at) : strlen(at));
	text_add(to, zone ? zone + 3 : "");
}

static void add_device(struct ids *ids, const struct coapfound_device *d, const char *bus, const struct text *points,
		       struct text *to)
{
	struct text id = { 0 }, name = { 0 };
	add_device_name(d, &name);
	text_add(&id, d->name || !strchr("[0123456789", *name.data) ? "" : "coap-");
	ids_add_word(&id, name.data, ID_MOST);
	text_add(to, "  {");
	scalar_put(to, "id", ids_new(ids, id.size ? id.data : "device"));
	scalar_put(to, "bus", bus);
	add_label(to, "name", name.data);
	scalar_put(to, "uri", d->uri);
	text_add(to, "\n    points = (\n");
	text_add_n(to, points->data, points->size);
	text_add(to, "    ); }");
	text_free(&id);
	text_free(&name);
}

size_t propose_devices(const struct coapfound *found, const char *bus, const struct house *known, struct text *to)
{
	struct ids ids = { 0 };
	struct text points = { 0 }, others = { 0 };
	size_t n = 0;
	ids_take_devices(&ids, known);
	list_each (at, &found->devices) {
		const struct coapfound_device *d = list_of(at, struct coapfound_device, link);
		text_clear(&points);
		size_t n_points = add_points(d, &points);
		if (n_points) {
			add_troubles(d, n_points, "      ", &points);
			text_add(to, n++ ? ",\n" : "devices = (\n");
			add_device(&ids, d, bus, &points, to);
		} else {
			text_addf(&others, "# %s: %s\n", d->uri,
				  d->n_resources ? "nothing can be read" : "says nothing of what it has");
			add_troubles(d, n_points, "#   ", &others);
		}
	}
	text_add(to, n ? "\n);\n" : "");
	text_add(to, others.data ? others.data : "");
	text_add(to, found->more ? "# there was more: not all of it was looked at\n" : "");
	ids_end(&ids);
	text_free(&points);
	text_free(&others);
	return n;
}
