/*
 * One node of the file into the place of its row, for each type of row. Part of fill.h.
 */
#pragma once

#include "core/conf/fill.h"

void filler_take(const struct fill *f, const struct file_node *n, const struct setting *row, void *filled);
const char *filler_kind(const struct file_node *n); /* what it is, for "must be ..., not a number" */
