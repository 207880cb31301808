/*
 * The buses of a configuration. Part of build.h.
 */
#pragma once

#include "core/conf/build.h"

void buses_build(struct build *b, const struct file_node *list);
