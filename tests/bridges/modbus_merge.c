/*
 * Points that are due together are read together, and never one at the expense of another: each register says its own place
 * and when it was read.
 */
#include "tests/lib/rig.h"
#include "tests/peers/slave.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct bridge_driver driver_modbus_rtu, driver_modbus_rtu_tcp, driver_modbus_tcp;

TestSuite(modbus_merge, .timeout = 60);

enum { N = 40, FIVE_MINUTES_MS = 300000 };

struct bench {
	struct slave *slave;
	struct rig *rig;
	struct point *points[N];
	uint16_t places[N];
};

static void bench_make_with(struct bench *b, int timeout_ms, const char *device, uint16_t step)
{
	char options[128];
	*b = (struct bench){ .slave = slave_pty() };
	snprintf(options, sizeof(options), "device=%s; baud=115200; timeout=%dms", slave_path(b->slave), timeout_ms);
	b->rig = rig_new(&driver_modbus_rtu, options);
	snprintf(options, sizeof(options), "unit_id=1; addressing=protocol; %s", device);
	struct device *d = rig_device(b->rig, "d", options);
	for (size_t i = 0; i < N; i++) {
		b->places[i] = (uint16_t)(step * i);
		snprintf(options, sizeof(options), "table=holding; address=%u", b->places[i]);
		b->points[i] = rig_point(b->rig, d, "p", TYPE_UINT16, options);
	}
}

static void bench_make(struct bench *b, const char *device, uint16_t step)
{
	bench_make_with(b, 400, device, step);
}

static void bench_end(struct bench *b)
{
	rig_free(b->rig);
	slave_free(b->slave);
}

static bool all_are(const struct bench *b, enum quality quality, size_t but)
{
	for (size_t i = 0; i < N; i++)
		if (i != but && b->points[i]->last.quality != quality)
			return false;
	return true;
}

static void look_at_values(const struct bench *b, size_t but)
{
	char room[DECIMAL_ROOM];
	for (size_t i = 0; i < N; i++) {
		unsigned value = (unsigned)strtoul(value_print(&b->points[i]->last.value, room), NULL, 10);
		if (i != but)
			cr_assert_eq(value >> 8, b->places[i] & 127U, "address %u holds %04x", b->places[i], value);
	}
}

/* Questions of one round of polls, after what was there before is done. */
static unsigned round_of(struct bench *b, size_t but)
{
	unsigned before = slave_asked(b->slave);
	size_t one = but == 0;
	int64_t was = b->points[N - 1]->taken_ms, first = b->points[one]->taken_ms;
	loop_skip(b->rig->loop, 1000);
	RIG_UNTIL(b->rig, b->points[N - 1]->taken_ms > was && b->points[one]->taken_ms > first);
	RIG_UNTIL(b->rig, b->rig->bridge->n_waiting == 0);
	return slave_asked(b->slave) - before;
}

static void start(struct bench *b, size_t but)
{
	rig_start(b->rig);
	RIG_UNTIL(b->rig, all_are(b, QUALITY_GOOD, but));
	RIG_UNTIL(b->rig, b->rig->bridge->n_waiting == 0);
}

Test(modbus_merge, reads_neighbours_with_one_question)
{
	struct bench b;
	bench_make(&b, "", 1);
	start(&b, N);
	cr_expect_eq(round_of(&b, N), 1);
	look_at_values(&b, N);
	bench_end(&b);
}

Test(modbus_merge, reads_through_gaps_and_keeps_the_caps)
{
	struct bench b;
	bench_make(&b, "turnaround=20ms", 3);
	start(&b, N);
	cr_expect_eq(round_of(&b, N), 1, "118 registers");
	look_at_values(&b, N);
	bench_end(&b);
	bench_make(&b, "max_gap=0", 3);
	start(&b, N);
	cr_expect_eq(round_of(&b, N), N);
	look_at_values(&b, N);
	bench_end(&b);
	bench_make(&b, "max_block=10", 1);
	start(&b, N);
	cr_expect_eq(round_of(&b, N), 4);
	look_at_values(&b, N);
	bench_end(&b);
}

