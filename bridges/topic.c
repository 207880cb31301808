#include "bridges/topic.h"

#include "core/base/mem.h"

#include <stdlib.h>

/* --- sets of pointers --- */

struct set {
	const void **list;
	bool *known; /* it is in the table already */
	size_t n;
};

static int by_address(const void *a, const void *b)
{
	const void *const *x = a, *const *y = b;
	return *x < *y ? -1 : *x > *y;
}

static struct set set_new(const void **take, size_t n)
{
	struct set s = { take, mem_array(n, sizeof(bool)), n };
	qsort(take, n, sizeof(*take), by_address);
	return s;
}

static void set_free(struct set *s)
{
	mem_free(s->list);
	mem_free(s->known);
}

/* false: it is not in the set */
static bool set_note(struct set *s, const void *member)
{
	const void **found = bsearch(&member, s->list, s->n, sizeof(*s->list), by_address);
	if (found)
		s->known[found - s->list] = true;
	return found != NULL;
}

static bool set_knows(const struct set *s, const void *member)
{
	const void **found = bsearch(&member, s->list, s->n, sizeof(*s->list), by_address);
	return s->known[found - s->list];
}

/* --- the table --- */

static struct topic *add_topic(struct topic_table *t, const char *name, int64_t qos)
{
	struct topic *topic = map_find(&t->map, name);
	if (!topic) {
		topic = mem_new(sizeof(*topic));
		topic->name = mem_text(name);
		map_put(&t->map, topic->name, topic);
	}
	if (qos > topic->qos)
		topic->qos = (int)qos;
	return topic;
}

static void add_reader(struct topic_table *t, struct point *p, int64_t bus_qos)
{
	const struct mqtt_address *a = p->address;
	if (!a->topic)
		return;
	struct topic *topic = add_topic(t, a->topic, a->qos < 0 ? bus_qos : a->qos);
	struct topic_reader *r = mem_new(sizeof(*r));
	*r = (struct topic_reader){ .next = topic->readers, .topic = topic, .point = p };
	r->rule = (struct payload_rule){ p, a->path, a->on, a->off };
	topic->readers = r;
}

static struct topic_watcher *find_watcher(const struct topic *topic, const struct device *d)
{
	struct topic_watcher *w = topic ? topic->watchers : NULL;
	while (w && w->device != d)
		w = w->next;
	return w;
}

static void add_watcher(struct topic_table *t, struct device *d, const struct mqtt_watch *rule, int64_t bus_qos)
{
	struct topic *topic = add_topic(t, rule->topic, bus_qos);
	if (topic->watchers && topic->watchers->device == d) /* it names the topic twice */
		return;
	struct topic_watcher *w = mem_new(sizeof(*w));
	*w = (struct topic_watcher){ .next = topic->watchers, .device = d, .rule = rule };
	topic->watchers = w;
}

static void add_watchers(struct topic_table *t, struct device *d, int64_t bus_qos)
{
	const struct mqtt_device *o = d->options;
	const struct mqtt_availability *a = &o->availability;
	if (!a->given)
		return;
	add_watcher(t, d, &a->first, bus_qos);
	for (size_t i = 0; i < a->n_also; i++)
		add_watcher(t, d, &a->also[i], bus_qos);
}

static void add_answers(struct topic_table *t, const struct point *p, int64_t bus_qos)
{
	const struct mqtt_address *a = p->address;
	if ((p->access & ACCESS_WRITE) && p->confirm == CONFIRM_RESPONSE)
		add_topic(t, a->write.response_topic, bus_qos)->answers = true;
}

/* After all readers are in: a topic that only we write to is of no interest. */
static void mark_ours(struct topic_table *t, const struct point *p)
{
	const struct mqtt_address *a = p->address;
	struct topic *topic = p->access & ACCESS_WRITE ? map_find(&t->map, a->write.topic) : NULL;
	if (topic)
		topic->ours = true;
}

static void drop_readers(struct topic *topic, struct set *points)
{
	for (struct topic_reader **at = &topic->readers; *at;) {
		struct topic_reader *r = *at;
		if (set_note(points, r->point)) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		mem_free(r);
	}
}

static void drop_watchers(struct topic *topic, struct set *devices)
{
	for (struct topic_watcher **at = &topic->watchers; *at;) {
		struct topic_watcher *w = *at;
		if (set_note(devices, w->device)) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		mem_free(w);
	}
}

void topic_take(struct topic_table *t, struct point *const *points, size_t n)
{
	const void **all = mem_array(n, sizeof(*all)), **theirs = mem_array(n, sizeof(*theirs));
	struct topic *topic;
	for (size_t i = 0; i < n; i++) {
		all[i] = points[i];
		theirs[i] = points[i]->device;
	}
	struct set set = set_new(all, n), devices = set_new(theirs, n);
	for (size_t at = 0; (topic = map_next(&t->map, &at));) {
		drop_readers(topic, &set);
		drop_watchers(topic, &devices);
		topic->ours = topic->answers = false;
	}
	for (size_t i = n; i-- > 0;) { /* backwards, because each is put before the last */
		const struct mqtt_bus *bus = points[i]->device->bus->options;
		if (!set_knows(&set, points[i]))
			add_reader(t, points[i], bus->qos);
		if ((i == 0 || points[i - 1]->device != points[i]->device) && !set_knows(&devices, points[i]->device))
			add_watchers(t, points[i]->device, bus->qos);
		add_answers(t, points[i], bus->qos);
	}
	for (size_t i = 0; i < n; i++)
		mark_ours(t, points[i]);
	set_free(&set);
	set_free(&devices);
}

void topic_keep(struct topic_table *t, const char *filter, int qos)
{
	add_topic(t, filter, qos)->kept = true;
}

struct topic *topic_find(const struct topic_table *t, const char *name)
{
	return map_find(&t->map, name);
}

static bool says_away(const struct topic_table *t, const struct device *d, const struct mqtt_watch *rule)
{
	const struct topic_watcher *w = find_watcher(map_find(&t->map, rule->topic), d);
	return w && w->away;
}

bool topic_is_away(const struct topic_table *t, const struct device *d)
{
	const struct mqtt_device *o = d->options;
	const struct mqtt_availability *a = &o->availability;
	bool away = a->given && says_away(t, d, &a->first);
	for (size_t i = 0; a->given && !away && i < a->n_also; i++)
		away = says_away(t, d, &a->also[i]);
	return away;
}

static void free_topic(struct topic *topic)
{
	for (struct topic_reader *r = topic->readers, *next; r; r = next) {
		next = r->next;
		mem_free(r);
	}
	for (struct topic_watcher *w = topic->watchers, *next; w; w = next) {
		next = w->next;
		mem_free(w);
	}
	mem_free(topic->name);
	mem_free(topic);
}

void topic_sweep(struct topic_table *t, void (*gone)(void *ctx, struct topic *topic), void *ctx)
{
	struct topic *topic;
	for (size_t i = 0; (topic = map_next(&t->map, &i));) {
		if (topic->readers || topic->watchers || topic->answers || topic->kept || topic->listeners)
			continue;
		gone(ctx, topic);
		map_drop(&t->map, topic->name);
		free_topic(topic);
	}
}

void topic_free(struct topic_table *t)
{
	struct topic *topic;
	for (size_t i = 0; (topic = map_next(&t->map, &i));)
		free_topic(topic);
	map_free(&t->map);
}
