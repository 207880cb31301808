/*
 * What was learned of registers that cannot be read, or not together: a device that refuses an address refuses every
 * block over it. Guilty registers are asked for again every five minutes, alone; a cut between two blocks is forgotten
 * after an hour.
 *
 * Pure: times are handed in (monotonic ms). Zero a struct mbhole to begin, mbhole_free to end. Loop thread.
 */
#pragma once

#include "bridges/mbplan.h"

struct mbhole {
	struct mbplan_barrier *barriers; /* as mbplan_merge wants them */
	struct mbhole_why {
		int64_t until_ms;
		uint8_t exception; /* 0: a cut, both sides of it can be read */
	} * why;
	size_t n;
};

void mbhole_cut(struct mbhole *h, const struct mbplan_barrier *where, int64_t now_ms);
void mbhole_guilty(struct mbhole *h, const struct mbplan_barrier *where, uint8_t exception, int64_t now_ms);
void mbhole_forgive(struct mbhole *h, const struct mbplan_barrier *where); /* also when it was not guilty */

/* The exception when it is guilty and not yet to be asked again, 0 when it may be asked. */
uint8_t mbhole_is_guilty(const struct mbhole *h, const struct mbplan_barrier *where, int64_t now_ms, int64_t *ret_ms);
void mbhole_age(struct mbhole *h, int64_t now_ms); /* forgets old cuts */
void mbhole_free(struct mbhole *h);
