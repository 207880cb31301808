/*
 * The devices of a configuration, and whose localpart is whose. Part of build.h.
 */
#pragma once

#include "core/conf/build.h"

void devices_build(struct build *b, const struct file_node *list);
void devices_default(struct device *d); /* zeroed -> what a block that says nothing gives, without the driver's part */
