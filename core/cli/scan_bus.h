/*
 * The bus of a scan: one of the configuration, or made from --device or --host as if it stood there. Part of scan.h.
 */
#pragma once

#include "bridges/mbaddress.h"
#include "core/cli/cli.h"
#include "core/conf/conf.h"

struct scan_bus {
	struct conf conf; /* of the file, or of a text that has nothing but the bus */
	const struct protocol **protocols;
	const struct protocol *protocol;
	struct bus *bus;
	bool configured;              /* it stands in the file */
	struct mbaddress_rtu *serial; /* one of the two: its options */
	struct mbaddress_tcp *tcp;
};

/* One of id, device and "host" or "host:port" is given. Exit code; what is wrong was said. scan_bus_free in any case. */
int scan_bus_open(struct scan_bus *b, struct cli *c, const char *id, const char *device, const char *host);
void scan_bus_free(struct scan_bus *b);

/* Its block for `buses`, without the defaults; a serial line's speed and mode always. */
void scan_bus_print(const struct scan_bus *b, struct text *to);
