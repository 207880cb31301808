#include "bridges/mbcodec.h"

#include "core/base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * All orders in use are the byte index XORed with a mask: 1 swaps the bytes of a register, 2 neighbouring registers, 4 the
 * halves of 64 bits. So one loop serves all of them, and the way back is the way there.
 */
static const struct {
	const char *words; /* each `size` letters and a space, at the place of its mask */
	size_t size;
} orders[] = {
	{ "AB BA", 2 },
	{ "ABCD BADC CDAB DCBA", 4 },
	{ "ABCDEFGH BADCFEHG CDABGHEF DCBAHGFE EFGHABCD FEHGBADC GHEFCDAB HGFEDCBA", 8 },
};
enum { N_ORDERS = sizeof(orders) / sizeof(orders[0]) };

struct codec_row {
	size_t size; /* bytes; 0: coil or string */
	enum trouble (*decode)(const struct mbcodec *c, uint64_t bits, struct value *ret);
	int (*encode)(const struct mbcodec *c, const struct value *raw, uint64_t *ret, struct err *e);
};

const char *mbcodec_orders(size_t size)
{
	for (size_t i = 0; i < N_ORDERS; i++)
		if (orders[i].size == size)
			return orders[i].words;
	return "";
}

int mbcodec_order(const char *word, size_t size, uint8_t *ret)
{
	const char *words = mbcodec_orders(size);
	if (strlen(word) != size)
		return -1;
	for (uint8_t mask = 0; mask < size; mask++) {
		if (words[0] && memcmp(words + mask * (size + 1), word, size) == 0) {
			*ret = mask;
			return 0;
		}
	}
	return -1;
}

static enum trouble take_bit(const struct mbcodec *c, uint64_t bits, struct value *ret)
{
	*ret = value_bool(bits >> (c->bit == MBCODEC_COIL ? 0 : c->bit) & 1);
	return TROUBLE_NONE;
}

static enum trouble take_unsigned(const struct mbcodec *c, uint64_t bits, struct value *ret)
{
	(void)c;
	*ret = value_number(decimal_of_unsigned(bits));
	return TROUBLE_NONE;
}

static enum trouble take_signed(const struct mbcodec *c, uint64_t bits, struct value *ret)
{
	uint64_t sign = UINT64_C(1) << (8 * mbcodec_size(c) - 1);
	uint64_t below = sign - 1;
	int64_t integer = (int64_t)(bits & below);
	*ret = value_integer(bits & sign ? integer - (int64_t)below - 1 : integer);
	return TROUBLE_NONE;
}

static enum trouble take_bcd(const struct mbcodec *c, uint64_t bits, struct value *ret)
{
	uint64_t number = 0;
	for (size_t nibble = 2 * mbcodec_size(c); nibble-- > 0;) {
		uint64_t digit = bits >> (4 * nibble) & 15;
		if (digit > 9)
			return TROUBLE_TYPE;
		number = 10 * number + digit;
	}
	*ret = value_number(decimal_of_unsigned(number));
	return TROUBLE_NONE;
}

static enum trouble take_float32(const struct mbcodec *c, uint64_t bits, struct value *ret)
{
	(void)c;
	uint32_t bits32 = (uint32_t)bits;
	float real;
	struct decimal number;
	memcpy(&real, &bits32, sizeof(real));
	if (!decimal_of_float(real, &number))
		return isnan(real) ? TROUBLE_NO_VALUE : TROUBLE_RANGE;
	*ret = value_number(number);
	return TROUBLE_NONE;
}

static enum trouble take_float64(const struct mbcodec *c, uint64_t bits, struct value *ret)
{
	(void)c;
	double real;
	struct decimal number;
	memcpy(&real, &bits, sizeof(real));
	if (!decimal_of_double(real, &number))
		return isnan(real) ? TROUBLE_NO_VALUE : TROUBLE_RANGE;
	*ret = value_number(number);
	return TROUBLE_NONE;
}

static int put_bit(const struct mbcodec *c, const struct value *raw, uint64_t *ret, struct err *e)
{
	uint64_t number = raw->type == VALUE_BOOL ? raw->yes : 2;
	if (raw->type == VALUE_NUMBER && decimal_unsigned(raw->number, &number) < 0)
		number = 2;
	if (number > 1)
		return err_set(e, "must be true or false, 1 or 0");
	*ret = number << (c->bit == MBCODEC_COIL ? 0 : c->bit);
	return 0;
}

static int put_natural(const struct value *raw, uint64_t most, uint64_t *ret, struct err *e)
{
	uint64_t number;
	if (raw->type != VALUE_NUMBER || decimal_unsigned(raw->number, &number) < 0 || number > most)
		return err_set(e, "must be a whole number from 0 to %llu", (unsigned long long)most);
	*ret = number;
	return 0;
}

static int put_unsigned(const struct mbcodec *c, const struct value *raw, uint64_t *ret, struct err *e)
{
	return put_natural(raw, UINT64_MAX >> (64 - 8 * mbcodec_size(c)), ret, e);
}

