#include "bridges/mbaddress.h"

#include <string.h>

enum { ADDRESS_LAST = 65535, WRITE_READ_MOST = 242 /* bytes of 121 registers: function 23 says more else */ };

static const char *const addressings[] = { "protocol", "modicon", NULL };
static const char *const tables[] = { "coil", "discrete", "input", "holding", NULL };
const char *const mbaddress_mode_words[] = { "8N1", "8E1", "8O1", "8N2", "8E2", "8O2", NULL };
static const char *const autos[] = { "auto", NULL };
static const char *const rs485s[] = { "none", "kernel", "rts-up", "rts-down", NULL };

const struct mbaddress_mode mbaddress_modes[] = {
	{ 'N', 1 }, { 'E', 1 }, { 'O', 1 }, { 'N', 2 }, { 'E', 2 }, { 'O', 2 }
};

#define AT(type, member) .offset = offsetof(struct type, member)

const struct setting mbaddress_rtu_rows[] = {
	{ "device", SETTING_TEXT, AT(mbaddress_rtu, device), .min = 1, .max = 4096, .flags = SETTING_REQUIRED,
	  .help = "serial port, best its name under /dev/serial/by-id" },
	{ "baud", SETTING_INT, AT(mbaddress_rtu, baud), .fallback = "9600", .min = 110, .max = 4000000,
	  .help = "bits per second" },
	{ "mode", SETTING_WORD, AT(mbaddress_rtu, mode), .fallback = "8N1", .words = mbaddress_mode_words,
	  .help = "data bits, parity, stop bits" },
	{ "timeout", SETTING_DURATION, AT(mbaddress_rtu, timeout_ms), .fallback = "800ms", .min = 10, .max = 60000,
	  .help = "how long a device may think before it answers; the time on the wire is added" },
	{ "retries", SETTING_INT, AT(mbaddress_rtu, retries), .fallback = "1", .max = 10,
	  .help = "how often a read is asked again that got no good answer; writes are never repeated" },
	{ "rs485", SETTING_WORD, AT(mbaddress_rtu, rs485), .fallback = "none", .words = rs485s,
	  .help = "who switches the direction of the line: the adapter itself (none), the kernel's driver (kernel), or "
		  "we, with "
		  "RTS up or down while we send" },
	{ 0 },
};

const struct setting mbaddress_tcp_rows[] = {
	{ "host", SETTING_TEXT, AT(mbaddress_tcp, host), .min = 1, .max = 255, .flags = SETTING_REQUIRED,
	  .help = "name or address" },
	{ "port", SETTING_INT, AT(mbaddress_tcp, port), .fallback = "502", .min = 1, .max = 65535, .help = "TCP port" },
	{ "timeout", SETTING_DURATION, AT(mbaddress_tcp, timeout_ms), .fallback = "1s", .min = 10, .max = 60000,
	  .help = "how long connecting and how long an answer may take" },
	{ "retries", SETTING_INT, AT(mbaddress_tcp, retries), .fallback = "0", .max = 10,
	  .help = "how often a read without a good answer is asked again over a new connection; writes are never "
		  "repeated" },
	{ 0 },
};

const struct setting mbaddress_rtu_tcp_rows[] = {
	{ "host", SETTING_TEXT, AT(mbaddress_tcp, host), .min = 1, .max = 255, .flags = SETTING_REQUIRED,
	  .help = "name or address of the converter" },
	{ "port", SETTING_INT, AT(mbaddress_tcp, port), .fallback = "502", .min = 1, .max = 65535, .help = "TCP port" },
	{ "baud", SETTING_INT, AT(mbaddress_tcp, baud), .fallback = "9600", .min = 110, .max = 4000000,
	  .help = "bits per second of the line behind the converter: what is read together depends on it" },
	{ "timeout", SETTING_DURATION, AT(mbaddress_tcp, timeout_ms), .fallback = "1s", .min = 10, .max = 60000,
	  .help = "how long a device and its converter may take to answer; the time on the line is added" },
	{ "retries", SETTING_INT, AT(mbaddress_tcp, retries), .fallback = "1", .max = 10,
	  .help = "how often a read is asked again that got no good answer; writes are never repeated" },
	{ 0 },
};

