#include "core/turns.h"

#include "core/base/map.h"
#include "core/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { OFTEN_MS = 10 * 60 * 1000, LEAST_MS = 5000, PARTS = 16, NUMBER = 32 };

static const double SCALE = 1e12; /* a speed as a whole number: counts in 1e12 ms */

struct entry {
	char *key;
	struct point *point;
};

struct loading {
	struct turns *turns;
	struct entry *entries;
	size_t n;
	struct map by_key; /* of entries */
};

static uint64_t modulus_of(const struct point *p)
{
	uint64_t modulus = 0;
	must(decimal_unsigned(p->wrap, &modulus) == 0 && modulus > 1); /* conf has checked it */
	return modulus;
}

static uint64_t number_of(const char *text)
{
	return text ? strtoull(text, NULL, 10) : 0;
}

static void note_kept(struct point *p, int64_t now_ms)
{
	p->counter.kept = counter_total(&p->counter, modulus_of(p));
	p->counter.kept_ms = now_ms;
}

static void load_row(void *ctx, const char *const *values)
{
	struct loading *l = ctx;
	struct turns *t = l->turns;
	const struct entry *entry = map_find(&l->by_key, values[0]);
	struct point *p = entry ? entry->point : NULL;
	if (!p || number_of(values[1]) != modulus_of(p))
		return;
	const struct counter kept = { .reading = number_of(values[2]),
				      .turns = number_of(values[3]),
				      .fastest = (double)number_of(values[4]) / SCALE };
	int64_t gap = loop_utc(t->loop) - (int64_t)number_of(values[5]);
	counter_restore(&p->counter, modulus_of(p), &kept, gap, loop_now(t->loop));
	note_kept(p, loop_now(t->loop));
}

static void each_counter(const struct house *house, void (*fn)(void *ctx, struct point *p), void *ctx)
{
	for (size_t i = 0; i < house->n_devices; i++) {
		const struct device *d = house->devices[i];
		for (size_t k = 0; !d->broken && k < d->n_points; k++)
			if (d->points[k]->has_wrap && !d->points[k]->disabled)
				fn(ctx, d->points[k]);
	}
}

static char *key_of(const struct point *p)
{
	return mem_format("%s.%s", p->device->id, p->id);
}

static void add_entry(void *ctx, struct point *p)
{
	struct loading *l = ctx;
	l->entries = mem_resize(l->entries, (l->n + 1) * sizeof(struct entry));
	l->entries[l->n++] = (struct entry){ key_of(p), p };
}

int turns_load(struct turns *t, const struct house *house, struct err *e)
{
	struct loading l = { .turns = t };
	each_counter(house, add_entry, &l);
	for (size_t i = 0; i < l.n; i++)
		map_put(&l.by_key, l.entries[i].key, &l.entries[i]);
	int status = l.n ? store_each(t->store, STORE_COUNTERS, load_row, &l, e) : 0;
	for (size_t i = 0; i < l.n; i++)
		mem_free(l.entries[i].key);
	mem_free(l.entries);
	map_free(&l.by_key);
	return status;
}

static void keep(struct turns *t, struct point *p)
{
	const struct counter *c = &p->counter;
	char modulus[NUMBER], reading[NUMBER], turns[NUMBER], fastest[NUMBER], utc[NUMBER];
	char *key = key_of(p);
	int64_t at = loop_utc(t->loop) - (loop_now(t->loop) - c->at_ms);
	snprintf(modulus, sizeof(modulus), "%" PRIu64, modulus_of(p));
	snprintf(reading, sizeof(reading), "%" PRIu64, c->reading);
	snprintf(turns, sizeof(turns), "%" PRIu64, c->turns);
	snprintf(fastest, sizeof(fastest), "%.0f", c->fastest * SCALE);
	snprintf(utc, sizeof(utc), "%" PRId64, at);
	store_put(t->store, STORE_COUNTER_PUT, (const char *const[]){ key, modulus, reading, turns, fastest, utc },
		  NULL, NULL);
	note_kept(p, loop_now(t->loop));
	mem_free(key);
}

static bool is_due(const struct turns *t, const struct point *p)
{
	const struct counter *c = &p->counter;
	uint64_t modulus = modulus_of(p), total = counter_total(c, modulus);
	int64_t passed = loop_now(t->loop) - c->kept_ms;
	if (!c->kept_ms)
		return true;
	if (total < c->kept || total / modulus != c->kept / modulus)
		return passed >=
		       LEAST_MS; /* whoever publishes numbers that fall and fall is not to fill the store's queue */
	return total - c->kept >= modulus / PARTS && passed >= OFTEN_MS;
}

void turns_seen(struct turns *t, struct point *p)
{
	if (p->has_wrap && p->counter.known && is_due(t, p))
		keep(t, p);
}

static void keep_last(void *ctx, struct point *p)
{
	struct turns *t = ctx;
	if (p->counter.known)
		keep(t, p);
}

void turns_end(struct turns *t, const struct house *house)
{
	each_counter(house, keep_last, t);
}
