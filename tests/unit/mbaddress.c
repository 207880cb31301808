#include "bridges/mbaddress.h"

#include "core/base/mem.h"
#include "core/base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct site {
	struct bus bus;
	struct device device;
	struct mbaddress_unit unit;
	struct point point;
	struct mbaddress address;
};

static void give(const struct setting *rows, void *filled, const char *key, const char *text)
{
	const struct setting *row = setting_find(rows, key);
	struct err e;
	cr_assert(row, "%s", key);
	cr_assert_eq(setting_parse(row, text, filled, &e), 0, "%s", e.text);
	if (row->flags & SETTING_GIVEN)
		*(bool *)(void *)((char *)filled + row->given) = true;
}

/* "key value key value ..." into the point's address, as conf would fill it */
static void fill(struct site *s, const char *addressing, enum type type, const char *keys)
{
	char key[32], value[64];
	int used;
	*s = (struct site){
		.device = { .bus = &s->bus, .options = &s->unit },
		.point = { .device = &s->device, .address = &s->address, .type = type, .access = ACCESS_READ }
	};
	setting_defaults(mbaddress_unit_rows, &s->unit);
	setting_defaults(mbaddress_rows, &s->address);
	give(mbaddress_unit_rows, &s->unit, "addressing", addressing);
	for (; sscanf(keys, "%31s %63s%n", key, value, &used) == 2; keys += used)
		give(mbaddress_rows, &s->address, key, value);
}

static void empty(struct site *s)
{
	setting_free(mbaddress_rows, &s->address);
	setting_free(mbaddress_unit_rows, &s->unit);
}

