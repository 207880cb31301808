#include "bridges/mbtalk.h"
#include "tests/lib/rig.h"
#include "tests/peers/oracle.h"
#include "tests/peers/slave.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct bridge_driver driver_modbus_rtu;

TestSuite(modbus_rtu, .timeout = 30);

static struct rig *rig_on(const char *device, const char *more)
{
	char options[256];
	snprintf(options, sizeof(options), "device=%s; %s", device, more);
	return rig_new(&driver_modbus_rtu, options);
}

static struct point *quiet_point(struct rig *rig, int unit, enum type type, const char *address)
{
	char options[64];
	snprintf(options, sizeof(options), "unit_id=%d; addressing=modicon", unit);
	struct point *p = rig_point(rig, rig_device(rig, "d", options), "p", type, address);
	p->poll_ms = 0;
	return p;
}

static void start(struct rig *rig)
{
	rig_start(rig);
	RIG_UNTIL(rig, rig->n_up + rig->n_away > 0);
	cr_assert_eq(rig->n_up, 1, "%s", rig->bridge->why.text);
}

static void is_away(struct rig *rig, const char *why)
{
	rig_start(rig);
	RIG_UNTIL(rig, rig->n_away == 1);
	cr_assert(strstr(rig->bridge->why.text, why), "%s", rig->bridge->why.text);
	rig_free(rig);
}

Test(modbus_rtu, reads_and_writes_libmodbus_over_a_line)
{
	struct line line;
	line_make(&line);
	struct oracle *o = oracle_rtu(line.ends[0], 17);
	struct rig *rig = rig_on(line.ends[1], "");
	struct point *real = quiet_point(rig, 17, TYPE_FLOAT32, "address=40001; order=CDAB");
	struct point *input = quiet_point(rig, 17, TYPE_UINT16, "address=30001");
	struct point *coil = quiet_point(rig, 17, TYPE_BOOL, "address=5");
	struct point *contact = quiet_point(rig, 17, TYPE_BOOL, "address=10003");
	struct point *text = quiet_point(rig, 17, TYPE_STRING, "address=40020; length=246");
	char shown[DECIMAL_ROOM];
	oracle_inputs(o)[0] = 4711;
	oracle_discretes(o)[2] = 1;
	real->access = coil->access = text->access = ACCESS_BOTH;
	real->confirm = coil->confirm = text->confirm = CONFIRM_READBACK;
	start(rig);
	cr_assert_eq(rig_write(rig, real, "-21.1"), REQUEST_DONE);
	cr_assert(oracle_holdings(o)[0] == 0xCCCD && oracle_holdings(o)[1] == 0xC1A8);
	cr_assert(rig_read(rig, real, shown) == REQUEST_DONE && strcmp(shown, "-21.1") == 0, "%s", shown);
	cr_assert(rig_read(rig, input, shown) == REQUEST_DONE && strcmp(shown, "4711") == 0, "%s", shown);
	cr_assert_eq(rig_write(rig, coil, "true"), REQUEST_DONE);
	cr_assert_eq(oracle_coils(o)[4], 1);
	cr_assert(rig_read(rig, contact, shown) == REQUEST_DONE && strcmp(shown, "true") == 0, "%s", shown);
	char longest[247];
	memset(longest, 'x', 246);
	longest[246] = '\0';
	cr_assert_eq(rig_write(rig, text, longest), REQUEST_DONE, "the longest frame there is");
	rig_free(rig);
	oracle_free(o);
	line_cut(&line);
}

Test(modbus_rtu, a_unit_that_is_not_there_is_not_the_bus)
{
	struct line line;
	line_make(&line);
	struct oracle *o = oracle_rtu(line.ends[0], 17);
	struct rig *rig = rig_on(line.ends[1], "timeout=200ms; retries=0");
	struct point *there = quiet_point(rig, 17, TYPE_UINT16, "address=40001");
	struct point *gone = quiet_point(rig, 18, TYPE_UINT16, "address=40001");
	struct rig_ask a = { 0 };
	start(rig);
	rig_ask_read(rig, &a, gone, 5000);
	RIG_UNTIL(rig, a.n_done);
	cr_assert_eq(a.status, REQUEST_TIMEOUT);
	cr_assert_str_eq(a.why.text, "unit 18 does not answer");
	while (rig_read(rig, there, NULL) != REQUEST_DONE)
		continue; /* libmodbus takes the first question after one for somebody else for his answer */
	cr_assert_eq(rig->n_away, 0);
	cr_assert(gone->last.quality == QUALITY_BAD && gone->last.trouble == TROUBLE_TIMEOUT);
	rig_free(rig);
	oracle_free(o);
	line_cut(&line);
}

