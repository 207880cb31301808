#include "bridges/mbhole.h"

#include "core/base/mem.h"

static const int64_t AGAIN_MS = 5 * 60 * 1000, CUT_MS = 60 * 60 * 1000;

static size_t find(const struct mbhole *h, const struct mbplan_barrier *where)
{
	size_t i = 0;
	while (i < h->n && (h->barriers[i].unit != where->unit || h->barriers[i].table != where->table ||
			    h->barriers[i].first != where->first || h->barriers[i].end != where->end))
		i++;
	return i;
}

static void put(struct mbhole *h, const struct mbplan_barrier *where, struct mbhole_why why)
{
	size_t i = find(h, where);
	if (i == h->n) {
		h->n++;
		h->barriers = mem_resize(h->barriers, h->n * sizeof(*h->barriers));
		h->why = mem_resize(h->why, h->n * sizeof(*h->why));
	}
	h->barriers[i] = *where;
	h->why[i] = why;
}

static void drop(struct mbhole *h, size_t i)
{
	h->n--;
	h->barriers[i] = h->barriers[h->n];
	h->why[i] = h->why[h->n];
}

void mbhole_cut(struct mbhole *h, const struct mbplan_barrier *where, int64_t now_ms)
{
	put(h, where, (struct mbhole_why){ now_ms + CUT_MS, 0 });
}

void mbhole_guilty(struct mbhole *h, const struct mbplan_barrier *where, uint8_t exception, int64_t now_ms)
{
	put(h, where, (struct mbhole_why){ now_ms + AGAIN_MS, exception });
}

void mbhole_forgive(struct mbhole *h, const struct mbplan_barrier *where)
{
	size_t i = find(h, where);
	if (i < h->n && h->why[i].exception)
		drop(h, i);
}

uint8_t mbhole_is_guilty(const struct mbhole *h, const struct mbplan_barrier *where, int64_t now_ms, int64_t *ret_ms)
{
	size_t i = find(h, where);
	if (i == h->n || !h->why[i].exception || h->why[i].until_ms <= now_ms)
		return 0;
	*ret_ms = h->why[i].until_ms - now_ms;
	return h->why[i].exception;
}

void mbhole_age(struct mbhole *h, int64_t now_ms)
{
	for (size_t i = h->n; i-- > 0;)
		if (!h->why[i].exception && h->why[i].until_ms <= now_ms)
			drop(h, i);
}

void mbhole_free(struct mbhole *h)
{
	mem_free(h->barriers);
	mem_free(h->why);
	*h = (struct mbhole){ 0 };
}
