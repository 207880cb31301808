#include "core/base/mem.h"
#include "tests/lib/rig.h"
#include "tests/peers/oracle.h"
#include "tests/peers/slave.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

extern const struct bridge_driver driver_modbus_tcp;

TestSuite(modbus_tcp, .timeout = 30);

static struct rig *rig_at(int port, const char *more)
{
	char options[128];
	snprintf(options, sizeof(options), "host=127.0.0.1; port=%d; %s", port, more);
	return rig_new(&driver_modbus_tcp, options);
}

static struct point *quiet_point(struct rig *rig, struct device *d, enum type type, const char *address)
{
	struct point *p = rig_point(rig, d, "p", type, address);
	p->poll_ms = 0;
	return p;
}

static void start(struct rig *rig)
{
	rig_start(rig);
	RIG_UNTIL(rig, rig->n_up + rig->n_away > 0);
	cr_assert_eq(rig->n_up, 1, "%s", rig->bridge->why.text);
}

static void skip_to_up(struct rig *rig)
{
	while (rig->bridge->state != BRIDGE_UP) {
		if (rig->bridge->state == BRIDGE_AWAY)
			loop_skip(rig->loop, 120000);
		loop_turn(rig->loop);
	}
}

/* Registers from 10 on, as data sheets show them. */
static const struct {
	enum type type;
	const char *address, *shown;
	uint16_t registers[4];
} values[] = {
	{ TYPE_INT16, "address=40011", "-2", { 0xFFFE } },
	{ TYPE_UINT16, "address=40011", "65534", { 0xFFFE } },
	{ TYPE_UINT16, "address=40011; order=BA", "65279", { 0xFFFE } },
	{ TYPE_INT32, "address=40011", "-2147483648", { 0x8000, 0x0000 } },
	{ TYPE_UINT32, "address=40011; order=CDAB", "3735928559", { 0xBEEF, 0xDEAD } },
	{ TYPE_INT64, "address=40011", "-2", { 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE } },
	{ TYPE_UINT64, "address=40011; order=GHEFCDAB", "81985529216486895", { 0xCDEF, 0x89AB, 0x4567, 0x0123 } },
	{ TYPE_FLOAT32, "address=40011", "230.5", { 0x4366, 0x8000 } },
	{ TYPE_FLOAT32, "address=40011; order=CDAB", "21.1", { 0xCCCD, 0x41A8 } },
	{ TYPE_FLOAT64, "address=40011", "0.1", { 0x3FB9, 0x9999, 0x9999, 0x999A } },
	{ TYPE_BCD16, "address=40011", "1234", { 0x1234 } },
	{ TYPE_BCD32, "address=40011", "12345678", { 0x1234, 0x5678 } },
	{ TYPE_STRING, "address=40011; length=7", "SDM630M", { 0x5344, 0x4D36, 0x3330, 0x4D00 } },
};
enum { N_VALUES = sizeof(values) / sizeof(values[0]) };

Test(modbus_tcp, reads_every_type_from_libmodbus)
{
	struct oracle *o = oracle_tcp();
	struct rig *rig = rig_at(oracle_port(o), "");
	struct device *d = rig_device(rig, "d", "unit_id=1; addressing=modicon");
	struct point *points[N_VALUES];
	char shown[DECIMAL_ROOM];
	for (size_t i = 0; i < N_VALUES; i++)
		points[i] = quiet_point(rig, d, values[i].type, values[i].address);
	start(rig);
	for (size_t i = 0; i < N_VALUES; i++) {
		memcpy(oracle_holdings(o) + 10, values[i].registers, sizeof(values[i].registers));
		cr_assert_eq(rig_read(rig, points[i], shown), REQUEST_DONE);
		cr_assert_str_eq(shown, values[i].shown, "%s %s", type_word(values[i].type), values[i].address);
	}
	rig_free(rig);
	oracle_free(o);
}

