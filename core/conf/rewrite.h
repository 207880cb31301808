/* A block of a file as text again, that loads to the same: for blocks that are needed when their file is gone. */
#pragma once

#include "core/base/text.h"
#include "core/conf/file.h"

void rewrite_node(const struct file_node *n, struct text *to);