/* With what it is believed to think, 20 ms, a gap of 30 registers is not worth it at 9600 baud; with a tenth of a second it is. */
Test(modbus_merge, learns_from_the_device_which_gaps_are_worth_it)
{
	struct slave *slave = slave_pty();
	char options[128];
	snprintf(options, sizeof(options), "device=%s; baud=9600; timeout=2s", slave_path(slave));
	struct rig *rig = rig_new(&driver_modbus_rtu, options);
	struct device *d = rig_device(rig, "d", "unit_id=1; addressing=protocol");
	struct point *points[] = { rig_point(rig, d, "p", TYPE_UINT16, "table=holding; address=0"),
				   rig_point(rig, d, "p", TYPE_UINT16, "table=holding; address=31") };
	unsigned asked[3] = { 0 }; /* first, after some rounds with a slow device, and with a quick one again */
	rig_start(rig);
	RIG_UNTIL(rig, points[0]->taken_ms && points[1]->taken_ms);
	asked[0] = slave_asked(slave);
	slave_fault(slave, SLAVE_LATE, -1, 100);
	for (int round = 0; round < 50 && asked[2] != 2; round++) {
		unsigned before = slave_asked(slave);
		int64_t was[] = { points[0]->taken_ms, points[1]->taken_ms };
		loop_skip(rig->loop, 1000);
		RIG_UNTIL(rig, points[0]->taken_ms > was[0] && points[1]->taken_ms > was[1]);
		asked[1] = asked[1] == 1 ? 1 : slave_asked(slave) - before;
		asked[2] = asked[1] == 1 ? slave_asked(slave) - before : 0;
		if (asked[1] == 1)
			slave_fault(slave, SLAVE_FAULTLESS, -1, 0);
	}
	cr_expect(asked[0] == 2 && asked[1] == 1 && asked[2] == 2, "%u, %u and %u questions", asked[0], asked[1],
		  asked[2]);
	rig_free(rig);
	slave_free(slave);
}

Test(modbus_merge, speaks_the_frames_of_a_line_through_a_converter)
{
	struct slave *s = slave_rtu_tcp(0);
	char options[64];
	snprintf(options, sizeof(options), "host=127.0.0.1; port=%d; baud=115200", slave_port(s));
	struct rig *rig = rig_new(&driver_modbus_rtu_tcp, options);
	struct device *d = rig_device(rig, "d", "unit_id=7; addressing=protocol");
	struct point *p = rig_point(rig, d, "p", TYPE_UINT16, "table=input; address=5");
	p->poll_ms = 0;
	rig_start(rig);
	RIG_UNTIL(rig, rig->n_up == 1);
	for (unsigned n = 1; n < 5; n++) {
		char shown[DECIMAL_ROOM];
		cr_assert_eq(rig_read(rig, p, shown), REQUEST_DONE);
		cr_assert_eq(strtoul(shown, NULL, 10), (128U + 5) << 8 | n);
		cr_assert_eq(slave_connections(s), n, "an idle connection may be closed");
		slave_hang_up(s);
	}
	cr_assert_eq(rig->n_away, 0);
	rig_free(rig);
	slave_free(s);
}

Test(modbus_merge, takes_coils_apart)
{
	struct slave *s = slave_tcp(0);
	char options[64];
	snprintf(options, sizeof(options), "host=127.0.0.1; port=%d", slave_port(s));
	struct rig *rig = rig_new(&driver_modbus_tcp, options);
	struct device *d = rig_device(rig, "d", "unit_id=1; addressing=protocol");
	struct point *points[N];
	for (size_t i = 0; i < N; i++) {
		snprintf(options, sizeof(options), "table=coil; address=%zu", 5 + 2 * i);
		points[i] = rig_point(rig, d, "p", TYPE_BOOL, options);
	}
	rig_start(rig);
	RIG_UNTIL(rig, points[0]->last.quality == QUALITY_GOOD && rig->bridge->n_waiting == 0);
	cr_expect_eq(slave_asked(s), 1);
	for (size_t i = 0; i < N; i++)
		cr_expect_eq(points[i]->last.value.yes, (5 + 2 * i) % 3 == 0, "coil %zu", 5 + 2 * i);
	rig_free(rig);
	slave_free(s);
}