static void write_every_type(const char *device)
{
	struct oracle *o = oracle_tcp();
	struct rig *rig = rig_at(oracle_port(o), "");
	struct device *d = rig_device(rig, "d", device);
	struct point *points[N_VALUES];
	for (size_t i = 0; i < N_VALUES; i++) {
		points[i] = quiet_point(rig, d, values[i].type, values[i].address);
		points[i]->access = ACCESS_BOTH;
		points[i]->confirm = CONFIRM_READBACK;
	}
	start(rig);
	for (size_t i = 0; i < N_VALUES; i++) {
		memset(oracle_holdings(o), 0, 40);
		cr_assert_eq(rig_write(rig, points[i], values[i].shown), REQUEST_DONE, "%s", values[i].shown);
		cr_assert_arr_eq(oracle_holdings(o) + 10, values[i].registers, sizeof(values[i].registers), "%s %s",
				 type_word(values[i].type), values[i].address);
		cr_assert_eq(oracle_holdings(o)[9], 0);
		cr_assert_eq(oracle_holdings(o)[14], 0);
	}
	rig_free(rig);
	oracle_free(o);
}

Test(modbus_tcp, writes_every_type_to_libmodbus_and_reads_it_back)
{
	write_every_type("unit_id=1; addressing=modicon");
}

Test(modbus_tcp, writes_single_registers_with_function_16_where_told)
{
	write_every_type("unit_id=1; addressing=modicon; write_multiple=true");
}

Test(modbus_tcp, reads_all_four_tables_and_switches_coils)
{
	static const char *const devices[] = { "unit_id=1; addressing=protocol",
					       "unit_id=1; addressing=protocol; write_multiple=true" };
	for (size_t i = 0; i < 2; i++) {
		struct oracle *o = oracle_tcp();
		struct rig *rig = rig_at(oracle_port(o), "");
		struct device *d = rig_device(rig, "d", devices[i]);
		struct point *coil = quiet_point(rig, d, TYPE_BOOL, "table=coil; address=7");
		struct point *discrete = quiet_point(rig, d, TYPE_BOOL, "table=discrete; address=8");
		struct point *input = quiet_point(rig, d, TYPE_UINT16, "table=input; address=9");
		struct point *bit = quiet_point(rig, d, TYPE_BOOL, "table=holding; address=9; bit=11");
		char shown[DECIMAL_ROOM];
		coil->access = ACCESS_BOTH;
		coil->confirm = CONFIRM_READBACK;
		oracle_discretes(o)[8] = 1;
		oracle_inputs(o)[9] = 4711;
		oracle_holdings(o)[9] = 0x0800;
		start(rig);
		cr_assert(rig_read(rig, coil, shown) == REQUEST_DONE && strcmp(shown, "false") == 0);
		cr_assert(rig_read(rig, discrete, shown) == REQUEST_DONE && strcmp(shown, "true") == 0);
		cr_assert(rig_read(rig, input, shown) == REQUEST_DONE && strcmp(shown, "4711") == 0);
		cr_assert(rig_read(rig, bit, shown) == REQUEST_DONE && strcmp(shown, "true") == 0);
		cr_assert_eq(rig_write(rig, coil, "on"), REQUEST_DONE);
		cr_assert(oracle_coils(o)[7] == 1 && oracle_coils(o)[6] == 0 && oracle_coils(o)[8] == 0);
		cr_assert_eq(rig_write(rig, coil, "off"), REQUEST_DONE);
		cr_assert_eq(oracle_coils(o)[7], 0);
		rig_free(rig);
		oracle_free(o);
	}
}

