/*
 * A plain program for ThreadSanitizer, under which Criterion does not start: loop, worker and slave in threads of one
 * process, with faults, closings in the middle and reopenings. Prints nothing when all is well.
 */
#include "tests/lib/rig.h"
#include "tests/peers/slave.h"

#include <stdio.h>

extern const struct bridge_driver driver_modbus_rtu, driver_modbus_tcp;

enum { ROUNDS = 12, ASKS = 24 };

static struct rig *rig_for(struct slave *s, bool rtu)
{
	char options[128];
	if (rtu)
		snprintf(options, sizeof(options), "device=%s; baud=115200; timeout=30ms", slave_path(s));
	else
		snprintf(options, sizeof(options), "host=127.0.0.1; port=%d; timeout=30ms; retries=1", slave_port(s));
	return rig_new(rtu ? &driver_modbus_rtu : &driver_modbus_tcp, options);
}

static bool all_done(const struct rig_ask *asks)
{
	for (size_t i = 0; i < ASKS; i++)
		if (!asks[i].n_done)
			return false;
	return true;
}

static void play(struct slave *s, bool rtu, int round)
{
	struct rig *rig = rig_for(s, rtu);
	struct rig_ask asks[ASKS] = { 0 };
	struct device *d = rig_device(rig, "d", "unit_id=1; addressing=modicon");
	struct point *p = rig_point(rig, d, "p", TYPE_UINT16, "address=40001");
	p->access = ACCESS_BOTH;
	p->poll_ms = 5;
	rig_start(rig);
	RIG_UNTIL(rig, rig->n_up == 1);
	slave_fault(s, (enum slave_fault)(round * 2 % SLAVE_FAULTS), 2, 5);
	for (size_t i = 0; i < ASKS; i++) {
		if (i % 4)
			rig_ask_read(rig, &asks[i], p, 2000);
		else
			rig_ask_write(rig, &asks[i], p, "7", 2000);
	}
	if (round % 3)
		RIG_UNTIL(rig, all_done(asks));
	rig_free(rig);
	for (size_t i = 0; i < ASKS; i++)
		rig_ask_free(&asks[i]);
}

int main(void)
{
	for (int rtu = 0; rtu < 2; rtu++) {
		struct slave *s = rtu ? slave_pty() : slave_tcp(0);
		for (int round = 0; round < ROUNDS; round++)
			play(s, rtu, round);
		slave_free(s);
	}
	return 0;
}
