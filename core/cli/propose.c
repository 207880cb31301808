#include "core/cli/propose.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/conf/repeat.h"
#include "core/conf/scalar.h"

enum { ID_MOST = 60 };

struct taken { /* ids that must not come twice */
	struct map ids; /* id -> struct taken_id */
};

struct taken_id {
	char *id;
	unsigned next; /* the number to try next for it */
};

static bool take_id(struct taken *t, const char *id)
{
	if (map_find(&t->ids, id))
		return false;
	struct taken_id *new = mem_new(sizeof(*new));
	*new = (struct taken_id){ mem_text(id), 2 };
	map_put(&t->ids, new->id, new);
	return true;
}

static void free_taken(struct taken *t)
{
	struct taken_id *id;
	for (size_t i = 0; (id = map_next(&t->ids, &i));) {
		mem_free(id->id);
		mem_free(id);
	}
	map_free(&t->ids);
}

/* Of any text what an id may have, with one '-' for all the rest between. */
static void add_id(struct text *to, const char *from)
{
	for (; *from && to->size < ID_MOST; from++) {
		char c = *from >= 'A' && *from <= 'Z' ? (char)(*from | 0x20) : *from;
		bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
		if (fits && !(c == '_' && !to->size))
			text_add_n(to, &c, 1);
		else if (to->size && to->data[to->size - 1] != '-')
			text_add(to, "-");
		from += *from == '~' && from[1]; /* of a pointer: ~0 and ~1 are one character */
	}
	while (to->size && to->data[to->size - 1] == '-')
		to->data[--to->size] = '\0';
}

/* Makes it one that nobody has. */
static void finish_id(struct taken *t, struct text *id, const char *nameless)
{
	if (!id->size)
		text_add(id, nameless);
	if (take_id(t, id->data))
		return;
	struct taken_id *first = map_find(&t->ids, id->data);
	size_t size = id->size;
	do {
		id->data[id->size = size] = '\0';
		text_addf(id, "-%u", first->next++);
	} while (!take_id(t, id->data));
}

static void add_key(struct text *to, const char *key, const char *value)
{
	if (!value)
		return;
	text_addf(to, " %s = ", key);
	scalar_quote(to, value);
	text_add(to, ";");
}

/* In a configuration "${unit}" means something else (repeat.h): people can read the rest without it. */
static void add_label(struct text *to, const char *key, const char *value)
{
	char label[LIMIT_NAME];
	text_quote(label, sizeof(label), value, strlen(value));
	for (char *at = label; (at = strstr(at, "${"));)
		*at = '?';
	add_key(to, key, label);
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

static void add_point_id(struct taken *t, const struct coapfound_resource *r, const struct leaf *l, struct text *to)
{
	add_id(to, r->path);
	if (l->name) {
		text_add(to, to->size ? "-" : "");
		add_id(to, l->pointer ? l->pointer : l->name);
	}
	finish_id(t, to, "value");
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
static void add_point(struct taken *t, const struct coapfound_resource *r, const struct leaf *l, struct text *to)
{
	struct text id = { 0 }, name = { 0 };
	add_point_id(t, r, l, &id);
	add_point_name(r, l, &name);
	text_add(to, "      {");
	add_key(to, "id", id.data);
	add_label(to, "name", name.data ? name.data : "");
	add_key(to, "path", r->path);
	text_add(to, r->observable ? " observe = true;" : "");
	add_key(to, "format", r->format);
	add_key(to, "pointer", l->pointer);
	add_key(to, "record", l->record);
	add_key(to, "type", type_word(l->type));
	add_key(to, "on", l->on);
	add_key(to, "off", l->off);
	if (l->unit)
		add_label(to, "unit", l->unit);
	text_add(to, " }");
	text_free(&id);
	text_free(&name);
}

static void add_note(struct text *to, const struct coapfound_resource *r, const struct leaf *l)
{
	text_addf(to, "  # %s%snow %s\n", r->rt && r->title ? r->rt : "", r->rt && r->title ? ", " : "", l->seen);
}

static size_t add_points(const struct coapfound_device *d, struct text *to)
{
	struct taken ids = { 0 };
	const struct coapfound_resource *before_r = NULL;
	const struct leaf *before = NULL;
	size_t n = 0;
	list_each(at, &d->resources)
	{
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
	free_taken(&ids);
	return n;
}

static void add_troubles(const struct coapfound_device *d, size_t n_points, const char *indent, struct text *to)
{
	if (d->why)
		text_addf(to, "%s# %s\n", indent, d->why);
	list_each(at, &d->resources)
	{
		const struct coapfound_resource *r = list_of(at, struct coapfound_resource, link);
		if (r->why)
			text_addf(to, "%s# %s: %s\n", indent, r->path, r->why);
		for (size_t i = 0; i < r->leaves.n; i++)
			if (cannot_be_said(r, &r->leaves.list[i]))
				text_addf(to, "%s# %s: has a value with a name that no configuration can say\n", indent, r->path);
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

static void add_device(struct taken *ids, const struct coapfound_device *d, const char *bus, const struct text *points,
		       struct text *to)
{
	struct text id = { 0 }, name = { 0 };
	add_device_name(d, &name);
	text_add(&id, d->name || !strchr("[0123456789", *name.data) ? "" : "coap-");
	add_id(&id, name.data);
	finish_id(ids, &id, "device");
	text_add(to, "  {");
	add_key(to, "id", id.data);
	add_key(to, "bus", bus);
	add_label(to, "name", name.data);
	add_key(to, "uri", d->uri);
	text_add(to, "\n    points = (\n");
	text_add_n(to, points->data, points->size);
	text_add(to, "    ); }");
	text_free(&id);
	text_free(&name);
}

static void take_known(struct taken *ids, const struct house *known)
{
	for (size_t i = 0; known && i < known->n_devices; i++)
		take_id(ids, known->devices[i]->id);
}

size_t propose_devices(const struct coapfound *found, const char *bus, const struct house *known, struct text *to)
{
	struct taken ids = { 0 };
	struct text points = { 0 }, others = { 0 };
	size_t n = 0;
	take_known(&ids, known);
	list_each(at, &found->devices)
	{
		const struct coapfound_device *d = list_of(at, struct coapfound_device, link);
		text_clear(&points);
		size_t n_points = add_points(d, &points);
		if (n_points) {
			add_troubles(d, n_points, "      ", &points);
			text_add(to, n++ ? ",\n" : "devices = (\n");
			add_device(&ids, d, bus, &points, to);
		} else {
			text_addf(&others, "# %s: %s\n", d->uri, d->n_resources ? "nothing can be read" : "has nothing");
			add_troubles(d, n_points, "#   ", &others);
		}
	}
	text_add(to, n ? "\n);\n" : "");
	text_add(to, others.data ? others.data : "");
	text_add(to, found->more ? "# there was more: not all of it was looked at\n" : "");
	free_taken(&ids);
	text_free(&points);
	text_free(&others);
	return n;
}
