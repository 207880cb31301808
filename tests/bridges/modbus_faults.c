/*
 * A slave that does everything wrong, over TCP and on a serial line: no wrong value, ever. Each register says its own
 * address, its table and when it was asked, so a value is right only if it is of this point and of this question.
 */
#include "tests/lib/rig.h"
#include "tests/peers/slave.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct bridge_driver driver_modbus_rtu, driver_modbus_rtu_tcp, driver_modbus_tcp;

TestSuite(modbus, .timeout = 100);

/* SHORT where hundreds of answers are waited for in vain; LONG where an answer in time must not be missed on a busy machine. */
enum { UNITS = 3, POINTS = 8, SHORT_MS = 60, LONG_MS = 400, LATE_MOST_MS = 300 };

struct bench {
	struct slave *slave;
	struct rig *rig;
	struct point *points[UNITS][POINTS]; /* even: holding, odd: input registers; address is 10 * index */
	struct point *setpoint[UNITS];       /* holding register 100 + unit */
	int timeout_ms;
	uint32_t seed;
	unsigned good, bad;
	bool rested;
};

static uint32_t next_random(struct bench *b, uint32_t below)
{
	b->seed = b->seed * 1664525 + 1013904223;
	return (b->seed >> 8) % below;
}

static void add_points(struct bench *b, int unit)
{
	char text[64];
	snprintf(text, sizeof(text), "unit_id=%d; addressing=protocol", unit + 1);
	struct device *d = rig_device(b->rig, "d", text);
	for (int i = 0; i < POINTS; i++) {
		snprintf(text, sizeof(text), "table=%s; address=%d", i % 2 ? "input" : "holding", 10 * i);
		b->points[unit][i] = rig_point(b->rig, d, "p", TYPE_UINT16, text);
		b->points[unit][i]->poll_ms = 0;
	}
	snprintf(text, sizeof(text), "table=holding; address=%d", 100 + unit);
	b->setpoint[unit] = rig_point(b->rig, d, "s", TYPE_UINT16, text);
	b->setpoint[unit]->poll_ms = 0;
	b->setpoint[unit]->access = ACCESS_BOTH;
}

static void bench_make_for(struct bench *b, const struct bridge_driver *driver, int units, int timeout_ms)
{
	char options[128];
	bool line = driver == &driver_modbus_rtu, converter = driver == &driver_modbus_rtu_tcp;
	*b = (struct bench){ .seed = 20261121, .timeout_ms = timeout_ms };
	b->slave = line ? slave_pty() : converter ? slave_rtu_tcp(0) : slave_tcp(0);
	if (line)
		snprintf(options, sizeof(options), "device=%s; baud=115200; timeout=%dms; retries=1",
			 slave_path(b->slave), timeout_ms);
	else
		snprintf(options, sizeof(options), "host=127.0.0.1; port=%d; timeout=%dms%s", slave_port(b->slave),
			 timeout_ms, converter ? "; baud=115200; retries=1" : "");
	b->rig = rig_new(driver, options);
	for (int unit = 0; unit < units; unit++)
		add_points(b, unit);
	rig_start(b->rig);
	RIG_UNTIL(b->rig, b->rig->n_up == 1);
}

static void bench_make(struct bench *b, bool rtu, int units, int timeout_ms)
{
	bench_make_for(b, rtu ? &driver_modbus_rtu : &driver_modbus_tcp, units, timeout_ms);
}

static void bench_end(struct bench *b)
{
	rig_free(b->rig);
	slave_free(b->slave);
}

/* After a connection was given up: the wait until the next one is skipped. */
static void get_up(struct bench *b)
{
	while (b->rig->bridge->state != BRIDGE_UP) {
		if (b->rig->bridge->state == BRIDGE_AWAY)
			loop_skip(b->rig->loop, 120000);
		loop_turn(b->rig->loop);
	}
}

static void on_rested(void *ctx)
{
	((struct bench *)ctx)->rested = true;
}

/* A unit that is left alone is not asked: time must go by, or the same is heard a thousand times. */
static void let_rest(struct bench *b)
{
	struct timer t = { 0 };
	b->rested = false;
	timer_set(b->rig->loop, &t, b->timeout_ms / 4, on_rested, b);
	RIG_UNTIL(b->rig, b->rested);
}

