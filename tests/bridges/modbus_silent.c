/*
 * A unit that does not answer: what it costs the others of its bus, and how it comes back.
 */
#include "tests/lib/rig.h"
#include "tests/peers/slave.h"

#include <criterion/criterion.h>
#include <stdio.h>

extern const struct bridge_driver driver_modbus_rtu;

TestSuite(modbus_silent, .timeout = 100);

enum { UNITS = 10, POINTS = 5, DEAD = 4, ROUNDS = 30, TIMEOUT_MS = 40 };

struct bench {
	struct slave *slave;
	struct rig *rig;
	struct point *points[UNITS + 1][POINTS];
};

static void add_unit(struct bench *b, int unit)
{
	char text[64];
	snprintf(text, sizeof(text), "unit_id=%d; addressing=protocol", unit);
	struct device *d = rig_device(b->rig, "d", text);
	for (int i = 0; i < POINTS; i++) {
		snprintf(text, sizeof(text), "table=holding; address=%d", i);
		b->points[unit][i] = rig_point(b->rig, d, "p", TYPE_UINT16, text);
		b->points[unit][i]->poll_ms = 10;
	}
}

static void bench_make(struct bench *b, int timeout_ms, int left_out)
{
	char options[128];
	*b = (struct bench){ .slave = slave_pty() };
	snprintf(options, sizeof(options), "device=%s; baud=115200; retries=1; timeout=%dms", slave_path(b->slave),
		 timeout_ms);
	b->rig = rig_new(&driver_modbus_rtu, options);
	for (int unit = 1; unit <= UNITS; unit++)
		if (unit != left_out)
			add_unit(b, unit);
	rig_start(b->rig);
	RIG_UNTIL(b->rig, b->rig->n_up == 1);
}

static void bench_end(struct bench *b)
{
	rig_free(b->rig);
	slave_free(b->slave);
}

static bool all_are(const struct bench *b, int unit, enum quality quality)
{
	for (int i = 0; i < POINTS; i++)
		if (b->points[unit][i]->last.quality != quality)
			return false;
	return true;
}

static bool have_been_asked(const struct bench *b, const unsigned *before, unsigned times)
{
	for (int unit = 1; unit <= UNITS; unit++)
		if (unit != DEAD && slave_asked_unit(b->slave, unit) < before[unit] + times)
			return false;
	return true;
}

static int64_t rounds_ms(struct bench *b)
{
	unsigned before[UNITS + 1];
	for (int unit = 1; unit <= UNITS; unit++)
		before[unit] = slave_asked_unit(b->slave, unit);
	int64_t begun = loop_now(b->rig->loop);
	RIG_UNTIL(b->rig, have_been_asked(b, before, ROUNDS));
	return loop_now(b->rig->loop) - begun;
}

/* Tried again on a machine that is busy with others: what costs bus time, costs it each time. */
Test(modbus_silent, the_others_of_the_bus_do_not_notice)
{
	struct bench b;
	int64_t without, with = INT64_MAX;
	bench_make(&b, TIMEOUT_MS, DEAD);
	slave_fault(b.slave, SLAVE_LATE, -1, 5);
	without = rounds_ms(&b);
	for (int i = 0; i < 2; i++) {
		int64_t again = rounds_ms(&b);
		without = again > without ? again : without;
	}
	bench_end(&b);
	bench_make(&b, TIMEOUT_MS, 0);
	slave_fault(b.slave, SLAVE_LATE, -1, 5);
	slave_units_but(b.slave, DEAD);
	RIG_UNTIL(b.rig, slave_asked_unit(b.slave, DEAD) >= 5); /* it has been found dead, and was probed a few times */
	for (int i = 0; i < 5 && with > without * 105 / 100; i++) {
		unsigned probes = slave_asked_unit(b.slave, DEAD);
		with = rounds_ms(&b);
		probes = slave_asked_unit(b.slave, DEAD) - probes;
		/* Whatever the machine does: each probe takes the line for a timeout and its frame. */
		cr_assert_leq(probes * (TIMEOUT_MS + 1) * 100, with * 5, "%u probes in %lld ms", probes,
			      (long long)with);
	}
	cr_expect_leq(with, without * 105 / 100, "%d rounds take %lld ms with a dead unit and %lld ms without", ROUNDS,
		      (long long)with, (long long)without);
	bench_end(&b);
}

Test(modbus_silent, is_probed_less_and_less_often_with_one_question)
{
	struct bench b;
	bench_make(&b, 30, 0);
	slave_units_but(b.slave, DEAD);
	unsigned asked = 0;
	int64_t last = 0, delays[16] = { 0 };
	while (asked < 7) {
		loop_turn(b.rig->loop);
		unsigned now = slave_asked_unit(b.slave, DEAD);
		if (now == asked)
			continue;
		cr_assert_leq(now, 7);
		delays[now] = loop_now(b.rig->loop) - last;
		last = loop_now(b.rig->loop);
		asked = now;
	}
	for (int i = 4; i <= 6; i++) /* after three questions to be sure that it is dead: 300, 600, 1200 ms */
		cr_expect_geq(delays[i], 250 << (i - 4), "probe %d after %lld ms", i, (long long)delays[i]);
	bench_end(&b);
}

Test(modbus_silent, its_points_go_offline_and_come_back_together)
{
	struct bench b;
	bench_make(&b, 30, 0);
	for (int unit = 1; unit <= UNITS; unit++)
		RIG_UNTIL(b.rig, all_are(&b, unit, QUALITY_GOOD));
	slave_units_but(b.slave, DEAD);
	RIG_UNTIL(b.rig, b.points[DEAD][0]->last.quality == QUALITY_BAD);
	RIG_UNTIL(b.rig, all_are(&b, DEAD, QUALITY_BAD));
	for (int i = 0; i < POINTS; i++)
		cr_expect_eq(b.points[DEAD][i]->last.trouble, TROUBLE_TIMEOUT);
	cr_expect(all_are(&b, DEAD + 1, QUALITY_GOOD));
	slave_units_but(b.slave, -1);
	RIG_UNTIL(b.rig, all_are(&b, DEAD, QUALITY_GOOD));
	bench_end(&b);
}

/* Also those that are not due for a long time: nobody waits a quarter of an hour for what is there again. */
Test(modbus_silent, comes_back_at_once_with_points_that_are_seldom_read)
{
	struct slave *s = slave_pty();
	char options[128];
	snprintf(options, sizeof(options), "device=%s; baud=115200; timeout=30ms", slave_path(s));
	struct rig *rig = rig_new(&driver_modbus_rtu, options);
	struct device *d = rig_device(rig, "d", "unit_id=1; addressing=protocol");
	struct point *often = rig_point(rig, d, "often", TYPE_UINT16, "table=holding; address=1");
	struct point *seldom = rig_point(rig, d, "seldom", TYPE_UINT16, "table=input; address=1");
	often->poll_ms = 10;
	seldom->poll_ms = 900000;
	rig_start(rig);
	RIG_UNTIL(rig, seldom->last.quality == QUALITY_GOOD && often->last.quality == QUALITY_GOOD);
	slave_units_but(s, 1);
	RIG_UNTIL(rig, often->last.quality == QUALITY_BAD);
	RIG_UNTIL(rig, seldom->last.quality == QUALITY_BAD);
	slave_units_but(s, -1);
	RIG_UNTIL(rig, often->last.quality == QUALITY_GOOD && seldom->last.quality == QUALITY_GOOD);
	rig_free(rig);
	slave_free(s);
}