static int put_signed(const struct mbcodec *c, const struct value *raw, uint64_t *ret, struct err *e)
{
	int64_t most = (int64_t)(UINT64_MAX >> (65 - 8 * mbcodec_size(c)));
	int64_t integer;
	if (raw->type != VALUE_NUMBER || decimal_integer(raw->number, &integer) < 0 || integer > most ||
	    integer < -most - 1)
		return err_set(e, "must be a whole number from %lld to %lld", (long long)-most - 1, (long long)most);
	*ret = (uint64_t)integer;
	return 0;
}

static int put_bcd(const struct mbcodec *c, const struct value *raw, uint64_t *ret, struct err *e)
{
	uint64_t number = 0, bits = 0;
	if (put_natural(raw, mbcodec_size(c) == 2 ? 9999 : 99999999, &number, e) < 0)
		return -1;
	for (unsigned shift = 0; number > 0; shift += 4, number /= 10)
		bits |= (number % 10) << shift;
	*ret = bits;
	return 0;
}

static int put_float32(const struct mbcodec *c, const struct value *raw, uint64_t *ret, struct err *e)
{
	(void)c;
	char text[DECIMAL_ROOM];
	uint32_t bits;
	if (raw->type != VALUE_NUMBER)
		return err_set(e, "must be a number");
	decimal_print(raw->number, text);
	float real = strtof(text, NULL); /* by way of a double it could be rounded twice */
	if (!isfinite(real))
		return err_set(e, "must be from -3.4e38 to 3.4e38");
	memcpy(&bits, &real, sizeof(bits));
	*ret = bits;
	return 0;
}

static int put_float64(const struct mbcodec *c, const struct value *raw, uint64_t *ret, struct err *e)
{
	(void)c;
	if (raw->type != VALUE_NUMBER)
		return err_set(e, "must be a number");
	double real = decimal_real(raw->number);
	if (!isfinite(real))
		return err_set(e, "must be from -1.7e308 to 1.7e308");
	memcpy(ret, &real, sizeof(real));
	return 0;
}

static const struct codec_row rows[TYPE_COUNT] = {
	[TYPE_BOOL] = { 2, take_bit, put_bit },
	[TYPE_INT16] = { 2, take_signed, put_signed },
	[TYPE_UINT16] = { 2, take_unsigned, put_unsigned },
	[TYPE_INT32] = { 4, take_signed, put_signed },
	[TYPE_UINT32] = { 4, take_unsigned, put_unsigned },
	[TYPE_INT64] = { 8, take_signed, put_signed },
	[TYPE_UINT64] = { 8, take_unsigned, put_unsigned },
	[TYPE_FLOAT32] = { 4, take_float32, put_float32 },
	[TYPE_FLOAT64] = { 8, take_float64, put_float64 },
	[TYPE_BCD16] = { 2, take_bcd, put_bcd },
	[TYPE_BCD32] = { 4, take_bcd, put_bcd },
};

size_t mbcodec_size(const struct mbcodec *c)
{
	if (c->type == TYPE_STRING)
		return (c->length + 1U) / 2 * 2;
	return c->type == TYPE_BOOL && c->bit == MBCODEC_COIL ? 1 : rows[c->type].size;
}

static enum trouble take_string(const struct mbcodec *c, const uint8_t *wire, struct value *ret)
{
	char text[MBCODEC_STRING_MOST];
	size_t size = 0;
	while (size < c->length && wire[size ^ c->order]) {
		text[size] = (char)wire[size ^ c->order];
		size++;
	}
	while (size > 0 && text[size - 1] == ' ') /* devices pad with either NUL or blanks */
		size--;
	if (!text_is_clean(text, size))
		return TROUBLE_TYPE;
	*ret = value_text(text, size);
	return TROUBLE_NONE;
}

static int put_string(const struct mbcodec *c, const struct value *raw, uint8_t *wire, struct err *e)
{
	size_t size = raw->type == VALUE_TEXT ? strlen(raw->text) : SIZE_MAX;
	if (size > c->length)
		return err_set(e, "must be a text of at most %u bytes", c->length);
	memset(wire, 0, mbcodec_size(c));
	for (size_t i = 0; i < size; i++)
		wire[i ^ c->order] = (uint8_t)raw->text[i];
	return 0;
}

enum trouble mbcodec_decode(const struct mbcodec *c, const uint8_t *wire, struct value *ret)
{
	if (c->type == TYPE_STRING)
		return take_string(c, wire, ret);
	uint64_t bits = 0;
	size_t size = mbcodec_size(c);
	must(size > 0);
	for (size_t i = 0; i < size; i++)
		bits = bits << 8 | wire[i ^ c->order];
	return rows[c->type].decode(c, bits, ret);
}

int mbcodec_encode(const struct mbcodec *c, const struct value *raw, uint8_t *wire, struct err *e)
{
	if (c->type == TYPE_STRING)
		return put_string(c, raw, wire, e);
	uint64_t bits = 0;
	size_t size = mbcodec_size(c);
	must(size > 0);
	if (rows[c->type].encode(c, raw, &bits, e) < 0)
		return -1;
	for (size_t i = size; i-- > 0; bits >>= 8)
		wire[i ^ c->order] = (uint8_t)bits;
	return 0;
}