/* The guilty one anywhere: first, last, in the middle. */
Test(modbus_merge, finds_the_guilty_register_and_reads_the_others)
{
	static const size_t guilties[] = { 0, 1, 17, N - 2 };
	for (size_t i = 0; i < sizeof(guilties) / sizeof(guilties[0]); i++) {
		struct bench b;
		size_t guilty = guilties[i];
		bench_make(&b, "", 1);
		slave_except(b.slave, b.places[guilty], 2);
		start(&b, guilty);
		cr_expect_leq(slave_asked(b.slave), 14, "%u questions to find it", slave_asked(b.slave));
		cr_expect_eq(b.points[guilty]->last.quality, QUALITY_BAD);
		cr_expect_eq(b.points[guilty]->last.trouble, TROUBLE_REFUSED);
		unsigned most = guilty == 0 || guilty == N - 1 ? 1 : 2;
		cr_expect_eq(round_of(&b, guilty), most, "the others are read in as few blocks as can be");
		look_at_values(&b, guilty);
		for (int again = 0; again < 5; again++)
			cr_expect_eq(round_of(&b, guilty), most, "nobody asks for it");
		slave_except(b.slave, b.places[guilty], 0);
		loop_skip(b.rig->loop, FIVE_MINUTES_MS);
		RIG_UNTIL(b.rig, all_are(&b, QUALITY_GOOD, N));
		round_of(&b, N);
		cr_expect_eq(round_of(&b, N), 1, "it is one of them again");
		look_at_values(&b, N);
		bench_end(&b);
	}
}

Test(modbus_merge, learns_which_gap_cannot_be_read_through)
{
	struct bench b;
	bench_make(&b, "", 3);
	slave_except(b.slave, 31, 2);
	start(&b, N);
	cr_expect(all_are(&b, QUALITY_GOOD, N), "no register that is wanted is guilty");
	cr_expect_eq(round_of(&b, N), 2);
	cr_expect_eq(round_of(&b, N), 2);
	look_at_values(&b, N);
	bench_end(&b);
}

Test(modbus_merge, a_friend_who_asks_for_a_guilty_register_gets_the_devices_word)
{
	struct bench b;
	bench_make(&b, "", 1);
	slave_except(b.slave, 17, 2);
	start(&b, 17);
	cr_expect_eq(rig_read(b.rig, b.points[17], NULL), REQUEST_REFUSED);
	slave_except(b.slave, 17, 0);
	cr_expect_eq(rig_read(b.rig, b.points[17], NULL), REQUEST_DONE);
	cr_expect_eq(round_of(&b, N), 1, "and polls follow");
	bench_end(&b);
}

Test(modbus_merge, asks_once_for_what_several_want)
{
	struct bench b;
	struct rig_ask asks[8] = { 0 };
	bench_make(&b, "", 1);
	start(&b, N);
	slave_fault(b.slave, SLAVE_LATE, 1, 100);
	unsigned before = slave_asked(b.slave);
	for (size_t i = 0; i < 8; i++)
		rig_ask_read(b.rig, &asks[i], b.points[5], 5000);
	for (size_t i = 0; i < 8; i++) {
		RIG_UNTIL(b.rig, asks[i].n_done);
		cr_expect_eq(asks[i].status, REQUEST_DONE);
		rig_ask_free(&asks[i]);
	}
	cr_expect_eq(slave_asked(b.slave) - before, 1);
	bench_end(&b);
}

