#include "bridges/heard.h"

#include "bridges/leaves.h"
#include "core/base/limits.h"
#include "core/base/list.h"
#include "core/base/mem.h"
#include "core/conf/ids.h"
#include "core/conf/repeat.h"
#include "core/conf/scalar.h"

#include <stdlib.h>

enum { ID_MOST = 120 };

struct heard_topic {
	struct list link; /* in its group */
	char *name;
	struct leaves leaves;   /* all that any of its messages had */
	bool says_availability; /* "online" or "offline", in what is called so */
	const char *online, *offline, *path;
};

struct group {      /* what becomes one device */
	char *name; /* its topic */
	struct list topics;
};

/* --- what is heard --- */

static const char *last_part(const char *topic)
{
	const char *slash = strrchr(topic, '/');
	return slash ? slash + 1 : topic;
}

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (text_same_word(word, *list))
			return true;
	return false;
}

/* Does the last part of the topic say what the device tells there, not which device it is? */
static bool is_function(const char *part)
{
	static const char *const words[] = { "sensor",       "state",      "status",       "result",    "lwt",
					     "availability", "available",  "data",         "telemetry", "value",
					     "values",       "attributes", "info",         "info1",     "info2",
					     "info3",        "get",        "measurements", NULL };
	return is_one_of(part, words);
}

static const struct leaf *find_leaf(const struct leaves *l, const char *pointer)
{
	for (size_t i = 0; i < l->n; i++)
		if (text_same(l->list[i].pointer, pointer))
			return &l->list[i];
	return NULL;
}

/* A message may have only what changed. */
static void merge(struct heard_topic *t, struct leaves *take)
{
	size_t n = t->leaves.n;
	for (size_t i = 0; i < take->n; i++) {
		bool odd = take->list[i].pointer && repeat_is_any(take->list[i].pointer);
		if (odd || n == LIMIT_LEAVES || find_leaf(&t->leaves, take->list[i].pointer))
			continue;
		t->leaves.list = mem_resize(t->leaves.list, (n + 1) * sizeof(*t->leaves.list));
		t->leaves.list[n++] = take->list[i];
		take->list[i] = (struct leaf){ 0 };
		t->leaves.n = n;
	}
}

static void judge_availability(struct heard_topic *t)
{
	static const char *const words[][2] = { { "online", "offline" }, { "Online", "Offline" } };
	static const char *const parts[] = { "availability", "available", "lwt", "status", "state", NULL };
	const struct leaf *said = find_leaf(&t->leaves, NULL);
	t->path = NULL;
	if (!said && t->leaves.n == 1 && (said = find_leaf(&t->leaves, "/state")))
		t->path = "/state";
	for (size_t i = 0; said && is_one_of(last_part(t->name), parts) && i < 2; i++)
		if (text_same(said->seen, words[i][0]) || text_same(said->seen, words[i][1])) {
			t->says_availability = true;
			t->online = words[i][0];
			t->offline = words[i][1];
		}
}

static struct group *group_of(struct heard *h, const struct heard_topic *t, bool is_tree)
{
	const char *last = last_part(t->name);
	size_t size = strlen(t->name);
	if (last > t->name + 1 && (!is_tree || is_function(last)))
		size = (size_t)(last - t->name) - 1;
	struct group *g = map_find_n(&h->groups, t->name, size);
	if (g)
		return g;
	g = mem_new(sizeof(*g));
	g->name = mem_text_n(t->name, size);
	list_init(&g->topics);
	map_put(&h->groups, g->name, g);
	return g;
}

static struct heard_topic *topic_of(struct heard *h, const char *name, bool is_tree)
{
	struct heard_topic *t = map_find(&h->topics, name);
	if (t)
		return t;
	if (h->topics.n == LIMIT_HEARD) {
		h->full = true;
		return NULL;
	}
	t = mem_new(sizeof(*t));
	t->name = mem_text(name);
	map_put(&h->topics, t->name, t);
	list_add(&group_of(h, t, is_tree)->topics, &t->link);
	return t;
}

void heard_take(struct heard *h, const char *topic, const void *bytes, size_t size)
{
	struct leaves leaves = { 0 };
	size_t length = strlen(topic);
	if (size == 0 || size > LIMIT_PAYLOAD || repeat_is_any(topic) || length > LIMIT_FOUND_TEXT ||
	    !text_is_clean(topic, length) || *topic == '$')
		return;
	bool is_tree = strchr("{[", *(const char *)bytes) != NULL;
	if (leaves_take(bytes, size, is_tree ? LEAVES_JSON : LEAVES_TEXT, &leaves, NULL) == 0) {
		struct heard_topic *t = topic_of(h, topic, is_tree);
		if (t)
			merge(t, &leaves);
		if (t && !t->says_availability)
			judge_availability(t);
	}
	leaves_free(&leaves);
}

/* --- as configuration --- */

