#include "bridges/mbcheck.h"

#include "core/base/mem.h"

#include <string.h>

enum { FULL_PERCENT = 80, TCP_TURNAROUND_US = 10000 /* a network and a small device */ };

struct mbplan_wire mbcheck_wire(const struct bus *bus)
{
	const struct mbaddress_rtu *rtu = bus->options;
	const struct mbaddress_tcp *tcp = bus->options;
	if (text_same(bus->protocol, "modbus-rtu"))
		return mbplan_serial(rtu->baud, rtu->mode);
	if (text_same(bus->protocol, "modbus-rtu-tcp"))
		return mbplan_serial(tcp->baud, 0);
	return (struct mbplan_wire){ .turnaround_us = TCP_TURNAROUND_US };
}

struct cost { /* of all points with one interval */
	size_t points, requests, registers;
	int64_t us;
};

static int64_t turnaround_of(const struct point *p, const struct mbplan_wire *wire)
{
	const struct mbaddress_unit *unit = p->device->options;
	return unit->turnaround_ms > 0 ? unit->turnaround_ms * 1000 : wire->turnaround_us;
}

static void add_blocks(struct cost *c, const struct mbplan_wire *bus, const struct mbplan_span *spans,
		       const struct mbplan_block *blocks, size_t n)
{
	c->requests = n;
	for (size_t i = 0; i < n; i++) {
		struct mbplan_wire wire = *bus;
		const struct mbplan_span *first = &spans[blocks[i].from];
		wire.turnaround_us = turnaround_of(first->who, bus);
		c->registers += blocks[i].count;
		c->us += mbplan_time(&wire, first->table, blocks[i].count);
	}
}

static struct cost cost_of(const struct mbplan_wire *wire, struct point *const *points, size_t n, int64_t poll_ms)
{
	struct cost c = { 0 };
	struct mbplan_span *spans = mem_array(n, sizeof(*spans));
	struct mbplan_block *blocks = mem_array(n, sizeof(*blocks));
	for (size_t i = 0; i < n; i++)
		if (points[i]->poll_ms == poll_ms && !points[i]->disabled)
			spans[c.points++] = mbplan_span(points[i], wire, 0, points[i]);
	add_blocks(&c, wire, spans, blocks, mbplan_merge(spans, c.points, NULL, 0, blocks));
	mem_free(spans);
	mem_free(blocks);
	return c;
}

static void print_interval(struct text *to, int64_t ms)
{
	if (ms % 1000)
		text_addf(to, "%lld ms", (long long)ms);
	else
		text_addf(to, "%lld s", (long long)ms / 1000);
}

static void print_cost(struct text *to, const struct bus *bus, const struct cost *c, int64_t poll_ms)
{
	text_addf(to, "%s: %zu request%s per cycle, %zu point%s in %zu register%s, %lld ms of ", bus->id, c->requests,
		  c->requests == 1 ? "" : "s", c->points, c->points == 1 ? "" : "s", c->registers,
		  c->registers == 1 ? "" : "s", (long long)(c->us + 500) / 1000);
	print_interval(to, poll_ms);
	text_add(to, "\n");
}

static bool is_polled(const struct point *p)
{
	return p->poll_ms > 0 && !p->disabled;
}

static bool is_first(struct point *const *points, size_t i)
{
	for (size_t k = 0; is_polled(points[i]) && k < i; k++)
		if (points[k]->poll_ms == points[i]->poll_ms && is_polled(points[k]))
			return false;
	return is_polled(points[i]);
}

int mbcheck_plan(const struct bus *bus, struct point *const *points, size_t n, struct text *ret)
{
	struct mbplan_wire wire = mbcheck_wire(bus);
	int64_t ppm = 0;
	for (size_t i = 0; i < n; i++) {
		if (!is_first(points, i))
			continue;
		struct cost c = cost_of(&wire, points, n, points[i]->poll_ms);
		print_cost(ret, bus, &c, points[i]->poll_ms);
		ppm += c.us * 1000 / points[i]->poll_ms;
	}
	if (ppm <= FULL_PERCENT * 10000)
		return 0;
	text_addf(ret, "%s: warning: polling takes %lld %% of the bus's time; poll less often, or fewer points\n",
		  bus->id, (long long)ppm / 10000);
	return 1;
}
