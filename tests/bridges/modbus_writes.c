/* With which function a value is written, and what is written then. */
#include "tests/lib/rig.h"
#include "tests/peers/oracle.h"
#include "tests/peers/slave.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

extern const struct bridge_driver driver_modbus_tcp;

static struct rig *rig_at(int port)
{
	char text[64];
	snprintf(text, sizeof(text), "host=127.0.0.1; port=%d", port);
	return rig_new(&driver_modbus_tcp, text);
}

static struct point *setting(struct rig *rig, struct device *d, enum type type, const char *address)
{
	struct point *p = rig_point(rig, d, "p", type, address);
	p->poll_ms = 0;
	p->access = ACCESS_BOTH;
	p->confirm = CONFIRM_READBACK;
	return p;
}

static void start(struct rig *rig)
{
	rig_start(rig);
	RIG_UNTIL(rig, rig->n_up > 0);
}

/* A device that takes registers in one way only. */
static void write_with(const char *option, int function)
{
	static const int functions[] = { 6, 16, 23 };
	struct slave *s = slave_tcp(0);
	struct rig *rig = rig_at(slave_port(s));
	char text[96];
	uint16_t high, low;
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (functions[i] != function)
			slave_lacks(s, functions[i]);
	snprintf(text, sizeof(text), "unit_id=1; addressing=protocol; %s", option);
	struct device *d = rig_device(rig, "d", text);
	struct point *one = setting(rig, d, TYPE_UINT16, "table=holding; address=10");
	struct point *two = setting(rig, d, TYPE_INT32, "table=holding; address=20; order=CDAB");
	start(rig);
	cr_assert_eq(rig_write(rig, one, "513"), REQUEST_DONE);
	cr_assert(slave_get(s, SLAVE_HOLDINGS, 10, &high) && high == 513);
	if (function != 6) {
		cr_assert_eq(rig_write(rig, two, "-2"), REQUEST_DONE);
		cr_assert(slave_get(s, SLAVE_HOLDINGS, 20, &low) && slave_get(s, SLAVE_HOLDINGS, 21, &high));
		cr_assert(low == 0xFFFE && high == 0xFFFF);
	}
	cr_assert_not(slave_get(s, SLAVE_HOLDINGS, 11, &high) || slave_get(s, SLAVE_HOLDINGS, 22, &high));
	rig_free(rig);
	slave_free(s);
}

/* What is compared is what stands in the registers: 21.1 is not a float, and 0.05 is less than a digit that is shown. */
Test(modbus_writes, what_is_read_back_is_compared_as_the_device_has_it)
{
	struct slave *s = slave_tcp(0);
	struct rig *rig = rig_at(slave_port(s));
	struct device *d = rig_device(rig, "d", "unit_id=1; addressing=protocol");
	struct point *real = setting(rig, d, TYPE_FLOAT32, "table=holding; address=10");
	struct point *stuck = setting(rig, d, TYPE_UINT16, "table=holding; address=20");
	struct point *bit = setting(rig, d, TYPE_BOOL, "table=holding; address=20; bit=3");
	real->decimals = 1;
	slave_set(s, SLAVE_HOLDINGS, 20, 5);
	slave_sticks(s, 20);
	start(rig);
	cr_assert_eq(rig_write(rig, real, "21.1"), REQUEST_DONE);
	cr_assert_eq(rig_write(rig, stuck, "6"), REQUEST_DIFFERS, "it said yes, and has 5");
	cr_assert_eq(rig_write(rig, stuck, "5"), REQUEST_DONE);
	cr_assert_eq(rig_write(rig, bit, "on"), REQUEST_DIFFERS);
	cr_assert_eq(rig_write(rig, bit, "off"), REQUEST_DONE);
	cr_assert_eq(rig_write(rig, real, "123456.789"), REQUEST_DONE, "a float holds seven digits of it");
	slave_set(s, SLAVE_HOLDINGS, 11, 0xCCCE); /* 21.100002 */
	slave_sticks(s, 11);
	cr_assert_eq(rig_write(rig, real, "21.1"), REQUEST_DIFFERS, "although 21.1 is shown");
	rig_free(rig);
	slave_free(s);
}

Test(modbus_writes, one_register_with_function_6)
{
	write_with("", 6);
}

Test(modbus_writes, all_registers_with_function_16_where_the_device_wants_it)
{
	write_with("write_multiple=true", 16);
}

Test(modbus_writes, all_registers_with_function_23_where_the_device_wants_it)
{
	write_with("write_read=true", 23);
}

Test(modbus_writes, function_23_is_understood_by_libmodbus)
{
	struct oracle *o = oracle_tcp();
	struct rig *rig = rig_at(oracle_port(o));
	struct device *d = rig_device(rig, "d", "unit_id=1; addressing=protocol; write_read=true");
	struct point *p = setting(rig, d, TYPE_FLOAT32, "table=holding; address=10"),
		     *coil = setting(rig, d, TYPE_BOOL, "table=coil; address=3");
	start(rig);
	cr_assert_eq(rig_write(rig, p, "230.5"), REQUEST_DONE);
	cr_assert(oracle_holdings(o)[10] == 0x4366 && oracle_holdings(o)[11] == 0x8000);
	cr_assert_eq(rig_write(rig, coil, "on"), REQUEST_DONE, "it is for registers");
	rig_free(rig);
	oracle_free(o);
}

/* The answer of function 23 has the registers in it; another number of them is no confirmation. */
Test(modbus_writes, function_23_is_done_only_when_its_answer_is_whole)
{
	static const struct {
		enum slave_fault fault;
		int argument, status;
	} rows[] = { { SLAVE_OTHER_COUNT, 0, REQUEST_GARBLED },
		     { SLAVE_TRUNCATED, 0, REQUEST_GARBLED },
		     { SLAVE_WRONG_FUNCTION, 0, REQUEST_GARBLED },
		     { SLAVE_EXCEPTION, 4, REQUEST_REFUSED } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slave *s = slave_tcp(0);
		struct rig *rig = rig_at(slave_port(s));
		struct device *d = rig_device(rig, "d", "unit_id=1; addressing=protocol; write_read=true");
		struct point *p = setting(rig, d, TYPE_UINT16, "table=holding; address=10");
		start(rig);
		slave_fault(s, rows[i].fault, 1, rows[i].argument);
		cr_assert_eq(rig_write(rig, p, "7"), rows[i].status, "row %zu", i);
		cr_assert_eq(slave_wrote(s), rows[i].fault != SLAVE_EXCEPTION);
		rig_free(rig);
		slave_free(s);
	}
}
