/*
 * What configuration must know of a protocol of the south, so that no driver writes a parser: rows for the bus block,
 * for what its devices add and for each point's address, and pure checks. A driver's struct bridge_driver begins with
 * it.
 *
 * The core's own keys, which no table here may repeat:
 *   bus     id protocol
 *   device  id bus template units name things stale history password_file points override
 *   point   id name type unit decimals scale offset kind access min max deadband min_interval max_interval wrap poll
 *           stale history words choices nan thing jid disable password_file write
 *   write   confirm min_interval deadline
 * `write` is shared: a row {"write", SETTING_GROUP, offset, .rows = ...} in `address` adds the driver's keys to the
 * same group (topic, payload, ... for MQTT; method for CoAP). Other groups (availability, tls, ...) are plain rows of
 * the driver. A key that is absent from all tables is an error with the nearest right word, so only keys that work have
 * a row.
 */
#pragma once

#include "core/conf/setting.h"
#include "core/model/house.h"

struct protocol {
	const char *name;              /* "modbus-tcp": the word in the configuration */
	const struct setting *options; /* rows of the bus block, and the struct they fill: bus.options */
	size_t options_size;           /* 0: no struct, the pointer is NULL */
	const struct setting *device;  /* rows a device adds (unit_id, topic, uri, ...): device.options */
	size_t device_size;
	const struct setting *address; /* rows of each point's address: point.address */
	size_t address_size;
	int64_t poll_ms; /* default of `poll` for its points; 0: it listens */
	bool wire_types; /* int16 ... string are allowed */
	bool responds;   /* write.confirm = "response" is possible */
	/*
	 * Checks: pure; also what `jidgate check` runs. Each may be NULL: rows are enough. All structs above are
	 * filled, with defaults; the sentence needs no subject: "device 'boiler': point 'setpoint': " is put before it,
	 * so begin with the key: "address: register 70000 is above 65535".
	 *
	 * check may complete point and address (table from a modicon number; poll_ms = 0 of a point that is observed;
	 * unit_id from the device). p->stale_ms is below 0 when the file says nothing: check may set it, else the core
	 * makes it 3 * poll + 1 s, or 0 (never) if it is not polled. After the core's own checks: types, access, min
	 * and max hold.
	 */
	int (*check)(struct point *p, struct err *e);
	int (*check_device)(struct device *d, struct err *e); /* before its points */
	int (*check_bus)(struct bus *bus, struct err *e);
	/* Does this bus, as it is configured, tell of devices (bridge_found)? If not, those it told of before are forgotten. NULL: they
	 * are kept. */
	bool (*finds)(const struct bus *bus);
	/* Of a device that stands for many: its level is "+", and so are ${level} in its texts. What its bus listens to in order to
	 * know the levels, each with one "+"; owned by the caller. NULL: the protocol has no such devices. */
	int (*filters)(const struct device *d, char ***ret, size_t *ret_n, struct err *e);
	/* What polling these points will cost the bus: lines for `jidgate check`, each with its end. Pure; NULL: nothing
	 * to say. 1: one of the lines is a warning. */
	int (*plan)(const struct bus *bus, struct point *const *points, size_t n, struct text *ret);
};
