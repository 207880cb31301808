/*
 * What an installer says of a Modbus bus, device and point: the rows, the structs they fill, and the checks that refuse
 * what can be refused. Pure, any thread; conf owns the structs.
 *
 * Five examples of a point's address, and what is asked for:
 *   addressing = "modicon";  address = 40011;                            holding register 10
 *   addressing = "modicon";  address = 365536;                           input register 65535
 *   addressing = "modicon";  address = 1;                                coil 0
 *   addressing = "protocol"; address = 52;  table = "input";             input register 52
 *   addressing = "protocol"; address = 19;  table = "holding"; bit = 3;  fourth bit from below of holding register 19
 *
 * With exponent = 23 the value counts times ten to the power that register 23 says (SunSpec's scale factor, an int16 from -10
 * to 10): the two are read in one request, so that they belong together.
 */
#pragma once

#include "bridges/mbcodec.h"
#include "core/conf/protocol.h"

enum mbaddress_table { MBADDRESS_COIL, MBADDRESS_DISCRETE, MBADDRESS_INPUT, MBADDRESS_HOLDING };
enum mbaddress_rs485 { MBADDRESS_RS485_NONE, MBADDRESS_RS485_KERNEL, MBADDRESS_RS485_RTS_UP, MBADDRESS_RS485_RTS_DOWN };

struct mbaddress_rtu { /* bus */
	char *device;
	int64_t baud;
	int mode; /* index of mbaddress_modes */
	int64_t timeout_ms;
	int64_t retries;
	int rs485;
};

struct mbaddress_tcp { /* bus */
	char *host;
	int64_t port;
	int64_t timeout_ms;
	int64_t retries;
	int64_t baud; /* modbus-rtu-tcp: of the line behind the converter */
};

struct mbaddress_unit { /* device */
	int64_t unit_id;
	int addressing; /* 0 protocol, 1 modicon */
	bool write_multiple, write_read;
	int64_t turnaround_ms;      /* 0 or below: learned */
	int64_t max_block, max_gap; /* below 0: auto */
};

struct mbaddress { /* point */
	bool has_table, has_bit, has_length, has_exponent;
	int table;
	int64_t address, bit, length, exponent;
	char *order;

	/* completed by mbaddress_check */
	uint16_t first;                 /* 0-based, as on the wire */
	uint16_t count;                 /* coils or registers, from the first to the last that is needed */
	uint16_t value_at, exponent_at; /* registers behind first */
	struct mbcodec codec;
};

struct mbaddress_mode {
	char parity;
	int stop_bits;
};
extern const struct mbaddress_mode mbaddress_modes[]; /* RTU has always 8 bits */
extern const char *const mbaddress_mode_words[];      /* of the same: "8N1" "8E1" "8O1" "8N2" "8E2" "8O2" */

extern const struct setting mbaddress_rtu_rows[], mbaddress_tcp_rows[], mbaddress_rtu_tcp_rows[], mbaddress_unit_rows[],
	mbaddress_rows[];

int mbaddress_check(struct point *p, struct err *e);

/* The raw value of a point out of its `count` registers (or one byte for a coil), as mbcodec_decode. Also NO_VALUE and RANGE
 * for what the register of the exponent says. */
enum trouble mbaddress_decode(const struct point *p, const uint8_t *wire, struct value *ret);

int mbaddress_check_rtu(struct bus *bus, struct err *e);
int mbaddress_check_rtu_unit(struct device *d, struct err *e);