Test(modbus_tcp, names_the_exception_of_libmodbus)
{
	struct oracle *o = oracle_tcp();
	struct rig *rig = rig_at(oracle_port(o), "");
	struct device *d = rig_device(rig, "d", "unit_id=1; addressing=protocol");
	struct point *p = quiet_point(rig, d, TYPE_UINT16, "table=holding; address=5000");
	struct rig_ask a = { 0 };
	start(rig);
	rig_ask_read(rig, &a, p, 5000);
	RIG_UNTIL(rig, a.n_done);
	cr_assert_eq(a.status, REQUEST_REFUSED);
	cr_assert_str_eq(a.why.text, "unit 1: function 3, address 5000: exception 2, illegal address");
	cr_assert_eq(rig->n_away, 0);
	rig_ask_free(&a);
	rig_free(rig);
	oracle_free(o);
}

Test(modbus_tcp, makes_bad_samples_of_what_is_no_value)
{
	struct oracle *o = oracle_tcp();
	struct rig *rig = rig_at(oracle_port(o), "");
	struct device *d = rig_device(rig, "d", "unit_id=1; addressing=modicon");
	struct point *real = quiet_point(rig, d, TYPE_FLOAT32, "address=40001");
	struct point *bcd = quiet_point(rig, d, TYPE_BCD16, "address=40003");
	oracle_holdings(o)[0] = 0x7FC0;
	oracle_holdings(o)[2] = 0xABCD;
	start(rig);
	rig_read(rig, real, NULL);
	cr_assert(real->last.quality == QUALITY_BAD && real->last.trouble == TROUBLE_NO_VALUE);
	rig_read(rig, bcd, NULL);
	cr_assert(bcd->last.quality == QUALITY_BAD && bcd->last.trouble == TROUBLE_TYPE);
	rig_free(rig);
	oracle_free(o);
}

Test(modbus_tcp, polls_without_being_asked)
{
	struct slave *s = slave_tcp(0);
	struct rig *rig = rig_at(slave_port(s), "");
	struct point *p = rig_point(rig, rig_device(rig, "d", "unit_id=1; addressing=modicon"), "p", TYPE_UINT16,
				    "address=40001");
	cr_assert_eq(p->poll_ms, 1000);
	start(rig);
	RIG_UNTIL(rig, p->last.quality == QUALITY_GOOD);
	for (size_t n = 2; n < 5; n++) {
		loop_skip(rig->loop, 1000);
		RIG_UNTIL(rig, rig->n_samples >= n);
	}
	rig_free(rig);
	slave_free(s);
}

Test(modbus_tcp, is_away_while_nobody_listens_and_comes_back)
{
	struct slave *s = slave_tcp(0);
	int port = slave_port(s);
	struct rig *rig = rig_at(port, "");
	struct point *p =
		quiet_point(rig, rig_device(rig, "d", "unit_id=1; addressing=modicon"), TYPE_UINT16, "address=40001");
	slave_free(s);
	rig_start(rig);
	RIG_UNTIL(rig, rig->n_away == 1);
	cr_assert(strstr(rig->bridge->why.text, "refused"), "%s", rig->bridge->why.text);
	cr_assert(p->last.quality == QUALITY_BAD && p->last.trouble == TROUBLE_AWAY);
	s = slave_tcp(port);
	skip_to_up(rig);
	cr_assert_eq(rig_read(rig, p, NULL), REQUEST_DONE);
	rig_free(rig);
	slave_free(s);
}

Test(modbus_tcp, finds_its_host_by_name)
{
	struct slave *s = slave_tcp(0); /* on 127.0.0.1 only, while localhost may be ::1 first */
	char options[64];
	snprintf(options, sizeof(options), "host=localhost; port=%d", slave_port(s));
	struct rig *rig = rig_new(&driver_modbus_tcp, options);
	struct point *p =
		quiet_point(rig, rig_device(rig, "d", "unit_id=1; addressing=modicon"), TYPE_UINT16, "address=40001");
	start(rig);
	cr_assert_eq(rig_read(rig, p, NULL), REQUEST_DONE);
	rig_free(rig);
	slave_free(s);
}

