#include "bridges/mbplan.h"

#include <stdlib.h>

enum { QUESTION = 8, ANSWER = 5, SILENCE_LEAST_US = 1750 /* Modbus over Serial Line 2.5.1.1, above 19200 baud */ };

static bool is_bits(int table)
{
	return table == MBADDRESS_COIL || table == MBADDRESS_DISCRETE;
}

struct mbplan_wire mbplan_serial(int64_t baud, int mode)
{
	const struct mbaddress_mode *m = &mbaddress_modes[mode];
	int bits = 1 + 8 + (m->parity != 'N') + m->stop_bits;
	struct mbplan_wire w = { .byte_us = (1000000 * bits + baud - 1) / baud, .turnaround_us = MBPLAN_TURNAROUND_US };
	w.gap_us = w.byte_us * 7 / 2 > SILENCE_LEAST_US ? w.byte_us * 7 / 2 : SILENCE_LEAST_US;
	return w;
}

int64_t mbplan_time(const struct mbplan_wire *w, int table, uint16_t count)
{
	int64_t data = is_bits(table) ? (count + 7) / 8 : 2 * (int64_t)count;
	return (QUESTION + ANSWER + data) * w->byte_us + 2 * w->gap_us + w->turnaround_us;
}

uint16_t mbplan_most(int table)
{
	return is_bits(table) ? MBPLAN_BITS_MOST : MBPLAN_REGISTERS_MOST;
}

uint16_t mbplan_gap(const struct mbplan_wire *w, int table)
{
	uint16_t most = mbplan_most(table);
	if (!w->byte_us)
		return most;
	int64_t bytes = mbplan_time(w, table, 0) / w->byte_us;
	int64_t worth = is_bits(table) ? bytes * 8 : bytes / 2;
	return (uint16_t)(worth < most ? worth : most);
}

struct mbplan_span mbplan_span(const struct point *p, const struct mbplan_wire *bus, int64_t turnaround_us, void *who)
{
	const struct mbaddress *a = p->address;
	const struct mbaddress_unit *unit = p->device->options;
	struct mbplan_wire w = *bus;
	uint16_t most = mbplan_most(a->table);
	if (turnaround_us)
		w.turnaround_us = turnaround_us;
	if (unit->turnaround_ms > 0)
		w.turnaround_us = unit->turnaround_ms * 1000;
	return (struct mbplan_span){
		.unit = (uint8_t)unit->unit_id,
		.table = a->table,
		.first = a->first,
		.count = a->count,
		.max_block = unit->max_block > 0 && unit->max_block < most ? (uint16_t)unit->max_block : most,
		.max_gap = unit->max_gap >= 0 ? (uint16_t)unit->max_gap : mbplan_gap(&w, a->table),
		.who = who,
	};
}

static int compare(const void *a, const void *b)
{
	const struct mbplan_span *x = a, *y = b;
	if (x->unit != y->unit)
		return x->unit < y->unit ? -1 : 1;
	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x->count < y->count ? -1 : x->count > y->count;
}

void mbplan_sort(struct mbplan_span *spans, size_t n)
{
	if (n)
		qsort(spans, n, sizeof(*spans), compare);
}

static bool is_barred(const struct mbplan_span *s, uint32_t first, uint32_t end, const struct mbplan_barrier *barriers,
		      size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct mbplan_barrier *b = &barriers[i];
		if (b->unit == s->unit && b->table == s->table && b->first >= first && b->end <= end)
			return true;
	}
	return false;
}

struct growing { /* the limits of a block are the narrowest of its spans' */
	struct mbplan_block *block;
	uint16_t max_block, max_gap;
};

static uint16_t least(uint16_t a, uint16_t b)
{
	return a < b ? a : b;
}

static bool fits(const struct growing *g, const struct mbplan_span *last, const struct mbplan_span *s,
		 const struct mbplan_barrier *barriers, size_t n_barriers)
{
	uint32_t first = g->block->first, end = first + g->block->count, new_end = (uint32_t)s->first + s->count;
	if (s->unit != last->unit || s->table != last->table)
		return false;
	if (new_end <= end)
		return g->block->count <= s->max_block || s->count == g->block->count;
	if (new_end - first > least(g->max_block, s->max_block))
		return false;
	if (s->first > end && s->first - end > least(g->max_gap, s->max_gap))
		return false;
	return !is_barred(s, first, new_end, barriers, n_barriers);
}

static void grow(struct growing *g, const struct mbplan_span *s)
{
	uint32_t end = (uint32_t)s->first + s->count, was = (uint32_t)g->block->first + g->block->count;
	g->block->n++;
	if (end > was)
		g->block->count = (uint16_t)(end - g->block->first);
	g->max_block = least(g->max_block, s->max_block);
	g->max_gap = least(g->max_gap, s->max_gap);
}

size_t mbplan_merge(struct mbplan_span *spans, size_t n, const struct mbplan_barrier *barriers, size_t n_barriers,
		    struct mbplan_block *ret)
{
	size_t n_blocks = 0;
	struct growing g = { 0 };
	mbplan_sort(spans, n);
	for (size_t i = 0; i < n; i++) {
		const struct mbplan_span *s = &spans[i];
		if (i > 0 && fits(&g, &spans[i - 1], s, barriers, n_barriers)) {
			grow(&g, s);
			continue;
		}
		ret[n_blocks] = (struct mbplan_block){ .from = i, .n = 1, .first = s->first, .count = s->count };
		g = (struct growing){ &ret[n_blocks++], s->max_block, s->max_gap };
	}
	return n_blocks;
}
