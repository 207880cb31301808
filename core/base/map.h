/*
 * Hash map from a string to a pointer. Keys are not copied: they live in the value, as long as it is in the map.
 * Zero a struct map to begin; map_free ends it (values stay the caller's).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct map_slot {
	const char *key;
	void *value;
	uint32_t hash;
	uint32_t size;
};

struct map {
	struct map_slot *slots;
	size_t room; /* power of two */
	size_t n;    /* values held */
	size_t used; /* slots that are not free: values and graves */
};

void map_put(struct map *m, const char *key, void *value); /* replaces the value and the key pointer */
void *map_find(const struct map *m, const char *key);      /* NULL if not there */
void *map_find_n(const struct map *m, const char *key, size_t size);
void *map_drop(struct map *m, const char *key); /* what was there, or NULL */
void map_free(struct map *m);

/* Walks all values in no order: for (size_t i = 0; (v = map_next(m, &i));). Nothing may be added meanwhile. */
void *map_next(const struct map *m, size_t *at);