Test(modbus_rtu, is_away_while_unplugged_and_comes_back)
{
	struct line line;
	char folder[] = "/tmp/jidgate-rtu-XXXXXX", device[64];
	cr_assert(mkdtemp(folder));
	snprintf(device, sizeof(device), "%s/port", folder);
	line_make(&line);
	cr_assert_eq(symlink(line.ends[1], device), 0);
	struct oracle *o = oracle_rtu(line.ends[0], 1);
	struct rig *rig = rig_on(device, "timeout=200ms");
	struct point *p = quiet_point(rig, 1, TYPE_UINT16, "address=40001");
	start(rig);
	cr_assert_eq(rig_read(rig, p, NULL), REQUEST_DONE);
	line_cut(&line);
	oracle_free(o);
	unlink(device);
	cr_assert_eq(rig_read(rig, p, NULL), REQUEST_AWAY);
	RIG_UNTIL(rig, rig->n_away == 1);
	line_make(&line);
	cr_assert_eq(symlink(line.ends[1], device), 0);
	o = oracle_rtu(line.ends[0], 1);
	while (rig->bridge->state != BRIDGE_UP) {
		if (rig->bridge->state == BRIDGE_AWAY)
			loop_skip(rig->loop, 120000);
		loop_turn(rig->loop);
	}
	cr_assert_eq(rig_read(rig, p, NULL), REQUEST_DONE);
	rig_free(rig);
	oracle_free(o);
	line_cut(&line);
	unlink(device);
	rmdir(folder);
}

Test(modbus_rtu, says_what_is_wrong_with_the_port)
{
	char file[] = "/tmp/jidgate-rtu-XXXXXX";
	close(mkstemp(file));
	is_away(rig_on("/dev/serial/by-id/nothing", ""), "cannot open '/dev/serial/by-id/nothing': No such file");
	is_away(rig_on(file, ""), "cannot set up");
	unlink(file);
	struct slave *s = slave_pty();
	is_away(rig_on(slave_path(s), "rs485=kernel"), "rs485: the kernel's driver of");
	is_away(rig_on(slave_path(s), "rs485=rts-up"), "has no RTS to switch");
	is_away(rig_on(slave_path(s), "rs485=rts-down"), "has no RTS to switch");
	slave_free(s);
}

Test(modbus_rtu, does_not_share_its_port)
{
	struct slave *s = slave_pty();
	struct rig *first = rig_on(slave_path(s), "");
	struct point *p = quiet_point(first, 1, TYPE_UINT16, "address=40001");
	start(first);
	is_away(rig_on(slave_path(s), ""), "in use by another program");
	cr_assert_eq(rig_read(first, p, NULL), REQUEST_DONE);
	rig_free(first);
	struct rig *third = rig_on(slave_path(s), "");
	start(third);
	rig_free(third);
	slave_free(s);
}