/* Names that mean the same for every maker, nearly: the unit is still a guess, and said to be one. */
static const char *guess_unit(const char *name)
{
	static const struct {
		const char *name, *unit;
	} rows[] = { { "temperature", "°C" }, { "humidity", "%" },         { "battery", "%" }, { "pressure", "hPa" },
		     { "power", "W" },        { "voltage", "V" },          { "current", "A" }, { "energy", "kWh" },
		     { "illuminance", "lx" }, { "illuminance_lux", "lx" }, { "co2", "ppm" },   { "linkquality", "lqi" },
		     { "frequency", "Hz" },   { "pm25", "µg/m³" } };
	for (size_t i = 0; name && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (text_same_word(rows[i].name, name))
			return rows[i].unit;
	return NULL;
}

/* Is there such a row in what was printed? */
static bool is_row(const struct text *printed, const char *key, const char *value)
{
	struct text row = { 0 };
	text_addf(&row, "%s = ", key);
	scalar_quote(&row, value);
	text_add(&row, ";");
	bool found = printed->size && strstr(printed->data, row.data);
	text_free(&row);
	return found;
}

/* Of what an id is made: words of the devices. */
static const char *id_of(struct ids *ids, const char *words)
{
	struct text wanted = { 0 };
	ids_add_word(&wanted, words, ID_MOST);
	const char *id = ids_new(ids, wanted.size ? wanted.data : "x");
	text_free(&wanted);
	return id;
}

static const char *below(const struct group *g, const struct heard_topic *t)
{
	size_t size = strlen(g->name);
	return t->name[size] ? t->name + size + 1 : "";
}

static void print_point(const struct group *g, const struct heard_topic *t, const struct leaf *l, struct ids *ids,
			bool last, struct text *to)
{
	const char *path = l->pointer ? l->pointer + (*l->pointer == '/') : "", *relative = below(g, t);
	const char *name = l->name ? l->name : last_part(t->name),
		   *unit = l->type == TYPE_REAL ? guess_unit(name) : NULL;
	char *wanted = mem_format("%s%s%s", relative, *relative && *path ? "-" : "", path);
	text_add(to, "      {");
	scalar_put(to, "id", id_of(ids, *wanted ? wanted : "value"));
	mem_free(wanted);
	if (*relative) {
		char *topic = mem_format("~/%s", relative);
		scalar_put(to, "topic", topic);
		mem_free(topic);
	}
	if (l->pointer)
		scalar_put(to, "path", l->pointer);
	scalar_put(to, "type", type_word(l->type));
	if (l->on) {
		scalar_put(to, "on", l->on);
		scalar_put(to, "off", l->off);
	}
	if (unit)
		scalar_put(to, "unit", unit);
	text_addf(to, " }%s  # now %s%s\n", last ? "" : ",", l->seen,
		  unit ? "; the unit is a guess from the name" : "");
}

static void print_availability(const struct group *g, const struct heard_topic *t, struct text *to)
{
	const char *relative = below(g, t);
	char *topic = mem_format("~%s%s", *relative ? "/" : "", relative);
	text_add(to, "\n    availability = {");
	scalar_put(to, "topic", topic);
	if (t->path)
		scalar_put(to, "path", t->path);
	scalar_put(to, "online", t->online);
	scalar_put(to, "offline", t->offline);
	text_add(to, " };");
	mem_free(topic);
}

static const struct heard_topic *availability_of(const struct group *g)
{
	list_each (link, &g->topics) {
		const struct heard_topic *t = list_of(link, struct heard_topic, link);
		if (t->says_availability)
			return t;
	}
	return NULL;
}

/* The points one after the other, the last without its comma; their number. */
static size_t print_points(const struct group *g, const struct text *before, struct text *to)
{
	struct ids ids = { 0 };
	const struct heard_topic *topic = NULL;
	const struct leaf *leaf = NULL;
	size_t n = 0;
	list_each (link, &g->topics) {
		const struct heard_topic *t = list_of(link, struct heard_topic, link);
		if (t->says_availability || is_row(before, " topic", t->name))
			continue;
		for (size_t i = 0; i < t->leaves.n && n < LIMIT_FOUND_POINTS; i++, n++) {
			if (leaf)
				print_point(g, topic, leaf, &ids, false, to);
			topic = t;
			leaf = &t->leaves.list[i];
		}
	}
	if (leaf)
		print_point(g, topic, leaf, &ids, true, to);
	ids_end(&ids);
	return n;
}

static void print_group(const struct group *g, const char *bus, const char *id, const struct text *points,
			struct text *to)
{
	const struct heard_topic *t = availability_of(g);
	text_add(to, "  {");
	scalar_put(to, "id", id);
	scalar_put(to, "bus", bus);
	scalar_put(to, "topic", g->name);
	if (t)
		print_availability(g, t, to);
	text_addf(to, "\n    points = (\n%s    ); }", points->data);
}

static int by_name(const void *a, const void *b)
{
	const struct group *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

size_t heard_print(struct heard *h, const char *bus, const struct house *known, size_t n, struct text *to)
{
	struct ids ids = { 0 };
	ids_take_devices(&ids, known);
	struct group **all = mem_array(h->groups.n, sizeof(struct group *)), *g;
	size_t n_all = 0;
	for (size_t at = 0; (g = map_next(&h->groups, &at));)
		all[n_all++] = g;
	qsort(all, n_all, sizeof(struct group *), by_name);
	for (size_t i = 0; i < n_all; i++) {
		struct text points = { 0 };
		if (print_points(all[i], to, &points)) {
			const char *id = id_of(&ids, all[i]->name);
			while (is_row(to, "{ id", id)) /* of a device that was printed before */
				id = id_of(&ids, all[i]->name);
			text_add(to, n++ ? ",\n" : "");
			print_group(all[i], bus, id, &points, to);
		}
		text_free(&points);
	}
	ids_end(&ids);
	mem_free(all);
	return n;
}

void heard_end(struct heard *h)
{
	struct heard_topic *t;
	struct group *g;
	for (size_t at = 0; (t = map_next(&h->topics, &at));) {
		leaves_free(&t->leaves);
		mem_free(t->name);
		mem_free(t);
	}
	for (size_t at = 0; (g = map_next(&h->groups, &at));) {
		mem_free(g->name);
		mem_free(g);
	}
	map_free(&h->topics);
	map_free(&h->groups);
	*h = (struct heard){ 0 };
}