/* A block commits as a whole or not at all. */
Test(modbus_merge, a_spoiled_block_gives_no_value_at_all)
{
	static const enum slave_fault faults[] = { SLAVE_TRUNCATED,   SLAVE_WRONG_CRC,  SLAVE_OTHER_COUNT,
						   SLAVE_LYING_COUNT, SLAVE_WRONG_UNIT, SLAVE_BABBLING };
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct bench b;
		bench_make_with(&b, 100, "", 1);
		start(&b, N);
		slave_fault(b.slave, faults[i], -1, 0);
		loop_skip(b.rig->loop, 1000);
		RIG_UNTIL(b.rig, all_are(&b, QUALITY_BAD, N));
		slave_fault(b.slave, SLAVE_FAULTLESS, 0, 0);
		while (!all_are(&b, QUALITY_GOOD, N)) {
			loop_skip(b.rig->loop, 1000);
			loop_turn(b.rig->loop);
			RIG_UNTIL(b.rig, b.rig->bridge->n_waiting == 0);
		}
		look_at_values(&b, N);
		bench_end(&b);
	}
}

/* Faults at random over many rounds of merged polls: every sample that comes through says its own place. */
static void check_sample(struct rig *rig, struct point *p, enum news news)
{
	char room[DECIMAL_ROOM];
	struct bench *b = rig->ctx;
	(void)news;
	if (p->last.quality != QUALITY_GOOD)
		return;
	for (size_t i = 0; i < N; i++)
		if (b->points[i] == p)
			cr_assert_eq(strtoul(value_print(&p->last.value, room), NULL, 10) >> 8, b->places[i] & 127U);
}

Test(modbus_merge, never_gives_a_value_to_the_wrong_point)
{
	struct bench b;
	uint32_t seed = 20261121;
	bench_make_with(&b, 60, "", 2);
	b.rig->ctx = &b;
	b.rig->on_sample = check_sample;
	start(&b, N);
	for (int round = 0; round < 150; round++) {
		seed = seed * 1664525 + 1013904223;
		if (seed >> 9 & 1)
			slave_fault(b.slave, (enum slave_fault)(seed >> 10) % SLAVE_FAULTS, 1, seed >> 20 & 7 ? 2 : 50);
		slave_except(b.slave, (uint16_t)(seed >> 12 & 127), seed >> 19 & 1 ? 2 : 0);
		loop_skip(b.rig->loop, 1000);
		loop_turn(b.rig->loop);
		if (round % 10 == 0)
			RIG_UNTIL(b.rig, b.rig->bridge->n_waiting == 0);
	}
	bench_end(&b);
}

/* The exponent may change between two readings, so that a value with another reading's exponent would be ten times wrong. */
Test(modbus_merge, reads_a_value_and_its_exponent_with_one_question)
{
	char shown[DECIMAL_ROOM];
	struct slave *slave = slave_tcp(0);
	char options[64];
	snprintf(options, sizeof(options), "host=127.0.0.1; port=%d", slave_port(slave));
	struct rig *rig = rig_new(&driver_modbus_tcp, options);
	struct device *d = rig_device(rig, "d", "unit_id=1; addressing=protocol; max_gap=0");
	struct point *p = rig_point(rig, d, "p", TYPE_INT16, "table=holding; address=40; exponent=43");
	p->poll_ms = 0;
	p->poll_ms = 0;
	rig_start(rig);
	RIG_UNTIL(rig, rig->n_up == 1);
	slave_set(slave, SLAVE_HOLDINGS, 40, 1542);
	slave_set(slave, SLAVE_HOLDINGS, 43, (uint16_t)-1);
	unsigned before = slave_asked(slave);
	cr_assert_eq(rig_read(rig, p, shown), REQUEST_DONE);
	cr_assert_str_eq(shown, "154.2");
	cr_assert_eq(slave_asked(slave) - before, 1);
	slave_set(slave, SLAVE_HOLDINGS, 43, 1);
	cr_assert_eq(rig_read(rig, p, shown), REQUEST_DONE);
	cr_assert_str_eq(shown, "15420");
	slave_set(slave, SLAVE_HOLDINGS, 43, 0x8000);
	rig_read(rig, p, shown);
	cr_assert_eq(p->last.quality, QUALITY_BAD);
	rig_free(rig);
	slave_free(slave);
}
