/*
 * Registers and coils to raw values and back: every type of config.md in every byte order. libmodbus's own float helpers
 * are not used: its set_float_abcd does not write what its get_float_abcd reads.
 *
 * Bytes are those of the PDU: two per register, high byte first; a coil is one byte whose lowest bit counts.
 * Pure, any thread; nothing is owned. Modbus Application Protocol V1.1b3, section 4.2.
 */
#pragma once

#include "core/base/err.h"
#include "core/model/point.h"

enum {
	MBCODEC_COIL = -1,         /* bit: the value is a coil or discrete input, not a register */
	MBCODEC_STRING_MOST = 246, /* bytes of a string: 123 registers is the most that one request writes */
	MBCODEC_MOST = 246,        /* bytes of any value on the wire */
};

struct mbcodec {
	enum type type;  /* TYPE_BOOL or one of the wire types */
	uint8_t order;   /* from mbcodec_order */
	int8_t bit;      /* TYPE_BOOL: 0 (lowest) .. 15 of a register, or MBCODEC_COIL */
	uint16_t length; /* TYPE_STRING: bytes */
};

/* Bytes of a value in its registers: 2, 4 or 8, length of a string rounded up to whole registers, 1 for a coil. 0: the
 * type is none that a register can hold. */
size_t mbcodec_size(const struct mbcodec *c);

/*
 * Letters name the bytes from the highest, A; the word says in which order they come: "ABCD", "DCBA", "BADC", "CDAB";
 * "AB" and "BA" where the value is one register or a string; eight letters where it is four registers.
 * -1: not an order for a value of `size` bytes (2, 4 or 8), ret untouched.
 */
int mbcodec_order(const char *word, size_t size, uint8_t *ret);
const char *mbcodec_orders(size_t size); /* the words allowed, for messages */

/* NONE: *ret is the raw value. NO_VALUE: NaN. RANGE: infinite. TYPE: no BCD or no text. ret untouched unless NONE. */
enum trouble mbcodec_decode(const struct mbcodec *c, const uint8_t *wire, struct value *ret);

/* Fills mbcodec_size bytes. -1: does not fit, with the sentence ("must be ..."); wire is undefined then. */
int mbcodec_encode(const struct mbcodec *c, const struct value *raw, uint8_t *wire, struct err *e);
