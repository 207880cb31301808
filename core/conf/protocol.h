/*
 * What configuration must know of a protocol of the south, so that no driver writes a parser: rows for the bus block, for
 * what its devices add and for each point's address, and one pure check. A driver's struct bridge_driver begins with it.
 */
#pragma once

#include "core/conf/setting.h"
#include "core/model/house.h"

struct protocol {
	const char *name;              /* "modbus-tcp": the word in the configuration */
	const struct setting *options; /* rows of the bus block (beside id, protocol) and the struct they fill */
	size_t options_size;
	const struct setting *device;  /* rows a device adds (unit_id, topic, uri, ...); filled into device.options */
	size_t device_size;
	const struct setting *address; /* rows of each point's address; filled into point.address */
	size_t address_size;
	int64_t poll_ms;               /* default of `poll` for its points; 0: it listens */
	bool wire_types;               /* int16 ... string are allowed */
	/* Pure; also what `jidgate check` runs. p->address, p->device->options and p->device->bus->options are filled.
	 * May complete the address (e.g. table from a modicon number). */
	int (*check)(struct point *p, struct err *e);
	int (*check_bus)(struct bus *bus, struct err *e); /* NULL: rows are enough */
};
