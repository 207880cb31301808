/*
 * What polling a bus will cost, before anything is asked: `jidgate check` prints it. Pure; also the timing that the driver
 * merges by.
 */
#pragma once

#include "bridges/mbplan.h"

struct mbplan_wire mbcheck_wire(const struct bus *bus); /* of any of the three protocols */
int mbcheck_plan(const struct bus *bus, struct point *const *points, size_t n, struct text *ret);
