#include "core/base/map.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/text.h"

#include <string.h>

/* A grave keeps the chain of a dropped key; it has a hash but no key. */
static uint32_t hash_of(const char *key, size_t size)
{
	uint32_t h = text_hash(key, size, 0);
	return h ? h : 1;
}

static struct map_slot *slot_of(const struct map *m, const char *key, size_t size, uint32_t hash)
{
	if (!m->room)
		return NULL;
	for (size_t i = hash & (m->room - 1);; i = (i + 1) & (m->room - 1)) {
		struct map_slot *s = &m->slots[i];
		if (s->hash == 0)
			return NULL;
		if (s->key && s->hash == hash && s->size == size && memcmp(s->key, key, size) == 0)
			return s;
	}
}

static void insert(struct map *m, struct map_slot what)
{
	size_t i = what.hash & (m->room - 1);
	while (m->slots[i].hash != 0)
		i = (i + 1) & (m->room - 1);
	m->slots[i] = what;
	m->n++;
	m->used++;
}

static void grow(struct map *m)
{
	struct map old = *m;
	size_t room = 16;
	while (room < (old.n + 1) * 2)
		room *= 2;
	*m = (struct map){ .slots = mem_array(room, sizeof(struct map_slot)), .room = room };
	for (size_t i = 0; i < old.room; i++)
		if (old.slots[i].key)
			insert(m, old.slots[i]);
	mem_free(old.slots);
}

void map_put(struct map *m, const char *key, void *value)
{
	must(value);
	size_t size = strlen(key);
	uint32_t hash = hash_of(key, size);
	struct map_slot *there = slot_of(m, key, size, hash);
	if (there) {
		there->key = key;
		there->value = value;
		return;
	}
	if ((m->used + 1) * 4 > m->room * 3)
		grow(m);
	insert(m, (struct map_slot){ .key = key, .value = value, .hash = hash, .size = (uint32_t)size });
}

void *map_find_n(const struct map *m, const char *key, size_t size)
{
	struct map_slot *s = slot_of(m, key, size, hash_of(key, size));
	return s ? s->value : NULL;
}

void *map_find(const struct map *m, const char *key)
{
	return map_find_n(m, key, strlen(key));
}

void *map_drop(struct map *m, const char *key)
{
	size_t size = strlen(key);
	struct map_slot *s = slot_of(m, key, size, hash_of(key, size));
	if (!s)
		return NULL;
	void *value = s->value;
	s->key = NULL;
	s->value = NULL;
	m->n--;
	return value;
}

void map_free(struct map *m)
{
	mem_free(m->slots);
	*m = (struct map){ 0 };
}

void *map_next(const struct map *m, size_t *at)
{
	while (*at < m->room) {
		const struct map_slot *s = &m->slots[(*at)++];
		if (s->key)
			return s->value;
	}
	return NULL;
}
