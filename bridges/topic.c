#include "bridges/topic.h"

#include "core/base/mem.h"

static struct topic *add_topic(struct topic_table *t, char *name, int64_t qos)
{
	struct topic *topic = map_find(&t->map, name);
	if (!topic) {
		topic = mem_new(sizeof(*topic));
		topic->name = name;
		map_put(&t->map, name, topic);
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

static void add_watcher(struct topic_table *t, struct device *d, int64_t bus_qos)
{
	const struct mqtt_device *o = d->options;
	if (!o->availability.given || topic_watcher_of(t, d))
		return;
	struct topic *topic = add_topic(t, o->availability.topic, bus_qos);
	struct topic_watcher *w = mem_new(sizeof(*w));
	*w = (struct topic_watcher){ .next = topic->watchers, .device = d, .rule = &o->availability };
	topic->watchers = w;
}

/* After all readers are in: a topic that only we write to is of no interest. */
static void mark_ours(struct topic_table *t, const struct point *p)
{
	const struct mqtt_address *a = p->address;
	struct topic *topic = p->access & ACCESS_WRITE ? map_find(&t->map, a->write.topic) : NULL;
	if (topic)
		topic->ours = true;
}

void topic_fill(struct topic_table *t, struct point *const *points, size_t n)
{
	for (size_t i = n; i-- > 0;) { /* backwards, because each is put before the last */
		const struct mqtt_bus *bus = points[i]->device->bus->options;
		add_reader(t, points[i], bus->qos);
		add_watcher(t, points[i]->device, bus->qos);
	}
	for (size_t i = 0; i < n; i++)
		mark_ours(t, points[i]);
}

struct topic *topic_find(const struct topic_table *t, const char *name)
{
	return map_find(&t->map, name);
}

struct topic_watcher *topic_watcher_of(const struct topic_table *t, const struct device *d)
{
	const struct mqtt_device *o = d->options;
	const struct topic *topic = o->availability.given ? map_find(&t->map, o->availability.topic) : NULL;
	struct topic_watcher *w = topic ? topic->watchers : NULL;
	while (w && w->device != d)
		w = w->next;
	return w;
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
	mem_free(topic);
}

void topic_free(struct topic_table *t)
{
	struct topic *topic;
	for (size_t i = 0; (topic = map_next(&t->map, &i));)
		free_topic(topic);
	map_free(&t->map);
}
