#include "bridges/levels.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/conf/ident.h"
#include "core/conf/scalar.h"

#include <stdio.h>

struct level {
	char *key, *id;
};

enum { KEY_ROOM = LIMIT_FOUND_KEY + 1 };

static struct level *add(struct levels *l, const char *key, const char *id)
{
	struct level *level = mem_new(sizeof(*level));
	*level = (struct level){ mem_text(key), mem_text(id) };
	map_put(&l->seen, level->key, level);
	if (id && !map_find(&l->ids, id))
		map_put(&l->ids, level->id, level);
	return level;
}

/* What runs already was first. */
void levels_change(struct levels *l)
{
	const struct bridge *b = l->bridge;
	for (size_t i = 0; i < b->n_points; i++) {
		const struct device *d = b->points[i]->device;
		if (d->level && d->found && (i == 0 || b->points[i - 1]->device != d) && !map_find(&l->seen, d->found))
			add(l, d->found, d->id);
	}
}

void levels_begin(struct levels *l, struct bridge *b, struct topic_table *topics)
{
	const struct mqtt_bus *o = b->bus->options;
	l->bridge = b;
	l->counts = mem_array(b->bus->n_patterns, sizeof(*l->counts));
	for (size_t i = 0; i < b->bus->n_patterns; i++)
		for (size_t k = 0; k < b->bus->patterns[i].n_filters; k++)
			topic_keep(topics, b->bus->patterns[i].filters[k], (int)o->qos);
	levels_change(l);
}

const char *levels_match(const char *filter, const char *topic, size_t *ret_size)
{
	const char *plus = strchr(filter, '+');
	size_t before = (size_t)(plus - filter);
	if (strncmp(filter, topic, before) != 0 || *topic == '$')
		return NULL;
	size_t size = strcspn(topic + before, "/");
	if (strcmp(topic + before + size, plus + 1) != 0)
		return NULL;
	*ret_size = size;
	return topic + before;
}

static void leave_out(struct levels *l, const char *key, const char *why)
{
	char room[120];
	log_outside(l->bridge->log, LOG_LEVEL_WARN, "bus '%s': '%s' is left out: %s", l->bridge->bus->id,
		    text_quote(room, sizeof(room), key, strlen(key)), why);
	add(l, key, NULL);
}

static void tell(struct levels *l, const struct pattern *p, const char *key, const char *level)
{
	struct text block = { 0 };
	text_add(&block, "{");
	scalar_put(&block, "like", p->id);
	scalar_put(&block, "level", level);
	text_add(&block, " }");
	bridge_found(l->bridge, key, block.data);
	text_free(&block);
}

static void take_new(struct levels *l, const struct pattern *p, const char *key, const char *level)
{
	char *id = NULL, why[200];
	struct err e;
	if (!text_is_clean(level, strlen(level))) {
		leave_out(l, key, "its level has characters that no text has");
		return;
	}
	if (ident_of_level(p->id, level, &id, &e) < 0) {
		leave_out(l, key, e.text);
		return;
	}
	const struct level *first = map_find(&l->ids, id);
	snprintf(why, sizeof(why), "its id would be that of '%.100s', which was first", first ? first->key : "");
	if (first) {
		leave_out(l, key, why);
	} else {
		add(l, key, id);
		tell(l, p, key, level);
	}
	mem_free(id);
}

static void take(struct levels *l, size_t i, const char *at, size_t size)
{
	const struct pattern *p = &l->bridge->bus->patterns[i];
	char key[KEY_ROOM];
	if (size == 0 || l->counts[i] > LIMIT_UNITS ||
	    (size_t)snprintf(key, sizeof(key), "%s/%.*s", p->id, (int)size, at) >= sizeof(key) ||
	    map_find(&l->seen, key))
		return;
	if (l->counts[i]++ == LIMIT_UNITS)
		log_warn(l->bridge->log, "bus '%s': device '%s': more than %d levels; the rest is left out",
			 l->bridge->bus->id, p->id, LIMIT_UNITS);
	else
		take_new(l, p, key, key + strlen(p->id) + 1);
}

void levels_message(struct levels *l, const char *topic)
{
	const struct bus *bus = l->bridge->bus;
	size_t size;
	for (size_t i = 0; i < bus->n_patterns; i++)
		for (size_t k = 0; k < bus->patterns[i].n_filters; k++) {
			const char *at = levels_match(bus->patterns[i].filters[k], topic, &size);
			if (at)
				take(l, i, at, size);
		}
}

void levels_end(struct levels *l)
{
	struct level *level;
	for (size_t at = 0; (level = map_next(&l->seen, &at));) {
		mem_free(level->key);
		mem_free(level->id);
		mem_free(level);
	}
	map_free(&l->seen);
	map_free(&l->ids);
	mem_free(l->counts);
}