Test(modbus_tcp, says_that_a_host_has_no_address)
{
	struct rig *rig = rig_new(&driver_modbus_tcp, "host=a..b");
	rig_start(rig);
	RIG_UNTIL(rig, rig->n_away == 1);
	cr_assert(strstr(rig->bridge->why.text, "cannot resolve 'a..b'"), "%s", rig->bridge->why.text);
	rig_free(rig);
}

Test(modbus_tcp, closes_in_every_state)
{
	for (int turns = 0; turns < 12; turns++) {
		struct slave *s = slave_tcp(0);
		struct rig *rig = rig_at(slave_port(s), "timeout=30s");
		struct point *p = rig_point(rig, rig_device(rig, "d", "unit_id=1; addressing=modicon"), "p",
					    TYPE_UINT16, "address=40001");
		p->poll_ms = 10;
		slave_fault(s, SLAVE_LATE, -1, 1);
		rig_start(rig);
		for (int i = 0; i < turns; i++)
			loop_turn(rig->loop);
		rig_free(rig);
		slave_free(s);
	}
}

Test(modbus_tcp, an_idle_connection_that_was_closed_is_no_trouble)
{
	struct slave *s = slave_tcp(0);
	struct rig *rig = rig_at(slave_port(s), "");
	struct point *p =
		quiet_point(rig, rig_device(rig, "d", "unit_id=1; addressing=modicon"), TYPE_UINT16, "address=40001");
	start(rig);
	for (unsigned n = 1; n < 5; n++) {
		cr_assert_eq(rig_read(rig, p, NULL), REQUEST_DONE);
		cr_assert_eq(slave_connections(s), n);
		slave_hang_up(s);
	}
	cr_assert_eq(rig->n_away, 0);
	rig_free(rig);
	slave_free(s);
}

Test(modbus_tcp, works_above_1024_open_files)
{
	struct rlimit most = { 4096, 4096 };
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &most), 0);
	int last = 0;
	while (last < 1100)
		last = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct slave *s = slave_tcp(0);
	struct rig *rig = rig_at(slave_port(s), "");
	struct point *p =
		quiet_point(rig, rig_device(rig, "d", "unit_id=1; addressing=modicon"), TYPE_UINT16, "address=40001");
	start(rig);
	cr_assert_eq(rig_read(rig, p, NULL), REQUEST_DONE);
	rig_free(rig);
	slave_free(s);
	while (last > 100)
		close(last--);
}

Test(modbus_tcp, asks_again_over_a_new_connection_where_told)
{
	struct slave *s = slave_tcp(0);
	struct rig *rig = rig_at(slave_port(s), "timeout=400ms; retries=1");
	struct point *p =
		quiet_point(rig, rig_device(rig, "d", "unit_id=1; addressing=modicon"), TYPE_UINT16, "address=40001");
	start(rig);
	slave_fault(s, SLAVE_SILENT, 1, 0);
	cr_assert_eq(rig_read(rig, p, NULL), REQUEST_DONE);
	cr_assert_eq(slave_asked(s), 2);
	cr_assert_eq(slave_connections(s), 2);
	cr_assert_eq(rig->n_away, 0);
	rig_free(rig);
	slave_free(s);
}

Test(modbus_tcp, does_not_wait_for_a_silent_device_when_it_is_closed)
{
	struct slave *s = slave_tcp(0);
	struct rig *rig = rig_at(slave_port(s), "timeout=60s");
	struct point *p =
		quiet_point(rig, rig_device(rig, "d", "unit_id=1; addressing=modicon"), TYPE_UINT16, "address=40001");
	struct rig_ask asks[3] = { 0 };
	start(rig);
	slave_fault(s, SLAVE_SILENT, -1, 0);
	for (int i = 0; i < 3; i++)
		rig_ask_read(rig, &asks[i], p, 60000);
	while (slave_asked(s) == 0)
		usleep(100); /* the peer's thread, not ours */
	rig_free(rig);       /* Criterion's timeout is the judge */
	for (int i = 0; i < 3; i++)
		cr_assert_eq(asks[i].n_done, 1);
	slave_free(s);
}