Test(modbus_rtu, keeps_silence_between_frames)
{
	static const struct {
		const char *speed;
		int gap_us; /* 3.5 characters, at least 1750 us */
	} rows[] = { { "baud=9600; mode=8E1", 4010 }, { "baud=19200; mode=8N1", 1822 }, { "baud=115200", 1750 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slave *s = slave_pty();
		struct rig *rig = rig_on(slave_path(s), rows[i].speed);
		struct point *a = quiet_point(rig, 1, TYPE_UINT16, "address=40001");
		struct point *b = quiet_point(rig, 2, TYPE_UINT16, "address=40001");
		start(rig);
		for (int n = 0; n < 20; n++) {
			cr_assert_eq(rig_read(rig, a, NULL), REQUEST_DONE);
			cr_assert_eq(rig_read(rig, b, NULL), REQUEST_DONE);
		}
		cr_assert_geq(slave_shortest_gap(s), rows[i].gap_us, "%s", rows[i].speed);
		rig_free(rig);
		slave_free(s);
	}
}

Test(modbus_rtu, asks_again_after_a_garbled_answer)
{
	struct slave *s = slave_pty();
	struct rig *rig = rig_on(slave_path(s), "baud=115200; timeout=400ms; retries=1");
	struct point *p = quiet_point(rig, 1, TYPE_UINT16, "address=40001");
	start(rig);
	slave_fault(s, SLAVE_WRONG_CRC, 1, 0);
	cr_assert_eq(rig_read(rig, p, NULL), REQUEST_DONE);
	slave_fault(s, SLAVE_SILENT, 1, 0);
	cr_assert_eq(rig_read(rig, p, NULL), REQUEST_DONE);
	rig_free(rig);
	slave_free(s);
}

Test(modbus_rtu, asks_again_while_the_device_is_busy_but_not_for_ever)
{
	struct slave *s = slave_pty();
	struct rig *rig = rig_on(slave_path(s), "baud=115200; timeout=400ms; retries=2");
	struct point *p = quiet_point(rig, 1, TYPE_UINT16, "address=40001");
	struct rig_ask a = { 0 };
	p->access = ACCESS_BOTH;
	start(rig);
	slave_fault(s, SLAVE_EXCEPTION, 2, 6);
	cr_assert_eq(rig_read(rig, p, NULL), REQUEST_DONE);
	cr_assert_eq(slave_asked(s), 3);
	slave_fault(s, SLAVE_EXCEPTION, 3, 6);
	rig_ask_read(rig, &a, p, 5000);
	RIG_UNTIL(rig, a.n_done);
	cr_assert(a.status == REQUEST_REFUSED && strstr(a.why.text, "busy"), "%s", a.why.text);
	cr_assert_eq(p->last.quality, QUALITY_BAD, "and nothing is 0");
	slave_fault(s, SLAVE_EXCEPTION, 1, 6);
	cr_assert_eq(rig_write(rig, p, "5"), REQUEST_REFUSED, "a write is not repeated");
	cr_assert_eq(slave_asked(s), 7);
	rig_free(rig);
	slave_free(s);
}

Test(modbus_rtu, does_not_wait_for_a_silent_device_when_it_is_closed)
{
	struct slave *s = slave_pty();
	struct rig *rig = rig_on(slave_path(s), "timeout=60s");
	struct point *p = quiet_point(rig, 1, TYPE_UINT16, "address=40001");
	struct rig_ask a = { 0 };
	start(rig);
	slave_fault(s, SLAVE_SILENT, -1, 0);
	rig_ask_read(rig, &a, p, 60000);
	while (slave_asked(s) == 0)
		usleep(100); /* the peer's thread, not ours */
	rig_free(rig);
	cr_assert_eq(a.n_done, 1);
	slave_free(s);
}

/* The loop may have been late, or the line busy with silence: the worker looks at its own clock at the last moment. */
Test(modbus_rtu, sends_nothing_after_the_deadline)
{
	struct slave *s = slave_pty(), *t = slave_tcp(0);
	char path[64];
	snprintf(path, sizeof(path), "%s", slave_path(s));
	struct mbaddress_rtu rtu = { .device = path, .baud = 9600, .timeout_ms = 800, .retries = 3 };
	struct mbaddress_tcp tcp = { .host = "here", .port = slave_port(t), .timeout_ms = 800, .retries = 3 };
	struct mbline *lines[] = { mbline_new_rtu(&rtu), mbline_new_tcp(&tcp) };
	struct mbtalk *talks[] = { mbtalk_new_rtu(lines[0], &rtu), mbtalk_new_tcp(lines[1], &tcp) };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)tcp.port) };
	struct sockaddr_storage address = { 0 };
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memcpy(&address, &at, sizeof(at));
	mbline_addresses(lines[1], &address, 1);
	for (int i = 0; i < 2; i++) {
		struct mbframe_question write = { .unit = 1, .function = 6, .address = 1, .count = 1 };
		struct mbframe_question read = { .unit = 1, .function = 3, .address = 1, .count = 1 };
		struct mbtalk_outcome outcome;
		cr_assert_eq(mbline_open(lines[i], &outcome.why), 0, "%s", outcome.why.text);
		mbtalk_ask(talks[i], &write, mbline_now() - 1, &outcome);
		cr_assert_eq(outcome.status, REQUEST_TIMEOUT);
		mbtalk_ask(talks[i], &read, mbline_now() - 1, &outcome);
		cr_assert_eq(outcome.status, REQUEST_TIMEOUT);
		cr_assert_not(outcome.lost);
		mbtalk_ask(talks[i], &read, mbline_now() + 1000000, &outcome);
		cr_assert_eq(outcome.status, REQUEST_DONE);
		cr_assert_eq(slave_asked(i ? t : s), 1);
		mbtalk_free(talks[i]);
	}
	slave_free(s);
	slave_free(t);
}
