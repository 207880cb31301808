/*
 * Is a notification newer than the one before it (RFC 7641 section 3.4)? Datagrams overtake each other: an older value
 * must never replace a newer one. Pure; any thread. Times are monotonic ms.
 *
 *   last      now       time between   newer
 *   5         6         any            yes
 *   6         5         1 s            no, it was overtaken
 *   5         5         1 s            no, a duplicate
 *   0xffffff  0         1 s            yes, the 24 bits went round
 *   6         5         129 s          yes, no datagram is that old: the device has started anew
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct freshness {
	bool seen; /* there was one */
	uint32_t sequence;
	int64_t at_ms;
};

bool freshness_is_newer(const struct freshness *last, uint32_t sequence, int64_t now_ms);
void freshness_take(struct freshness *last, uint32_t sequence, int64_t now_ms);
