#include "core/history.h"

#include "core/base/mem.h"

void history_begin(struct history *h, const struct conf_history *settings)
{
	past_begin(&h->past, (size_t)settings->memory);
}

/* FNV-1a */
static uint32_t add_to_hash(uint32_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619u;
	return hash;
}

static uint32_t meaning_of(const struct point *p)
{
	uint32_t hash = 2166136261u ^ (uint32_t)point_value_type(p);
	return add_to_hash(hash * 16777619u, p->unit ? p->unit : "");
}

static void attach(struct history *h, struct point *p)
{
	p->past = NULL;
	if (!p->history_ms || p->disabled || p->hidden || !(p->access & ACCESS_READ))
		return;
	char *key = mem_format("%s.%s", p->device->id, p->id);
	p->past = past_want(&h->past, key, meaning_of(p), p->history_ms);
	mem_free(key);
}

void history_attach(struct history *h, const struct house *house)
{
	for (size_t i = 0; i < house->n_devices; i++)
		for (size_t k = 0; !house->devices[i]->broken && k < house->devices[i]->n_points; k++)
			attach(h, house->devices[i]->points[k]);
	past_sweep(&h->past);
}

void history_end(struct history *h)
{
	past_end(&h->past);
}