/* One read: either no value, or the right one. */
static int read_one(struct bench *b, int unit, int i)
{
	char shown[DECIMAL_ROOM];
	get_up(b);
	unsigned before = slave_asked(b->slave);
	int status = rig_read(b->rig, b->points[unit][i], shown);
	unsigned after = slave_asked(b->slave);
	if (status != REQUEST_DONE) {
		b->bad += after != before;
		if (after == before)
			let_rest(b);
		return status;
	}
	unsigned value = (unsigned)strtoul(shown, NULL, 10);
	unsigned age = (after - value) & 255;
	cr_assert_eq(value >> 8, (unsigned)((i % 2) << 7 | 10 * i), "unit %d address %d holds %04x", unit + 1, 10 * i,
		     value);
	cr_assert_lt(age, after - before, "a value of question %u of %u to %u", value & 255, before & 255, after & 255);
	b->good++;
	return status;
}

static const struct {
	enum slave_fault fault;
	int argument; /* LATE, SLOW: in percent of the timeout */
	bool rtu, tcp;
	int status_rtu, status_tcp; /* of a read while it lasts */
} faults[] = {
	{ SLAVE_FAULTLESS, 0, true, true, REQUEST_DONE, REQUEST_DONE },
	{ SLAVE_LATE, 200, true, true, REQUEST_TIMEOUT, REQUEST_TIMEOUT },
	{ SLAVE_SILENT, 0, true, true, REQUEST_TIMEOUT, REQUEST_TIMEOUT },
	{ SLAVE_WRONG_UNIT, 0, true, true, REQUEST_GARBLED, REQUEST_GARBLED },
	{ SLAVE_WRONG_FUNCTION, 0, true, true, REQUEST_GARBLED, REQUEST_GARBLED },
	{ SLAVE_WRONG_TRANSACTION, 0, false, true, 0, REQUEST_GARBLED },
	{ SLAVE_WRONG_PROTOCOL, 0, false, true, 0, REQUEST_GARBLED },
	{ SLAVE_WRONG_LENGTH, 0, false, true, 0, REQUEST_GARBLED },
	{ SLAVE_TRUNCATED, 0, true, true, REQUEST_GARBLED, REQUEST_GARBLED },
	{ SLAVE_WRONG_CRC, 0, true, false, REQUEST_GARBLED, 0 },
	{ SLAVE_EXTRA, 0, true, true, REQUEST_DONE, REQUEST_DONE },
	{ SLAVE_LYING_COUNT, 0, true, true, REQUEST_GARBLED, REQUEST_GARBLED },
	{ SLAVE_OTHER_COUNT, 0, true, true, REQUEST_GARBLED, REQUEST_GARBLED },
	{ SLAVE_EXCEPTION, 2, true, true, REQUEST_REFUSED, REQUEST_REFUSED },
	{ SLAVE_EXCEPTION, 11, true, true, REQUEST_TIMEOUT, REQUEST_TIMEOUT },
	{ SLAVE_EXCEPTION, 10, true, true, REQUEST_AWAY, REQUEST_AWAY },
	{ SLAVE_EXCEPTION, 99, true, true, REQUEST_REFUSED, REQUEST_REFUSED },
	{ SLAVE_CLOSING, 0, false, true, 0, REQUEST_AWAY },
	{ SLAVE_ECHO, 0, true, false, REQUEST_GARBLED, 0 },
	{ SLAVE_NOISE, 0, true, false, REQUEST_DONE, 0 },
	{ SLAVE_BABBLING, 0, true, true, REQUEST_GARBLED, REQUEST_GARBLED },
	{ SLAVE_SLOW, 3, true, true, REQUEST_DONE, REQUEST_DONE },
	{ SLAVE_SLOW, 33, true, true, REQUEST_GARBLED, REQUEST_GARBLED },
	{ SLAVE_TWICE, 0, true, true, REQUEST_DONE, REQUEST_DONE },
};
enum { N_FAULTS = sizeof(faults) / sizeof(faults[0]) };

static int argument_of(size_t i, int timeout_ms)
{
	bool time = faults[i].fault == SLAVE_LATE || faults[i].fault == SLAVE_SLOW;
	return time ? faults[i].argument * timeout_ms / 100 : faults[i].argument;
}

static struct criterion_test_params every_fault(bool rtu)
{
	static size_t rows[2][N_FAULTS];
	size_t n = 0;
	for (size_t i = 0; i < N_FAULTS; i++)
		if (rtu ? faults[i].rtu : faults[i].tcp)
			rows[rtu][n++] = i;
	return cr_make_param_array(size_t, rows[rtu], n);
}

ParameterizedTestParameters(modbus, names_each_fault_on_a_serial_line)
{
	return every_fault(true);
}

ParameterizedTestParameters(modbus, names_each_fault_over_tcp)
{
	return every_fault(false);
}

