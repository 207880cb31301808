/*
 * What is kept of a claim key: the SHA-256 of its normal form (siot S4: upper case, only 0-9 and A-Z), as 64 hex digits.
 * Pure, any thread.
 *
 *   "twnk-kd5y" and "TWNK KD5Y" are the same key; "TWNK" is too short to be one; "" and 200 symbols are none.
 */
#pragma once

#include <stdbool.h>

struct fingerprint {
	char hex[65];
};

bool fingerprint_make(struct fingerprint *ret, const char *key);  /* false: that is no key */
bool fingerprint_parse(struct fingerprint *ret, const char *hex); /* as it was printed; false: it is not */
bool fingerprint_same(const struct fingerprint *a, const struct fingerprint *b); /* in constant time */

/* The last 16 digits, for a map: who finds a wrong entry by it still has to pass fingerprint_same. */
const char *fingerprint_index(const struct fingerprint *f);
