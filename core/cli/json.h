/*
 * The little JSON that the command line writes (RFC 8259). Pure, any thread.
 */
#pragma once

#include "core/base/text.h"

void json_text(struct text *to, const char *bytes, size_t size); /* in quotes; what is not UTF-8 becomes '?' */