Test(modbus_tcp, never_writes_after_the_deadline)
{
	struct slave *s = slave_tcp(0);
	struct rig *rig = rig_at(slave_port(s), "timeout=5s");
	struct device *d = rig_device(rig, "d", "unit_id=1; addressing=modicon");
	struct point *p = quiet_point(rig, d, TYPE_UINT16, "address=40001");
	struct rig_ask slow = { 0 }, late = { 0 };
	p->access = ACCESS_BOTH;
	start(rig);
	slave_fault(s, SLAVE_LATE, 1, 200);
	rig_ask_read(rig, &slow, p, 5000);
	rig_ask_write(rig, &late, p, "5", 50);
	RIG_UNTIL(rig, slow.n_done && late.n_done);
	cr_assert_eq(slow.status, REQUEST_DONE);
	cr_assert_eq(late.status, REQUEST_TIMEOUT);
	cr_assert(strstr(late.why.text, "not sent"), "%s", late.why.text);
	cr_assert_eq(rig_read(rig, p, NULL), REQUEST_DONE);
	cr_assert_eq(slave_wrote(s), 0);
	rig_ask_free(&slow);
	rig_free(rig);
	slave_free(s);
}

Test(modbus_tcp, writes_one_bit_and_leaves_its_neighbours)
{
	struct oracle *o = oracle_tcp();
	struct rig *rig = rig_at(oracle_port(o), "");
	struct device *d = rig_device(rig, "d", "unit_id=1; addressing=protocol");
	struct point *bits[16];
	for (int i = 0; i < 16; i++) {
		char text[64];
		snprintf(text, sizeof(text), "table=holding; address=9; bit=%d", i);
		bits[i] = quiet_point(rig, d, TYPE_BOOL, text);
		bits[i]->access = ACCESS_BOTH;
		bits[i]->confirm = CONFIRM_READBACK;
	}
	start(rig);
	for (int i = 0; i < 16; i++) {
		oracle_holdings(o)[9] = (uint16_t)(0x5A5A & ~(1 << i));
		cr_assert_eq(rig_write(rig, bits[i], "on"), REQUEST_DONE);
		cr_assert_eq(oracle_holdings(o)[9], 0x5A5A | 1 << i);
		cr_assert_eq(rig_write(rig, bits[i], "off"), REQUEST_DONE);
		cr_assert_eq(oracle_holdings(o)[9], 0x5A5A & ~(1 << i));
	}
	rig_free(rig);
	oracle_free(o);
}

static size_t count_done(const struct rig_ask *asks, size_t n)
{
	size_t done = 0;
	for (size_t i = 0; i < n; i++)
		done += asks[i].n_done;
	return done;
}

static void free_all(struct rig_ask *asks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rig_ask_free(&asks[i]);
}

Test(modbus_tcp, a_write_passes_the_reads_that_wait)
{
	enum { N = 50 };
	struct slave *s = slave_tcp(0);
	struct rig *rig = rig_at(slave_port(s), "");
	struct device *d = rig_device(rig, "d", "unit_id=1; addressing=modicon; max_gap=0");
	struct point *p = quiet_point(rig, d, TYPE_UINT16, "address=40001"), *points[N];
	struct rig_ask reads[N] = { 0 }, write = { 0 };
	p->access = ACCESS_BOTH;
	p->confirm = CONFIRM_READBACK;
	for (size_t i = 0; i < N; i++) {
		char address[32];
		snprintf(address, sizeof(address), "address=%zu", 40101 + 10 * i);
		points[i] = quiet_point(rig, d, TYPE_UINT16, address);
	}
	start(rig);
	for (size_t i = 0; i < N; i++)
		rig_ask_read(rig, &reads[i], points[i], 5000);
	rig_ask_write(rig, &write, p, "5", 5000);
	RIG_UNTIL(rig, write.n_done);
	cr_assert_eq(write.status, REQUEST_DONE);
	cr_assert(write.confirmed);
	cr_assert_leq(count_done(reads, N), 2, "its readback does, too");
	RIG_UNTIL(rig, count_done(reads, N) == N);
	free_all(reads, N);
	rig_free(rig);
	slave_free(s);
}