const struct setting mbaddress_unit_rows[] = {
	{ "unit_id", SETTING_INT, AT(mbaddress_unit, unit_id), .max = 255, .flags = SETTING_REQUIRED,
	  .help = "number of the device on its bus: 1 to 247; over TCP 0 to 255, 255 or 1 where it does not matter" },
	{ "addressing", SETTING_WORD, AT(mbaddress_unit, addressing), .words = addressings, .flags = SETTING_REQUIRED,
	  .help = "protocol: addresses begin at 0 and the table is named; modicon: 40001 is the first holding "
		  "register" },
	{ "write_multiple", SETTING_BOOL, AT(mbaddress_unit, write_multiple), .fallback = "false",
	  .help = "write single coils and registers with functions 15 and 16, for devices that do not know 5 and 6" },
	{ "write_read", SETTING_BOOL, AT(mbaddress_unit, write_read), .fallback = "false",
	  .help = "write registers with function 23, which reads them in the same question, for devices that take "
		  "nothing else" },
	{ "turnaround", SETTING_DURATION, AT(mbaddress_unit, turnaround_ms), .min = 1, .max = 60000,
	  .help = "how long the device usually thinks before it answers; without it, it is measured" },
	{ "max_block", SETTING_INT, AT(mbaddress_unit, max_block), .fallback = "auto", .min = 1, .max = 2000,
	  .words = autos, .help = "most registers or coils to ask for at once; auto: 125 or 2000" },
	{ "max_gap", SETTING_INT, AT(mbaddress_unit, max_gap), .fallback = "auto", .max = 2000, .words = autos,
	  .help = "most unwanted registers to read through between two wanted ones; auto: as many as are cheaper than "
		  "another question; 0: none" },
	{ 0 },
};

const struct setting mbaddress_rows[] = {
	{ "table", SETTING_WORD, AT(mbaddress, table), .words = tables, .flags = SETTING_GIVEN,
	  .given = offsetof(struct mbaddress, has_table),
	  .help = "coil, discrete, input or holding; with protocol addressing" },
	{ "address", SETTING_INT, AT(mbaddress, address), .max = 465536, .flags = SETTING_REQUIRED,
	  .help = "of the coil or first register, as addressing of the device says" },
	{ "order", SETTING_TEXT, AT(mbaddress, order), .min = 2, .max = 8,
	  .help = "in which order the bytes come, A is the highest: AB BA, ABCD DCBA BADC CDAB, or eight letters" },
	{ "bit", SETTING_INT, AT(mbaddress, bit), .max = 15, .flags = SETTING_GIVEN,
	  .given = offsetof(struct mbaddress, has_bit), .help = "of a bool in a register; 0 is the lowest" },
	{ "length", SETTING_INT, AT(mbaddress, length), .min = 1, .max = MBCODEC_STRING_MOST, .flags = SETTING_GIVEN,
	  .given = offsetof(struct mbaddress, has_length), .help = "bytes of a string; a register holds two" },
	{ "exponent", SETTING_INT, AT(mbaddress, exponent), .max = 465536, .flags = SETTING_GIVEN,
	  .given = offsetof(struct mbaddress, has_exponent),
	  .help = "address of a register of the same table that says by which power of ten the value is to be "
		  "multiplied (SunSpec's scale factor)" },
	{ 0 },
};

int mbaddress_check_rtu(struct bus *bus, struct err *e)
{
	/* libmodbus silently makes 9600 of any speed it does not know. */
	static const int known[] = { 110,   300,    600,    1200,   2400,   4800,    9600,    19200,  38400,
				     57600, 115200, 230400, 460800, 921600, 1000000, 2500000, 3000000 };
	const struct mbaddress_rtu *o = bus->options;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i] == o->baud)
			return 0;
	return err_set(e, "baud: no serial port knows %lld; usual are 9600, 19200, 38400 and 115200",
		       (long long)o->baud);
}

int mbaddress_check_rtu_unit(struct device *d, struct err *e)
{
	const struct mbaddress_unit *o = d->options;
	if (o->unit_id == 0)
		return err_set(e, "unit_id: 0 means all devices of the line, and none of them answers; use 1 to 247");
	if (o->unit_id > 247)
		return err_set(e, "unit_id: %lld is above 247, the highest on a serial line", (long long)o->unit_id);
	return 0;
}

