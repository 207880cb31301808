/*
 * Every key of the configuration with its type, default and meaning, from the rows. What is in the manual is what works.
 */
#pragma once

#include "core/conf/protocol.h"

void manual_settings(const struct protocol *const *protocols, struct text *to); /* Markdown */
