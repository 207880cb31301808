/*
 * A serial line of two pseudo terminals that carries bytes as slowly as a real one, in a thread of its own. For tests only.
 */
#pragma once

#include <stdint.h>

struct wire;

struct wire *wire_new(int64_t byte_us);
const char *wire_end(const struct wire *w, int end); /* path of one of the two ends, 0 and 1 */
void wire_free(struct wire *w);
