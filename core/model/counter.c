#include "core/model/counter.h"

static const int64_t SPEED_MS = 1000; /* two readings closer than this say little of the speed */
static const double MARGIN = 4;       /* how much faster than ever it may have been */
static const uint64_t NEAR = 1000;    /* a way of a thousandth of a turn over the wrap is no reset */

/* How far it can have gone in the time. */
static double reach(const struct counter *c, uint64_t modulus, int64_t now_ms)
{
	double learned = MARGIN * c->fastest * (double)(now_ms - c->at_ms);
	double least = (double)modulus / (double)NEAR;
	return learned > least ? learned : least;
}

/* One reading that does not belong to the others must not teach a speed at which nothing is certain any more. */
static void learn(struct counter *c, uint64_t total, int64_t now_ms)
{
	int64_t passed = now_ms - c->base_ms;
	if (passed < SPEED_MS)
		return;
	double speed = (double)(total - c->base) / (double)passed;
	if (c->fastest > 0 && speed > 2 * c->fastest)
		speed = 2 * c->fastest;
	if (speed > c->fastest)
		c->fastest = speed;
	c->base = total;
	c->base_ms = now_ms;
}

static enum counter_step begin(struct counter *c, uint64_t reading, int64_t now_ms, enum counter_step step)
{
	c->known = true;
	c->turns = 0;
	c->reading = c->base = reading;
	c->at_ms = c->base_ms = now_ms;
	return step;
}

static bool fits(const struct counter *c, uint64_t modulus)
{
	return c->turns < INT64_MAX / modulus - 1;
}

enum counter_step counter_take(struct counter *c, uint64_t modulus, uint64_t reading, int64_t now_ms)
{
	if (!c->known)
		return begin(c, reading, now_ms, COUNTER_ON);
	double far = reach(c, modulus, now_ms);
	bool back = reading < c->reading;
	uint64_t way = back ? modulus - c->reading + reading : reading - c->reading;
	bool lost = far * 2 >= (double)modulus; /* nobody looked for too long */
	bool reset = back && (double)way > far;
	if (lost || reset || (back && !fits(c, modulus)))
		return begin(c, reading, now_ms, COUNTER_ANEW);
	c->turns += back;
	c->reading = reading;
	learn(c, counter_total(c, modulus), now_ms);
	c->at_ms = now_ms;
	return back ? COUNTER_TURNS : COUNTER_ON;
}

uint64_t counter_total(const struct counter *c, uint64_t modulus)
{
	return c->turns * modulus + c->reading;
}

void counter_restore(struct counter *c, uint64_t modulus, const struct counter *kept, int64_t gap_ms, int64_t now_ms)
{
	if (gap_ms < 0 || kept->reading >= modulus || !fits(kept, modulus))
		return;
	*c = *kept;
	c->known = true;
	c->at_ms = c->base_ms = now_ms - gap_ms;
	c->base = counter_total(c, modulus);
}