/* Leading digit of five or six. A coil above 9999 cannot be said in five, and six look like a discrete input's. */
static int take_modicon(int64_t address, int *ret_table, uint16_t *ret, struct err *e)
{
	static const int by_digit[] = { MBADDRESS_COIL, MBADDRESS_DISCRETE, -1, MBADDRESS_INPUT, MBADDRESS_HOLDING };
	int64_t unit = address >= 100000 ? 100000 : 10000;
	int64_t digit = address / unit, number = address % unit;
	if (digit > 4 || by_digit[digit] < 0)
		return err_set(e, "%lld is no modicon address: these begin with 0, 1, 3 or 4", (long long)address);
	if (number == 0)
		return err_set(e, "%lld is no modicon address: the first one is %lld", (long long)address,
			       (long long)address + 1);
	if (number > ADDRESS_LAST + 1)
		return err_set(e, "%lld is above %lld, the last one", (long long)address,
			       (long long)(digit * unit + ADDRESS_LAST + 1));
	*ret_table = by_digit[digit];
	*ret = (uint16_t)(number - 1);
	return 0;
}

static int take_protocol(int64_t address, int *ret_table, uint16_t *ret, struct err *e)
{
	(void)ret_table;
	if (address > ADDRESS_LAST)
		return err_set(e, "register %lld is above %d", (long long)address, ADDRESS_LAST);
	*ret = (uint16_t)address;
	return 0;
}

static int take_address(const struct mbaddress_unit *unit, int64_t address, int *ret_table, uint16_t *ret,
			struct err *e)
{
	return (unit->addressing ? take_modicon : take_protocol)(address, ret_table, ret, e);
}

static int check_address(const struct mbaddress_unit *unit, struct mbaddress *a, struct err *e)
{
	int table = a->table;
	if (!unit->addressing && !a->has_table)
		return err_set(e,
			       "table: must say coil, discrete, input or holding, because addressing is \"protocol\"");
	if (take_address(unit, a->address, &table, &a->first, e) < 0)
		return err_wrap(e, "address");
	if (a->has_table && table != a->table)
		return err_set(e, "table: the first digit of a modicon address says it; remove this key");
	a->table = table;
	return 0;
}

static bool is_bits(const struct mbaddress *a)
{
	return a->table == MBADDRESS_COIL || a->table == MBADDRESS_DISCRETE;
}

static int check_bool(struct mbaddress *a, struct err *e)
{
	if (is_bits(a) && a->has_bit)
		return err_set(e, "bit: a %s has only one; remove this key", tables[a->table]);
	if (!is_bits(a) && !a->has_bit)
		return err_set(e, "bit: must say which bit of the register the bool is, 0 to 15");
	a->codec.bit = is_bits(a) ? MBCODEC_COIL : (int8_t)a->bit;
	return 0;
}

static int check_type(const struct point *p, struct mbaddress *a, struct err *e)
{
	if (p->type == TYPE_BOOL)
		return check_bool(a, e);
	if (is_bits(a))
		return err_set(e, "type: a %s is a bool, not %s", tables[a->table], type_word(p->type));
	if (a->has_bit)
		return err_set(e, "bit: only a bool is one bit of a register; this is %s", type_word(p->type));
	if (p->type == TYPE_INT || p->type == TYPE_REAL)
		return err_set(e,
			       "type: '%s' does not say how the registers hold it; use int16 uint16 int32 uint32 int64 "
			       "uint64 float32 float64 bcd16 or bcd32",
			       type_word(p->type));
	if (p->type == TYPE_TEXT || p->type == TYPE_TIME)
		return err_set(e, "type: registers hold no '%s'; use string or a number", type_word(p->type));
	return 0;
}

static int check_length(const struct point *p, struct mbaddress *a, struct err *e)
{
	if (p->type != TYPE_STRING && a->has_length)
		return err_set(e, "length: only a string has one; this is %s", type_word(p->type));
	if (p->type == TYPE_STRING && !a->has_length)
		return err_set(e, "length: must say how many bytes the string has, two per register");
	a->codec.length = (uint16_t)a->length;
	return 0;
}

static int check_order(const struct point *p, struct mbaddress *a, struct err *e)
{
	a->codec.order = 0;
	if (!a->order)
		return 0;
	if (p->type == TYPE_BOOL)
		return err_set(e, "order: a bool has none; remove this key");
	size_t size = p->type == TYPE_STRING ? 2 : mbcodec_size(&a->codec);
	if (mbcodec_order(a->order, size, &a->codec.order) < 0)
		return err_set(e, "order: '%s' is none for %s; use one of %s", a->order, type_word(p->type),
			       mbcodec_orders(size));
	return 0;
}

static int check_end(struct mbaddress *a, struct err *e)
{
	size_t size = mbcodec_size(&a->codec);
	a->count = (uint16_t)(is_bits(a) ? 1 : size / 2);
	if (a->first + a->count - 1 > ADDRESS_LAST)
		return err_set(e, "address: %u registers from here go beyond the last one", a->count);
	return 0;
}

