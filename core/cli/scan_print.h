/*
 * What a scan found, as a configuration with remarks, or as JSON. Part of scan.h.
 */
#pragma once

#include "bridges/mbscan.h"
#include "core/cli/scan_fit.h"

struct scan_seen { /* one unit */
	const struct mbscan_found *found;
	struct scan_fit fit;
	const struct device *device; /* of the configuration that is this unit already, or NULL */
};

void scan_print(const struct cli *c, const struct scan_bus *b, const struct mbscan *s, const struct scan_seen *seen);