Test(mbaddress, means_what_its_five_examples_say)
{
	static const struct {
		const char *addressing, *keys;
		enum type type;
		int table;
		uint16_t first;
		int8_t bit;
	} rows[] = {
		{ "modicon", "address 40011", TYPE_INT16, MBADDRESS_HOLDING, 10, MBCODEC_COIL },
		{ "modicon", "address 365536", TYPE_INT16, MBADDRESS_INPUT, 65535, MBCODEC_COIL },
		{ "modicon", "address 1", TYPE_BOOL, MBADDRESS_COIL, 0, MBCODEC_COIL },
		{ "protocol", "address 52 table input", TYPE_FLOAT32, MBADDRESS_INPUT, 52, MBCODEC_COIL },
		{ "protocol", "address 19 table holding bit 3", TYPE_BOOL, MBADDRESS_HOLDING, 19, 3 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct site s;
		struct err e = { "" };
		fill(&s, rows[i].addressing, rows[i].type, rows[i].keys);
		cr_assert_eq(mbaddress_check(&s.point, &e), 0, "%s: %s", rows[i].keys, e.text);
		cr_assert_eq(s.address.table, rows[i].table);
		cr_assert_eq(s.address.first, rows[i].first);
		cr_assert_eq(s.address.codec.bit, rows[i].bit);
		cr_assert_eq(mbaddress_check(&s.point, &e), 0, "a second time: %s", e.text);
		empty(&s);
	}
}

Test(mbaddress, counts_registers_of_every_type)
{
	static const struct {
		enum type type;
		const char *keys;
		uint16_t count;
	} rows[] = {
		{ TYPE_UINT16, "address 40001 order BA", 1 },
		{ TYPE_BCD16, "address 40001", 1 },
		{ TYPE_UINT32, "address 40001 order CDAB", 2 },
		{ TYPE_FLOAT32, "address 30001 order DCBA", 2 },
		{ TYPE_BCD32, "address 40001", 2 },
		{ TYPE_INT64, "address 40001 order GHEFCDAB", 4 },
		{ TYPE_FLOAT64, "address 465533", 4 },
		{ TYPE_STRING, "address 40001 length 7", 4 },
		{ TYPE_STRING, "address 40001 length 246 order BA", 123 },
		{ TYPE_BOOL, "address 10001", 1 },
		{ TYPE_BOOL, "address 40001 bit 15", 1 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct site s;
		struct err e = { "" };
		fill(&s, "modicon", rows[i].type, rows[i].keys);
		cr_assert_eq(mbaddress_check(&s.point, &e), 0, "%s: %s", rows[i].keys, e.text);
		cr_assert_eq(s.address.count, rows[i].count, "%s", rows[i].keys);
		empty(&s);
	}
}

Test(mbaddress, refuses_what_cannot_be_meant)
{
	static const struct {
		const char *addressing, *keys;
		enum type type;
		enum access access;
		const char *sentence;
	} rows[] = {
		{ "protocol", "address 70000 table holding", TYPE_INT16, ACCESS_READ,
		  "address: register 70000 is above 65535" },
		{ "protocol", "address 7", TYPE_INT16, ACCESS_READ,
		  "table: must say coil, discrete, input or holding, because addressing is \"protocol\"" },
		{ "protocol", "address 65535 table holding", TYPE_INT32, ACCESS_READ,
		  "address: 2 registers from here go beyond the last one" },
		{ "modicon", "address 40000", TYPE_INT16, ACCESS_READ,
		  "address: 40000 is no modicon address: the first one is 40001" },
		{ "modicon", "address 0", TYPE_BOOL, ACCESS_READ,
		  "address: 0 is no modicon address: the first one is 1" },
		{ "modicon", "address 20001", TYPE_INT16, ACCESS_READ,
		  "address: 20001 is no modicon address: these begin with 0, 1, 3 or 4" },
		{ "modicon", "address 70000", TYPE_INT16, ACCESS_READ,
		  "address: 70000 is no modicon address: these begin with 0, 1, 3 or 4" },
		{ "modicon", "address 365537", TYPE_INT16, ACCESS_READ,
		  "address: 365537 is above 365536, the last one" },
		{ "modicon", "address 40001 table input", TYPE_INT16, ACCESS_READ,
		  "table: the first digit of a modicon address says it; remove this key" },
		{ "modicon", "address 1", TYPE_INT16, ACCESS_READ, "type: a coil is a bool, not int16" },
		{ "modicon", "address 1 bit 0", TYPE_BOOL, ACCESS_READ, "bit: a coil has only one; remove this key" },
		{ "modicon", "address 40001", TYPE_BOOL, ACCESS_READ,
		  "bit: must say which bit of the register the bool is, 0 to 15" },
		{ "modicon", "address 40001 bit 3", TYPE_INT16, ACCESS_READ,
		  "bit: only a bool is one bit of a register; this is int16" },
		{ "modicon", "address 30001 bit 3", TYPE_BOOL, ACCESS_BOTH,
		  "access: an input register can only be read" },
		{ "modicon", "address 30001", TYPE_INT16, ACCESS_BOTH, "access: an input register can only be read" },
		{ "modicon", "address 10001", TYPE_BOOL, ACCESS_WRITE, "access: a discrete input can only be read" },
		{ "modicon", "address 40001", TYPE_INT, ACCESS_READ, "type: 'int' does not say" },
		{ "modicon", "address 40001", TYPE_REAL, ACCESS_READ, "type: 'real' does not say" },
		{ "modicon", "address 40001", TYPE_TEXT, ACCESS_READ, "type: registers hold no 'text'" },
		{ "modicon", "address 40001", TYPE_TIME, ACCESS_READ, "type: registers hold no 'time'" },
		{ "modicon", "address 40001", TYPE_STRING, ACCESS_READ, "length: must say how many bytes" },
		{ "modicon", "address 40001 length 4", TYPE_INT32, ACCESS_READ,
		  "length: only a string has one; this is int32" },
		{ "modicon", "address 40001 order ABCD", TYPE_INT16, ACCESS_READ,
		  "order: 'ABCD' is none for int16; use one of AB BA" },
		{ "modicon", "address 40001 order ABDC", TYPE_FLOAT32, ACCESS_READ,
		  "order: 'ABDC' is none for float32; use one of ABCD BADC CDAB DCBA" },
		{ "modicon", "address 40001 order CDAB", TYPE_FLOAT64, ACCESS_READ,
		  "order: 'CDAB' is none for float64" },
		{ "modicon", "address 40001 order ABCD length 8", TYPE_STRING, ACCESS_READ,
		  "order: 'ABCD' is none for string" },
		{ "modicon", "address 1 order AB", TYPE_BOOL, ACCESS_READ, "order: a bool has none; remove this key" },
		{ "modicon", "address 40001 exponent 40005", TYPE_FLOAT32, ACCESS_READ,
		  "exponent: only int16 uint16 int32 uint32 int64 and uint64 have one; this is float32" },
		{ "modicon", "address 40001 exponent 40005", TYPE_INT16, ACCESS_BOTH,
		  "exponent: a value with one can only be read" },
		{ "modicon", "address 40001 exponent 30005", TYPE_INT16, ACCESS_READ,
		  "exponent: must be in the table of the value" },
		{ "modicon", "address 40001 exponent 20005", TYPE_INT16, ACCESS_READ,
		  "exponent: 20005 is no modicon address" },
		{ "protocol", "address 0 table holding exponent 125", TYPE_INT16, ACCESS_READ,
		  "exponent: too far from the value: together at most 125 registers" },
		{ "protocol", "address 0 table holding exponent 65536", TYPE_INT16, ACCESS_READ,
		  "exponent: register 65536 is above 65535" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct site s;
		struct err e = { "" };
		fill(&s, rows[i].addressing, rows[i].type, rows[i].keys);
		s.point.access = rows[i].access;
		cr_assert_eq(mbaddress_check(&s.point, &e), -1, "%s", rows[i].keys);
		cr_assert(text_begins(e.text, rows[i].sentence), "%s: %s", rows[i].keys, e.text);
		empty(&s);
	}
}

Test(mbaddress, lets_coils_and_holding_registers_be_written)
{
	static const struct {
		enum type type;
		const char *keys;
	} rows[] = { { TYPE_BOOL, "address 1" },
		     { TYPE_BOOL, "address 40001 bit 3" },
		     { TYPE_INT16, "address 40001" },
		     { TYPE_FLOAT64, "address 40001" },
		     { TYPE_STRING, "address 40001 length 8" } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct site s;
		struct err e = { "" };
		fill(&s, "modicon", rows[i].type, rows[i].keys);
		s.point.access = ACCESS_BOTH;
		cr_assert_eq(mbaddress_check(&s.point, &e), 0, "%s: %s", rows[i].keys, e.text);
		empty(&s);
	}
}

Test(mbaddress, knows_how_much_function_23_takes)
{
	struct site s;
	struct err e;
	fill(&s, "modicon", TYPE_STRING, "address 40001 length 243");
	s.point.access = ACCESS_BOTH;
	cr_assert_eq(mbaddress_check(&s.point, &e), 0);
	give(mbaddress_unit_rows, &s.unit, "write_read", "true");
	cr_assert_eq(mbaddress_check(&s.point, &e), -1);
	cr_assert_str_eq(e.text, "length: write_read of the device takes at most 242 bytes");
	s.point.access = ACCESS_READ;
	cr_assert_eq(mbaddress_check(&s.point, &e), 0);
	empty(&s);
}

Test(mbaddress, refuses_a_nan_that_the_type_never_is)
{
	struct site s;
	struct value nan = value_integer(32768);
	struct err e;
	fill(&s, "modicon", TYPE_INT16, "address 40001");
	s.point.nan = &nan;
	s.point.n_nan = 1;
	cr_assert_eq(mbaddress_check(&s.point, &e), -1);
	cr_assert_str_eq(e.text, "nan: must be a whole number from -32768 to 32767");
	s.point.type = TYPE_UINT16;
	cr_assert_eq(mbaddress_check(&s.point, &e), 0);
	empty(&s);
}

/* Registers from the first to the last that is needed, the value before or behind its exponent. */
Test(mbaddress, multiplies_by_the_power_of_ten_that_a_register_says)
{
	static const struct {
		const char *keys;
		enum type type;
		uint16_t first, count;
		uint8_t wire[10];
		enum trouble why;
		const char *shown;
	} rows[] = {
		{ "address 40072 exponent 40074 table holding", TYPE_INT16, 40072, 3,
		  { 0x06, 0x06, 0, 0, 0xFF, 0xFF }, TROUBLE_NONE, "154.2" },
		{ "address 40074 exponent 40072 table holding", TYPE_INT16, 40072, 3,
		  { 0, 2, 0, 0, 0xFF, 0xFE }, TROUBLE_NONE, "-200" },
		{ "address 93 exponent 95 table input", TYPE_UINT32, 93, 3,
		  { 0x00, 0x01, 0x00, 0x00, 0x00, 0x00 }, TROUBLE_NONE, "65536" },
		{ "address 5 exponent 7 table holding", TYPE_UINT16, 5, 3, { 0, 1, 0, 0, 0x80, 0x00 }, TROUBLE_NO_VALUE, "" },
		{ "address 5 exponent 7 table holding", TYPE_UINT16, 5, 3, { 0, 1, 0, 0, 0, 11 }, TROUBLE_RANGE, "" },
		{ "address 5 exponent 7 table holding", TYPE_UINT16, 5, 3, { 0, 1, 0, 0, 0xFF, 0xF5 }, TROUBLE_RANGE, "" },
		/* no value, as it is before it is multiplied */
		{ "address 5 exponent 7 table holding", TYPE_UINT16, 5, 3, { 0xFF, 0xFF, 0, 0, 0, 1 }, TROUBLE_NONE, "65535" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct site s;
		struct err e = { "" };
		struct value raw = { 0 }, nan = value_integer(65535);
		char room[DECIMAL_ROOM];
		fill(&s, "protocol", rows[i].type, rows[i].keys);
		s.point.nan = &nan;
		s.point.n_nan = rows[i].type == TYPE_UINT16;
		cr_assert_eq(mbaddress_check(&s.point, &e), 0, "%s: %s", rows[i].keys, e.text);
		cr_assert(s.address.first == rows[i].first && s.address.count == rows[i].count, "%s", rows[i].keys);
		cr_assert_eq(mbaddress_decode(&s.point, rows[i].wire, &raw), rows[i].why, "%zu", i);
		if (rows[i].why == TROUBLE_NONE)
			cr_assert_str_eq(value_print(&raw, room), rows[i].shown, "%zu", i);
		empty(&s);
	}
}

Test(mbaddress, knows_the_units_of_a_serial_line)
{
	struct mbaddress_unit unit = { .unit_id = 1 };
	struct device d = { .options = &unit };
	struct err e;
	cr_assert_eq(mbaddress_check_rtu_unit(&d, &e), 0);
	unit.unit_id = 247;
	cr_assert_eq(mbaddress_check_rtu_unit(&d, &e), 0);
	unit.unit_id = 248;
	cr_assert_eq(mbaddress_check_rtu_unit(&d, &e), -1);
	cr_assert_str_eq(e.text, "unit_id: 248 is above 247, the highest on a serial line");
	unit.unit_id = 0;
	cr_assert_eq(mbaddress_check_rtu_unit(&d, &e), -1);
	cr_assert(text_begins(e.text, "unit_id: 0 means all devices"));
	cr_assert_eq(setting_parse(setting_find(mbaddress_unit_rows, "unit_id"), "256", &unit, &e), -1);
}

Test(mbaddress, refuses_a_speed_that_would_silently_become_another)
{
	struct mbaddress_rtu options = { .baud = 9600 };
	struct bus bus = { .options = &options };
	struct err e;
	cr_assert_eq(mbaddress_check_rtu(&bus, &e), 0);
	options.baud = 9601;
	cr_assert_eq(mbaddress_check_rtu(&bus, &e), -1);
	cr_assert(text_begins(e.text, "baud: no serial port knows 9601"));
}

Test(mbaddress, has_sane_defaults)
{
	struct mbaddress_rtu rtu = { 0 };
	struct mbaddress_tcp tcp = { 0 };
	setting_defaults(mbaddress_rtu_rows, &rtu);
	setting_defaults(mbaddress_tcp_rows, &tcp);
	cr_assert(rtu.baud == 9600 && rtu.timeout_ms == 800 && rtu.retries == 1 && rtu.rs485 == MBADDRESS_RS485_NONE);
	cr_assert_eq(mbaddress_modes[rtu.mode].parity, 'N');
	cr_assert_eq(mbaddress_modes[rtu.mode].stop_bits, 1);
	cr_assert(tcp.port == 502 && tcp.timeout_ms == 1000 && tcp.retries == 0);
	cr_assert_eq(setting_parse(setting_find(mbaddress_rtu_rows, "mode"), "8E2", &rtu, NULL), 0);
	cr_assert_eq(mbaddress_modes[rtu.mode].parity, 'E');
	cr_assert_eq(mbaddress_modes[rtu.mode].stop_bits, 2);
	setting_free(mbaddress_rtu_rows, &rtu);
	setting_free(mbaddress_tcp_rows, &tcp);
}
