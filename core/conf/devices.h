/*
 * The devices of a configuration, and whose localpart is whose. Part of build.h.
 */
#pragma once

#include "core/conf/build.h"

/* One device, checked, not in the house; id: NULL, or what is used instead of that of the block, and is not looked at. */
struct device *devices_make(struct build *b, const struct file_node *n, size_t i, const struct repeat_mark *mark, const char *id);
/* One device of a pattern, into the house. */
void devices_build_level(struct build *b, const struct file_node *n, size_t i, const char *level, const char *id);
void devices_build(struct build *b, const struct file_node *list);
void devices_default(struct device *d); /* zeroed -> what a block that says nothing gives, without the driver's part */
