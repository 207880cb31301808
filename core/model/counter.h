/*
 * The readings of a counter that wraps, as one that does not: total = turns * modulus + reading. A turn is counted only when
 * it is certain; when it is not, the total begins anew at the device's own reading, so that no total is made up.
 *
 * A reading that went back is a turn when the way over the wrap is one that the counter can have gone since the reading
 * before: at most four times as fast as it ever was. Else it was reset. After a time in which it may have gone half a
 * turn nobody knows how many there were. Times are monotonic ms. Plain data, pure, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct counter {
	bool known;       /* there was a reading */
	uint64_t reading; /* the last one, below the modulus */
	uint64_t turns;
	int64_t at_ms;   /* when it was read */
	double fastest;  /* counts a ms, learned */
	uint64_t kept;   /* core/turns.c's: the total that is in the store */
	int64_t kept_ms; /* and since when; 0: none is */
	uint64_t base;   /* total and time from which the speed is measured */
	int64_t base_ms;
};

enum counter_step {
	COUNTER_ON,    /* goes on, or is the first one */
	COUNTER_TURNS, /* goes on over the wrap */
	COUNTER_ANEW,  /* was reset, or it cannot be known: turns are 0 again */
};

/* modulus: 2 or more. reading must be below it. */
enum counter_step counter_take(struct counter *c, uint64_t modulus, uint64_t reading, int64_t now_ms);
uint64_t counter_total(const struct counter *c, uint64_t modulus);

/* Goes on from what was kept before a restart, gap_ms ago; not when the gap is unknown (below 0: the clock was set). */
void counter_restore(struct counter *c, uint64_t modulus, const struct counter *kept, int64_t gap_ms, int64_t now_ms);