static void check_fault(size_t i, bool rtu)
{
	struct bench b;
	bench_make(&b, rtu, 1, LONG_MS);
	cr_assert_eq(read_one(&b, 0, 1), REQUEST_DONE);
	slave_fault(b.slave, faults[i].fault, -1, argument_of(i, LONG_MS));
	int status = read_one(&b, 0, 2);
	cr_assert_eq(status, rtu ? faults[i].status_rtu : faults[i].status_tcp, "fault %d argument %d: %s",
		     faults[i].fault, faults[i].argument, bridge_status_word(status));
	slave_fault(b.slave, SLAVE_FAULTLESS, 0, 0);
	while (read_one(&b, 0, 3) != REQUEST_DONE)
		continue; /* each read is judged; in the end one is good again */
	bench_end(&b);
}

ParameterizedTest(size_t *row, modbus, names_each_fault_on_a_serial_line)
{
	check_fault(*row, true);
}

ParameterizedTest(size_t *row, modbus, names_each_fault_over_tcp)
{
	check_fault(*row, false);
}

/* The heart of it: hundreds of reads of changing points, faults at random, lateness at random. */
static void storm(const struct bridge_driver *driver, int units, unsigned questions)
{
	struct bench b;
	bool rtu = driver != &driver_modbus_tcp;
	bench_make_for(&b, driver, units, SHORT_MS);
	while (slave_asked(b.slave) < questions) {
		size_t i = next_random(&b, N_FAULTS);
		bool fits = rtu ? faults[i].rtu : faults[i].tcp;
		int argument = argument_of(i, SHORT_MS);
		if (faults[i].fault == SLAVE_LATE)
			argument = (int)next_random(&b, LATE_MOST_MS);
		if (fits && next_random(&b, 3))
			slave_fault(b.slave, faults[i].fault, 1 + (int)next_random(&b, 2), argument);
		read_one(&b, (int)next_random(&b, (uint32_t)units), (int)next_random(&b, POINTS));
	}
	cr_assert(b.good > questions / 6 && b.bad > questions / 20, "%u good, %u bad", b.good, b.bad);
	bench_end(&b);
}

Test(modbus, never_gives_a_wrong_value_in_a_storm_of_faults_over_tcp)
{
	storm(&driver_modbus_tcp, 1, 1500);
}

Test(modbus, never_gives_a_wrong_value_in_a_storm_of_faults_behind_a_gateway)
{
	storm(&driver_modbus_tcp, UNITS, 500);
}

Test(modbus, never_gives_a_wrong_value_in_a_storm_of_faults_on_a_serial_line)
{
	storm(&driver_modbus_rtu, UNITS, 600);
}

Test(modbus, never_gives_a_wrong_value_in_a_storm_of_faults_through_a_converter)
{
	storm(&driver_modbus_rtu_tcp, UNITS, 400);
}

/* libmodbus gives the value of one register for that of another here, and says that all is well. */
static void all_late(const struct bridge_driver *driver)
{
	struct bench b;
	bench_make_for(&b, driver, UNITS, SHORT_MS);
	for (int late_ms = SHORT_MS / 2; late_ms < LATE_MOST_MS; late_ms += 25) {
		slave_fault(b.slave, SLAVE_LATE, -1, late_ms);
		for (int i = 0; i < POINTS; i++)
			read_one(&b, 0, i);
		slave_fault(b.slave, SLAVE_FAULTLESS, 0, 0);
		while (read_one(&b, 0, late_ms % POINTS) != REQUEST_DONE)
			continue;
	}
	bench_end(&b);
}

Test(modbus, takes_no_late_answer_for_another_over_tcp)
{
	all_late(&driver_modbus_tcp);
}

Test(modbus, takes_no_late_answer_for_another_on_a_serial_line)
{
	all_late(&driver_modbus_rtu);
}

Test(modbus, takes_no_late_answer_for_another_through_a_converter)
{
	all_late(&driver_modbus_rtu_tcp);
}

/* The same register again and again: the answer must be that of this question, not of the one before. */
Test(modbus, takes_no_late_answer_for_the_same_question_asked_again)
{
	struct bench b;
	bench_make(&b, true, UNITS, SHORT_MS);
	for (int round = 0; round < 40; round++) {
		slave_fault(b.slave, SLAVE_LATE, 1 + round % 2, SHORT_MS + round * 7 % 240);
		for (int again = 0; again < 3; again++)
			read_one(&b, 0, 2);
	}
	cr_assert(b.good > 10 && b.bad > 3, "%u good, %u bad", b.good, b.bad);
	bench_end(&b);
}

