/*
 * Does a new configuration say the same as the one that runs? Row by row, so that order, comments and the place in the files do not
 * matter, and the content of a secret does. Pure; any thread, as long as nobody changes either.
 */
#pragma once

#include "core/conf/protocol.h"

bool same_row(const struct setting *row, const void *a, const void *b);   /* of two structs that the rows have filled */
bool same_rows(const struct setting *rows, const void *a, const void *b);
bool same_bus(const struct bus *a, const struct bus *b, const struct protocol *protocol);
bool same_device(const struct device *a, const struct device *b, const struct protocol *protocol); /* with its points */
/* Would both see the same value at the same place? What people call it, and whom it is told when, may differ. */
bool same_sight(const struct point *a, const struct point *b, const struct protocol *protocol);
