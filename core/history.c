#include "core/history.h"

#include "core/base/mem.h"
#include "core/base/text.h"

#include <string.h>

static uint32_t meaning_of(const struct point *p)
{
	const char *unit = p->unit ? p->unit : "";
	return text_hash(unit, strlen(unit), (uint32_t)point_value_type(p));
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

static void on_clear(void *ctx)
{
	struct history *h = ctx;
	spill_reset(&h->spill);
}

static void on_drop(void *ctx, const char *key)
{
	struct history *h = ctx;
	spill_forget(&h->spill, key);
}

struct leaving {
	struct history *history;
	const struct house *house;
};

/* A device with a mistake in it comes back as soon as that is mended. */
static bool is_broken(const struct house *house, const char *key)
{
	for (size_t i = 0; i < house->n_devices; i++) {
		const struct device *d = house->devices[i];
		size_t size = d->broken && d->id ? strlen(d->id) : 0;
		if (size && text_begins(key, d->id) && key[size] == '.')
			return true;
	}
	return false;
}

/* Who is given the name next is not to find what was seen of the one before. */
static void leave_behind(void *ctx, const char *key)
{
	const struct leaving *l = ctx;
	if (!is_broken(l->house, key))
		spill_forget(&l->history->spill, key);
}

/* What was written before somebody turned it off is not to lie about. */
static void begin_spill(struct history *h, const struct conf_gateway *settings, struct loop *loop, struct log *log)
{
	const struct journal_bounds bounds = { settings->history.file_ms, settings->history.size };
	char *directory = mem_format("%s/history", settings->state);
	struct err e;
	if (!bounds.keep_ms)
		journal_remove(directory);
	else if (spill_begin(&h->spill, &h->past, directory, &bounds, loop, log, &e) < 0)
		log_warn(log, "history: %s; it is kept in memory only", e.text);
	else
		h->spills = true;
	mem_free(directory);
	if (!h->spills)
		return;
	h->past.on_clear = on_clear;
	h->past.on_drop = on_drop;
	h->past.ctx = h;
	spill_away(&h->spill, true); /* until XMPP is up */
}

void history_begin(struct history *h, const struct conf_gateway *settings, const struct house *house, struct loop *loop,
		   struct log *log)
{
	*h = (struct history){ 0 };
	past_begin(&h->past, (size_t)settings->history.memory);
	history_attach(h, house);
	begin_spill(h, settings, loop, log);
	if (h->spills)
		spill_each_stranger(&h->spill, leave_behind, &(struct leaving){ h, house });
}

void history_away(struct history *h, bool away)
{
	if (h->spills)
		spill_away(&h->spill, away);
}

void history_end(struct history *h)
{
	if (h->spills)
		spill_end(&h->spill);
	past_end(&h->past);
}