static void one_is_silent(bool rtu)
{
	struct bench b;
	bench_make(&b, rtu, UNITS, LONG_MS);
	slave_units(b.slave, 2, 3);
	int64_t begin_ms = loop_now(b.rig->loop);
	for (int round = 0; round < 20; round++) {
		cr_assert_eq(read_one(&b, 0, round % POINTS), REQUEST_TIMEOUT);
		cr_assert_eq(read_one(&b, 1, round % POINTS), REQUEST_DONE);
		cr_assert_eq(read_one(&b, 2, round % POINTS), REQUEST_DONE);
	}
	cr_assert_eq(b.rig->n_away, 0);
	int64_t rests = 1 + (loop_now(b.rig->loop) - begin_ms) / (10 * LONG_MS);
	cr_assert_leq(slave_asked_unit(b.slave, 1), 3 * rests, "it is left alone most of the time");
	slave_units(b.slave, 1, 3);
	while (read_one(&b, 0, 0) != REQUEST_DONE)
		continue;
	bench_end(&b);
}

Test(modbus, a_silent_unit_does_not_take_the_serial_line_down)
{
	one_is_silent(true);
}

Test(modbus, a_silent_unit_does_not_take_its_gateway_down)
{
	one_is_silent(false);
}

Test(modbus, an_exception_of_one_register_is_its_own_trouble)
{
	for (int rtu = 0; rtu < 2; rtu++) {
		struct bench b;
		bench_make(&b, rtu, UNITS, LONG_MS);
		slave_except(b.slave, 20, 2);
		for (int round = 0; round < 20; round++) {
			cr_assert_eq(read_one(&b, 0, 2), REQUEST_REFUSED);
			cr_assert_eq(read_one(&b, 0, 3), REQUEST_DONE);
		}
		cr_assert_eq(b.rig->n_away, 0);
		cr_assert_eq(b.points[0][2]->last.quality, QUALITY_BAD);
		cr_assert_eq(b.points[0][2]->last.trouble, TROUBLE_REFUSED);
		bench_end(&b);
	}
}

Test(modbus, an_unanswered_write_is_sent_once)
{
	for (int rtu = 0; rtu < 2; rtu++) {
		struct bench b;
		bench_make(&b, rtu, UNITS, LONG_MS);
		slave_fault(b.slave, SLAVE_SILENT, 1, 0);
		cr_assert_eq(rig_write(b.rig, b.setpoint[0], "4711"), REQUEST_TIMEOUT);
		get_up(&b);
		while (read_one(&b, 0, 0) != REQUEST_DONE)
			continue;
		cr_assert_eq(slave_wrote(b.slave), 1);
		bench_end(&b);
	}
}

static void storm_of_writes(bool rtu, int units, unsigned questions)
{
	struct bench b;
	unsigned done = 0, asked;
	bench_make(&b, rtu, units, SHORT_MS);
	while ((asked = slave_asked(b.slave)) < questions) {
		size_t i = next_random(&b, N_FAULTS);
		int unit = (int)next_random(&b, (uint32_t)units);
		char text[16];
		uint16_t seen = 0;
		get_up(&b);
		if ((rtu ? faults[i].rtu : faults[i].tcp) && next_random(&b, 2))
			slave_fault(b.slave, next_random(&b, 5) ? faults[i].fault : SLAVE_OTHER_WRITE, 1,
				    argument_of(i, SHORT_MS));
		snprintf(text, sizeof(text), "%u", 1000 + asked);
		b.setpoint[unit]->confirm = asked % 2 ? CONFIRM_READBACK : CONFIRM_NONE;
		if (rig_write(b.rig, b.setpoint[unit], text) != REQUEST_DONE) {
			if (slave_asked(b.slave) == asked)
				let_rest(&b);
			continue;
		}
		done++;
		cr_assert(slave_get(b.slave, SLAVE_HOLDINGS, (uint16_t)(100 + unit), &seen));
		cr_assert_eq(seen, 1000 + asked, "said done, but the device holds %u", seen);
	}
	cr_assert(done > questions / 10 && done < questions, "%u of %u", done, questions);
	bench_end(&b);
}

Test(modbus, says_done_only_of_writes_that_happened_over_tcp)
{
	storm_of_writes(false, 1, 500);
}

Test(modbus, says_done_only_of_writes_that_happened_behind_a_gateway)
{
	storm_of_writes(false, UNITS, 200);
}

Test(modbus, says_done_only_of_writes_that_happened_on_a_serial_line)
{
	storm_of_writes(true, UNITS, 200);
}