Test(modbus_tcp, writes_keep_their_order_and_let_reads_live)
{
	enum { N = 50 };
	struct slave *s = slave_tcp(0);
	struct rig *rig = rig_at(slave_port(s), "");
	struct point *p =
		quiet_point(rig, rig_device(rig, "d", "unit_id=1; addressing=modicon"), TYPE_UINT16, "address=40001");
	struct rig_ask writes[N] = { 0 }, read = { 0 };
	uint16_t value = 0;
	p->access = ACCESS_BOTH;
	start(rig);
	for (size_t i = 0; i < N; i++) {
		char text[8];
		snprintf(text, sizeof(text), "%zu", 100 + i);
		rig_ask_write(rig, &writes[i], p, text, 5000);
	}
	rig_ask_read(rig, &read, p, 5000);
	RIG_UNTIL(rig, read.n_done);
	cr_assert_leq(count_done(writes, N), 6);
	RIG_UNTIL(rig, count_done(writes, N) == N);
	cr_assert(slave_get(s, SLAVE_HOLDINGS, 0, &value));
	cr_assert_eq(value, 100 + N - 1);
	rig_ask_free(&read);
	rig_free(rig);
	slave_free(s);
}

Test(modbus_tcp, a_lost_connection_ends_all_that_wait_once)
{
	enum { N = 20 };
	struct slave *s = slave_tcp(0);
	struct rig *rig = rig_at(slave_port(s), "");
	struct point *p =
		quiet_point(rig, rig_device(rig, "d", "unit_id=1; addressing=modicon"), TYPE_UINT16, "address=40001");
	struct rig_ask asks[N] = { 0 };
	p->access = ACCESS_BOTH;
	start(rig);
	slave_fault(s, SLAVE_CLOSING, 1, 0);
	for (size_t i = 0; i < N; i++)
		(i % 3 ? rig_ask_read(rig, &asks[i], p, 5000) : rig_ask_write(rig, &asks[i], p, "1", 5000));
	RIG_UNTIL(rig, count_done(asks, N) == N);
	for (size_t i = 0; i < N; i++)
		cr_assert_eq(asks[i].status, REQUEST_AWAY);
	RIG_UNTIL(rig, rig->n_away == 1);
	skip_to_up(rig);
	cr_assert_eq(rig_read(rig, p, NULL), REQUEST_DONE);
	cr_assert_eq(count_done(asks, N), N);
	rig_free(rig);
	slave_free(s);
}

Test(modbus_tcp, cancel_ends_what_waits_and_hints_to_what_runs)
{
	struct slave *s = slave_tcp(0);
	struct rig *rig = rig_at(slave_port(s), "");
	struct device *d = rig_device(rig, "d", "unit_id=1; addressing=modicon");
	struct point *p = quiet_point(rig, d, TYPE_UINT16, "address=40001");
	struct point *other = quiet_point(rig, d, TYPE_UINT16, "address=30001");
	struct rig_ask running = { 0 }, waiting = { 0 };
	start(rig);
	slave_fault(s, SLAVE_LATE, 1, 100);
	rig_ask_read(rig, &running, p, 5000);
	rig_ask_read(rig, &waiting, other, 5000);
	bridge_cancel(rig->bridge, &waiting.request);
	bridge_cancel(rig->bridge, &running.request);
	cr_assert_eq(waiting.n_done, 1);
	cr_assert_eq(waiting.status, REQUEST_CANCELLED);
	cr_assert_eq(running.n_done, 0);
	RIG_UNTIL(rig, running.n_done);
	cr_assert_eq(running.status, REQUEST_DONE);
	rig_ask_free(&running);
	rig_free(rig);
	slave_free(s);
}
