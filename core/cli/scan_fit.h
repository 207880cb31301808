/*
 * Which template fits a unit: each that says how its devices are known is tried, as a device of the configuration, through the
 * bus's own driver; among those whose value is plausible the one wins of whose points the fewest have none and the most have
 * one. Part of scan.h.
 */
#pragma once

#include "core/cli/scan_bus.h"
#include "core/conf/candidate.h"

struct scan_fit {
	char *template;            /* NULL: none */
	char *point, *seen;        /* by which it is known: "u1", "Voltage L1 is 230.1 V" */
	size_t n_points, n_values; /* how many it has, and of how many the unit has a value */
	char *others;              /* "b, c": also plausible; NULL: none */
};

/* -1: the bus cannot be opened. The caller ends *ret with scan_fit_free. */
int scan_fit_find(const struct cli *c, const struct scan_bus *b, uint8_t unit, const struct candidate *list, size_t n,
		  struct scan_fit *ret, struct err *e);
void scan_fit_free(struct scan_fit *f);
