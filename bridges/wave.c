#include "bridges/wave.h"

#include <math.h>

enum { SHAPE_CONSTANT, SHAPE_HELD, SHAPE_SINE, SHAPE_STEP, SHAPE_RAMP, SHAPE_COUNTER };

static const char *const words[] = { "constant", "held", "sine", "step", "ramp", "counter", NULL };

#define AT(member) offsetof(struct wave, member)

const struct setting wave_rows[] = {
	{ "wave", SETTING_WORD, AT(shape), "sine", .words = words, .help = "its shape; held: can be written" },
	{ "mean", SETTING_DECIMAL, AT(mean), "0", .help = "the middle; where held and counter begin" },
	{ "amplitude", SETTING_DECIMAL, AT(amplitude), "1",
	  .help = "how far it goes from the middle; counter: the step" },
	{ "period", SETTING_DURATION, AT(period_ms), "1m", .min = 1, .max = INT64_MAX, .help = "its length" },
	{ "push", SETTING_DURATION, AT(push_ms), "0s", .help = "tells its value this often; 0s: it is polled" },
	SCHEDULE_ROW(AT(faults), "troubles of this point"),
	{ 0 },
};

static struct decimal thousandths(int64_t n)
{
	struct decimal d = decimal_of(n);
	d.exp10 = -3;
	return d;
}

static struct decimal constant(int64_t at_ms, int64_t period_ms)
{
	(void)at_ms, (void)period_ms;
	return decimal_of(0);
}

static struct decimal sine(int64_t at_ms, int64_t period_ms)
{
	return thousandths(lround(1000 * sin(2 * M_PI * (double)(at_ms % period_ms) / (double)period_ms)));
}

static struct decimal step(int64_t at_ms, int64_t period_ms)
{
	return decimal_of(at_ms % period_ms < period_ms / 2 ? -1 : 1);
}

static struct decimal ramp(int64_t at_ms, int64_t period_ms)
{
	return thousandths((int64_t)(2000 * (double)(at_ms % period_ms) / (double)period_ms) - 1000);
}

static struct decimal counter(int64_t at_ms, int64_t period_ms)
{
	return decimal_of(at_ms / period_ms);
}

/* How many amplitudes from the mean. */
static struct decimal (*const shapes[])(int64_t at_ms, int64_t period_ms) = {
	[SHAPE_CONSTANT] = constant, [SHAPE_HELD] = constant, [SHAPE_SINE] = sine,
	[SHAPE_STEP] = step,         [SHAPE_RAMP] = ramp,     [SHAPE_COUNTER] = counter,
};

int wave_check(struct point *p, struct err *e)
{
	const struct wave *w = p->address;
	if (p->type != TYPE_BOOL && p->type != TYPE_INT && p->type != TYPE_REAL)
		return err_set(e, "type: a simulated point is bool, int or real");
	if ((p->access & ACCESS_WRITE) && w->shape != SHAPE_HELD)
		return err_set(e, "wave: only a \"held\" value can be written");
	if (w->push_ms)
		p->poll_ms = 0;
	return 0;
}

struct value wave_value(const struct point *p, int64_t at_ms)
{
	const struct wave *w = p->address;
	struct decimal d = decimal_add(w->mean, decimal_multiply(w->amplitude, shapes[w->shape](at_ms, w->period_ms)));
	if (p->type == TYPE_BOOL)
		return value_bool(d.digits && !d.negative);
	return value_number(p->type == TYPE_INT ? decimal_round(d, 0) : d);
}