static bool is_whole_number(enum type type)
{
	return type >= TYPE_INT16 && type <= TYPE_UINT64;
}

/* Both are read in one request, and that holds 125 registers. */
static int check_exponent(const struct point *p, struct mbaddress *a, struct err *e)
{
	enum { TOGETHER = 125 };
	uint16_t exponent = 0, first = a->first;
	int table = a->table;
	a->value_at = a->exponent_at = 0;
	if (!a->has_exponent)
		return 0;
	if (!is_whole_number(p->type))
		return err_set(e, "exponent: only int16 uint16 int32 uint32 int64 and uint64 have one; this is %s",
			       type_word(p->type));
	if (p->access & ACCESS_WRITE)
		return err_set(e, "exponent: a value with one can only be read");
	if (take_address(p->device->options, a->exponent, &table, &exponent, e) < 0)
		return err_wrap(e, "exponent");
	if (table != a->table)
		return err_set(e, "exponent: must be in the table of the value");
	uint32_t end = (uint32_t)first + a->count;
	a->first = exponent < first ? exponent : first;
	end = exponent >= end ? exponent + 1U : end;
	if (end - a->first > TOGETHER)
		return err_set(e, "exponent: too far from the value: together at most %d registers", TOGETHER);
	a->count = (uint16_t)(end - a->first);
	a->value_at = (uint16_t)(first - a->first);
	a->exponent_at = (uint16_t)(exponent - a->first);
	return 0;
}

static int check_access(const struct point *p, const struct mbaddress *a, struct err *e)
{
	if ((p->access & ACCESS_WRITE) && (a->table == MBADDRESS_DISCRETE || a->table == MBADDRESS_INPUT))
		return err_set(e, "access: %s can only be read", is_bits(a) ? "a discrete input" : "an input register");
	const struct mbaddress_unit *unit = p->device->options;
	if ((p->access & ACCESS_WRITE) && unit->write_read && a->length > WRITE_READ_MOST)
		return err_set(e, "length: write_read of the device takes at most %d bytes", WRITE_READ_MOST);
	return 0;
}

/* A raw value that the type cannot hold would never be met: 32768 for "no value" of an int16 that comes as -32768. */
static int check_nan(const struct point *p, const struct mbaddress *a, struct err *e)
{
	uint8_t wire[MBCODEC_MOST];
	for (size_t i = 0; i < p->n_nan; i++)
		if (mbcodec_encode(&a->codec, &p->nan[i], wire, e) < 0)
			return err_wrap(e, "nan");
	return 0;
}

int mbaddress_check(struct point *p, struct err *e)
{
	struct mbaddress *a = p->address;
	a->codec = (struct mbcodec){ .type = p->type, .bit = MBCODEC_COIL };
	if (check_address(p->device->options, a, e) < 0)
		return -1;
	if (check_type(p, a, e) < 0 || check_length(p, a, e) < 0 || check_order(p, a, e) < 0 || check_end(a, e) < 0)
		return -1;
	return check_exponent(p, a, e) < 0 || check_access(p, a, e) < 0 || check_nan(p, a, e) < 0 ? -1 : 0;
}

/* SunSpec, "Information model specification": a scale factor is from -10 to 10, and -32768 where there is none. */
static enum trouble apply_exponent(const struct mbaddress *a, const uint8_t *wire, struct value *value)
{
	enum { NONE = -32768, MOST = 10 };
	static const struct mbcodec power = { .type = TYPE_INT16 };
	struct value by = { 0 };
	int64_t exponent = NONE;
	mbcodec_decode(&power, wire + 2 * a->exponent_at, &by);
	decimal_integer(by.number, &exponent);
	if (exponent == NONE)
		return TROUBLE_NO_VALUE;
	if (exponent < -MOST || exponent > MOST)
		return TROUBLE_RANGE;
	value->number.exp10 = (int16_t)(value->number.exp10 + exponent);
	return TROUBLE_NONE;
}

enum trouble mbaddress_decode(const struct point *p, const uint8_t *wire, struct value *ret)
{
	const struct mbaddress *a = p->address;
	struct value value = { 0 };
	enum trouble why = mbcodec_decode(&a->codec, wire + 2 * a->value_at, &value);
	if (why == TROUBLE_NONE && a->has_exponent && !point_is_nan(p, &value))
		why = apply_exponent(a, wire, &value);
	if (why == TROUBLE_NONE)
		*ret = value; /* with an exponent it is a number, which owns nothing */
	return why;
}
