#include "core/buses.h"

#include "core/base/mem.h"
#include "core/base/text.h"
#include "core/drivers.h"

static const struct bridge_driver *find_driver(const char *protocol)
{
	for (const struct bridge_driver *const *d = driver_list; *d; d++)
		if (text_same((*d)->protocol.name, protocol))
			return *d;
	return NULL;
}

struct bridge *buses_add(struct buses *b, struct bus *bus)
{
	const struct bridge_driver *driver = find_driver(bus->protocol);
	must(driver); /* conf has looked it up in the same list */
	b->list = mem_resize(b->list, (b->n + 1) * sizeof(*b->list));
	bus->bridge = b->list[b->n++] = bridge_new(driver, bus, b->house, b->loop, b->log, b->events, b->ctx);
	return bus->bridge;
}

void buses_drop(struct buses *b, struct bridge *bridge)
{
	size_t i = 0;
	while (b->list[i] != bridge)
		i++;
	b->list[i] = b->list[--b->n];
	bridge->bus->bridge = NULL;
	bridge_free(bridge);
}

void buses_make(struct buses *b)
{
	for (size_t i = 0; i < b->house->n_buses; i++)
		buses_add(b, b->house->buses[i]);
}

void buses_start(struct buses *b)
{
	for (size_t i = 0; i < b->n; i++)
		bridge_start(b->list[i]);
}

void buses_stop(struct buses *b)
{
	for (size_t i = 0; i < b->n; i++)
		bridge_stop(b->list[i]);
}

void buses_free(struct buses *b)
{
	while (b->n)
		buses_drop(b, b->list[b->n - 1]);
	mem_free(b->list);
	b->list = NULL;
}

size_t buses_count(const struct buses *b, bool (*counts)(const struct bridge *bridge))
{
	size_t n = 0;
	for (size_t i = 0; i < b->n; i++)
		n += counts(b->list[i]);
	return n;
}

bool buses_up(const struct bridge *bridge)
{
	return bridge->state == BRIDGE_UP;
}

bool buses_answered(const struct bridge *bridge)
{
	return bridge->answered;
}

bool buses_alive(const struct buses *b)
{
	for (size_t i = 0; i < b->n; i++) {
		if (!bridge_is_stuck(b->list[i]))
			continue;
		log_error(b->log, "bus '%s': its driver holds a request for ever", b->list[i]->bus->id);
		return false;
	}
	return true;
}
