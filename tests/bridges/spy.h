/*
 * Stands between the core and a driver, in both directions, and writes down the first thing that breaks the law.
 *
 * The driver's functions are wrapped in a copy of its struct, its calls by the linker (--wrap). One spy per bridge,
 * owned by the test; the rig's ctx points to it.
 */
#pragma once

#include "tests/lib/rig.h"

enum { SPY_REQUESTS = 256 };

struct spy {
	struct bridge_driver driver; /* what the rig is given */
	const struct bridge_driver *real;
	char broken[200]; /* "": nothing was broken */
	size_t n_open, n_up, n_down, n_done, n_samples, n_closed, n_found;
	bool opening, up, closing, refuse_open; /* refuse_open: open is taken, but the driver is not told */
	bool inside_core; /* a call of the driver is being handled: what it leads to is the core's own */
	struct request *with_driver[SPY_REQUESTS];
	size_t n_with_driver;
	const struct point *point; /* whose last raw value is kept */
	char raw[256];
	enum quality quality;
};

void spy_begin(struct spy *s, const struct bridge_driver *real);
