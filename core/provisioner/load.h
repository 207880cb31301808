/*
 * What the store has, into the registry, the oldest first. At start, before the loop runs: it blocks.
 * A row that cannot be right is left out with a warning: it lets nobody in.
 */
#pragma once

#include "core/provisioner/inside.h"

int load_all(struct provisioner *p, struct err *e);
