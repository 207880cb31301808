#include "bridges/mbcodec.h"

#include "core/base/mem.h"
#include "core/base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const enum type types[] = { TYPE_INT16,  TYPE_UINT16,  TYPE_INT32,   TYPE_UINT32, TYPE_INT64,
				   TYPE_UINT64, TYPE_FLOAT32, TYPE_FLOAT64, TYPE_BCD16,  TYPE_BCD32 };
static const char *const orders_of_8[] = { "ABCDEFGH", "BADCFEHG", "CDABGHEF", "DCBAHGFE", "EFGHABCD",
					   "FEHGBADC", "GHEFCDAB", "HGFEDCBA", NULL };
static const char *const orders_of_4[] = { "ABCD", "BADC", "CDAB", "DCBA", NULL };
static const char *const orders_of_2[] = { "AB", "BA", NULL };

static const char *const *orders_for(size_t size)
{
	return size == 8 ? orders_of_8 : size == 4 ? orders_of_4 : orders_of_2;
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static struct mbcodec codec(enum type type, const char *order)
{
	struct mbcodec c = { .type = type, .bit = MBCODEC_COIL };
	cr_assert_eq(mbcodec_order(order, mbcodec_size(&c), &c.order), 0, "%s for %s", order, type_word(type));
	return c;
}

/* Bytes, highest first, into the order of the word: what the letters say, without any arithmetic of the codec. */
static void arrange(const char *word, const uint8_t *highest_first, uint8_t *wire)
{
	for (size_t i = 0; word[i]; i++)
		wire[i] = highest_first[word[i] - 'A'];
}

static bool is_bcd(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] >> 4 > 9 || (bytes[i] & 15) > 9)
			return false;
	return true;
}

static void comes_back(const struct mbcodec *c, const char *order, const uint8_t *highest_first, bool bcd)
{
	uint8_t wire[8], again[8];
	struct value v = { 0 };
	struct err e;
	size_t size = mbcodec_size(c);
	arrange(order, highest_first, wire);
	enum trouble trouble = mbcodec_decode(c, wire, &v);
	if (bcd && !is_bcd(highest_first, size)) {
		cr_assert_eq(trouble, TROUBLE_TYPE);
		return;
	}
	if (c->type == TYPE_FLOAT32 || c->type == TYPE_FLOAT64) {
		bool single = c->type == TYPE_FLOAT32;
		int head = highest_first[0] << 8 | highest_first[1];
		bool finite = single ? (head & 0x7F80) != 0x7F80 : (head & 0x7FF0) != 0x7FF0;
		cr_assert_eq(trouble == TROUBLE_NONE, finite);
		if (!finite)
			return;
	}
	cr_assert_eq(trouble, TROUBLE_NONE);
	cr_assert_eq(mbcodec_encode(c, &v, again, &e), 0, "%s %s: %s", type_word(c->type), order, e.text);
	cr_assert_arr_eq(again, wire, size, "%s %s", type_word(c->type), order);

	struct value twice = { 0 };
	cr_assert_eq(mbcodec_decode(c, again, &twice), TROUBLE_NONE);
	cr_assert(value_same(&v, &twice));
}

Test(mbcodec, gives_back_what_it_takes_for_every_type_and_order)
{
	uint64_t seed = 88172645463325252;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct mbcodec c = { .type = types[i], .bit = MBCODEC_COIL };
		bool bcd = types[i] == TYPE_BCD16 || types[i] == TYPE_BCD32;
		for (const char *const *order = orders_for(mbcodec_size(&c)); *order; order++) {
			c = codec(types[i], *order);
			for (int n = 0; n < 3000; n++) {
				uint64_t bits = next_random(&seed);
				if (n % 3 == 1)
					bits &= 0x0909090909090909; /* BCD */
				if (n % 3 == 2)
					bits = n % 2 ? ~UINT64_C(0) << n % 64 : UINT64_C(1) << n % 64; /* edges */
				uint8_t bytes[8];
				memcpy(bytes, &bits, sizeof(bytes));
				comes_back(&c, *order, bytes, bcd);
			}
		}
	}
}

struct golden {
	enum type type;
	const char *order;
	const char *wire; /* hexadecimal */
	const char *shown;
};

/* Made by Python's struct module and by hand from data sheets, not by this codec. */
static const struct golden goldens[] = {
	{ TYPE_INT16, "AB", "8000", "-32768" },
	{ TYPE_INT16, "AB", "FFFF", "-1" },
	{ TYPE_INT16, "BA", "FF7F", "32767" },
	{ TYPE_UINT16, "AB", "FFFF", "65535" },
	{ TYPE_UINT16, "BA", "3412", "4660" },
	{ TYPE_INT32, "ABCD", "80000000", "-2147483648" },
	{ TYPE_INT32, "CDAB", "FFFEFFFF", "-2" },
	{ TYPE_INT32, "ABCD", "7FFFFFFF", "2147483647" },
	{ TYPE_UINT32, "ABCD", "DEADBEEF", "3735928559" },
	{ TYPE_UINT32, "DCBA", "EFBEADDE", "3735928559" },
	{ TYPE_UINT32, "BADC", "ADDEEFBE", "3735928559" },
	{ TYPE_UINT32, "CDAB", "BEEFDEAD", "3735928559" },
	{ TYPE_INT64, "ABCDEFGH", "8000000000000000", "-9223372036854775808" },
	{ TYPE_INT64, "GHEFCDAB", "FFFEFFFFFFFFFFFF", "-2" },
	{ TYPE_UINT64, "ABCDEFGH", "FFFFFFFFFFFFFFFF", "18446744073709551615" },
	{ TYPE_UINT64, "ABCDEFGH", "0123456789ABCDEF", "81985529216486895" },
	{ TYPE_UINT64, "CDABGHEF", "45670123CDEF89AB", "81985529216486895" },
	{ TYPE_UINT64, "EFGHABCD", "89ABCDEF01234567", "81985529216486895" },
	{ TYPE_UINT64, "HGFEDCBA", "EFCDAB8967452301", "81985529216486895" },
	{ TYPE_UINT64, "BADCFEHG", "23016745AB89EFCD", "81985529216486895" },
	{ TYPE_FLOAT32, "ABCD", "43668000", "230.5" },
	{ TYPE_FLOAT32, "CDAB", "80004366", "230.5" },
	{ TYPE_FLOAT32, "BADC", "66430080", "230.5" },
	{ TYPE_FLOAT32, "DCBA", "00806643", "230.5" },
	{ TYPE_FLOAT32, "ABCD", "41A8CCCD", "21.1" },
	{ TYPE_FLOAT32, "ABCD", "C0200000", "-2.5" },
	{ TYPE_FLOAT32, "ABCD", "00000000", "0" },
	{ TYPE_FLOAT32, "ABCD", "4B800000", "16777216" },
	{ TYPE_FLOAT64, "ABCDEFGH", "3FB999999999999A", "0.1" },
	{ TYPE_FLOAT64, "GHEFCDAB", "2D18544421FB4009", "3.141592653589793" },
	{ TYPE_BCD16, "AB", "9999", "9999" },
	{ TYPE_BCD16, "AB", "0123", "123" },
	{ TYPE_BCD32, "ABCD", "12345678", "12345678" },
	{ TYPE_BCD32, "CDAB", "56781234", "12345678" },
};

static size_t bytes_of(const char *hex, uint8_t *ret)
{
	size_t n = 0;
	for (; hex[2 * n]; n++) {
		unsigned byte;
		cr_assert_eq(sscanf(hex + 2 * n, "%2x", &byte), 1);
		ret[n] = (uint8_t)byte;
	}
	return n;
}

Test(mbcodec, knows_the_bytes_of_data_sheets)
{
	for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
		const struct golden *g = &goldens[i];
		struct mbcodec c = codec(g->type, g->order);
		uint8_t wire[8], written[8];
		struct value v = { 0 };
		char text[DECIMAL_ROOM];
		size_t size = bytes_of(g->wire, wire);
		cr_assert_eq(size, mbcodec_size(&c));
		cr_assert_eq(mbcodec_decode(&c, wire, &v), TROUBLE_NONE);
		cr_assert_str_eq(value_print(&v, text), g->shown, "%s %s %s", type_word(g->type), g->order, g->wire);
		struct value wanted = { .type = VALUE_NUMBER };
		cr_assert_eq(decimal_parse(g->shown, strlen(g->shown), &wanted.number), 0);
		cr_assert_eq(mbcodec_encode(&c, &wanted, written, NULL), 0);
		cr_assert_arr_eq(written, wire, size, "%s %s %s", type_word(g->type), g->order, g->shown);
	}
}

Test(mbcodec, makes_no_number_of_what_is_none)
{
	static const struct {
		enum type type;
		const char *order, *wire;
		enum trouble trouble;
	} rows[] = {
		{ TYPE_FLOAT32, "ABCD", "7FC00000", TROUBLE_NO_VALUE },
		{ TYPE_FLOAT32, "ABCD", "7F800000", TROUBLE_RANGE },
		{ TYPE_FLOAT32, "ABCD", "FF800000", TROUBLE_RANGE },
		{ TYPE_FLOAT64, "ABCDEFGH", "7FF8000000000000", TROUBLE_NO_VALUE },
		{ TYPE_BCD16, "AB", "00FA", TROUBLE_TYPE },
		{ TYPE_BCD32, "ABCD", "A0000000", TROUBLE_TYPE },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mbcodec c = codec(rows[i].type, rows[i].order);
		uint8_t wire[8];
		struct value v = { 0 };
		bytes_of(rows[i].wire, wire);
		cr_assert_eq(mbcodec_decode(&c, wire, &v), rows[i].trouble, "%s", rows[i].wire);
		cr_assert_eq(v.type, VALUE_NONE);
	}
}

Test(mbcodec, refuses_to_write_what_does_not_fit)
{
	static const struct {
		enum type type;
		const char *value;
	} rows[] = {
		{ TYPE_INT16, "32768" },
		{ TYPE_INT16, "-32769" },
		{ TYPE_INT16, "0.5" },
		{ TYPE_UINT16, "65536" },
		{ TYPE_UINT16, "-1" },
		{ TYPE_INT32, "2147483648" },
		{ TYPE_UINT32, "4294967296" },
		{ TYPE_INT64, "9223372036854775808" },
		{ TYPE_UINT64, "18446744073709551616" },
		{ TYPE_FLOAT32, "3.5e38" },
		{ TYPE_FLOAT64, "1e309" },
		{ TYPE_BCD16, "10000" },
		{ TYPE_BCD16, "-1" },
		{ TYPE_BCD32, "100000000" },
		{ TYPE_BCD32, "1.5" },
		{ TYPE_BOOL, "2" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mbcodec c = { .type = rows[i].type, .bit = MBCODEC_COIL };
		struct value v = { .type = VALUE_NUMBER };
		uint8_t wire[8];
		struct err e = { "" };
		cr_assert_eq(decimal_parse(rows[i].value, strlen(rows[i].value), &v.number), 0);
		cr_assert_eq(mbcodec_encode(&c, &v, wire, &e), -1, "%s %s", type_word(rows[i].type), rows[i].value);
		cr_assert(text_begins(e.text, "must be "), "%s", e.text);
	}
	struct mbcodec c = { .type = TYPE_INT16 };
	struct value yes = value_bool(true);
	uint8_t wire[8];
	cr_assert_eq(mbcodec_encode(&c, &yes, wire, NULL), -1);
}

Test(mbcodec, finds_each_bit_of_a_register_and_a_coil)
{
	for (int bit = 0; bit < 16; bit++) {
		struct mbcodec c = { .type = TYPE_BOOL, .bit = (int8_t)bit };
		uint8_t wire[2] = { (uint8_t)(1 << bit >> 8), (uint8_t)(1 << bit) }, written[2];
		struct value v = { 0 };
		cr_assert_eq(mbcodec_size(&c), 2);
		cr_assert_eq(mbcodec_decode(&c, wire, &v), TROUBLE_NONE);
		cr_assert(v.type == VALUE_BOOL && v.yes, "bit %d", bit);
		cr_assert_eq(mbcodec_encode(&c, &v, written, NULL), 0);
		cr_assert_arr_eq(written, wire, 2);
		wire[0] ^= 0xFF;
		wire[1] ^= 0xFF;
		mbcodec_decode(&c, wire, &v);
		cr_assert_not(v.yes, "bit %d", bit);
	}
	struct mbcodec coil = { .type = TYPE_BOOL, .bit = MBCODEC_COIL };
	struct value v = { 0 };
	cr_assert_eq(mbcodec_size(&coil), 1);
	mbcodec_decode(&coil, (const uint8_t[]){ 0xFE }, &v);
	cr_assert_not(v.yes, "bits above the first are padding");
	mbcodec_decode(&coil, (const uint8_t[]){ 0x01 }, &v);
	cr_assert(v.yes);
}

static struct mbcodec string_codec(uint16_t length, const char *order)
{
	struct mbcodec c = { .type = TYPE_STRING, .length = length, .bit = MBCODEC_COIL };
	cr_assert_eq(mbcodec_order(order, 2, &c.order), 0);
	return c;
}

Test(mbcodec, gives_back_strings_of_every_length)
{
	for (uint16_t length = 1; length <= 64; length++) {
		for (uint16_t used = 0; used <= length; used++) {
			for (const char *const *order = orders_of_2; *order; order++) {
				struct mbcodec c = string_codec(length, *order);
				char text[65] = "";
				for (uint16_t i = 0; i < used; i++)
					text[i] = (char)('!' + (i * 7 + length) % 90);
				struct value v = value_text(text, used), back = { 0 };
				uint8_t wire[64];
				cr_assert_eq(mbcodec_size(&c), (length + 1U) / 2 * 2);
				cr_assert_eq(mbcodec_encode(&c, &v, wire, NULL), 0);
				cr_assert_eq(mbcodec_decode(&c, wire, &back), TROUBLE_NONE);
				cr_assert_str_eq(back.text, v.text);
				value_free(&v);
				value_free(&back);
			}
		}
	}
}

Test(mbcodec, reads_strings_as_devices_pad_them)
{
	static const struct {
		uint16_t length;
		const char *order;
		const char *wire, *text; /* NULL: no text */
	} rows[] = {
		{ 6, "AB", "SDM630", "SDM630" },
		{ 6, "BA", "DS6M03", "SDM630" },
		{ 8, "AB", "SDM630  ", "SDM630" },
		{ 8, "AB", "SDM630\0\0", "SDM630" },
		{ 8, "AB",
		  "SDM\0"
		  "6300",
		  "SDM" },
		{ 8, "AB", "\0\0\0\0\0\0\0\0", "" },
		{ 5, "BA",
		  "1234"
		  "x5",
		  "21435" },
		{ 4, "AB", "21\xC2\xB0", "21\xC2\xB0" },
		{ 4, "AB", "\xFF\xFF\xFF\xFF", NULL },
		{ 4, "AB",
		  "A\x01"
		  "BC",
		  NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mbcodec c = string_codec(rows[i].length, rows[i].order);
		struct value v = { 0 };
		enum trouble trouble = mbcodec_decode(&c, (const uint8_t *)rows[i].wire, &v);
		cr_assert_eq(trouble, rows[i].text ? TROUBLE_NONE : TROUBLE_TYPE, "row %zu", i);
		if (rows[i].text)
			cr_assert_str_eq(v.text, rows[i].text);
		value_free(&v);
	}
}

Test(mbcodec, refuses_a_string_that_is_too_long)
{
	struct mbcodec c = string_codec(4, "AB");
	struct value v = value_text("12345", 5), number = value_integer(5);
	uint8_t wire[8];
	struct err e;
	cr_assert_eq(mbcodec_encode(&c, &v, wire, &e), -1);
	cr_assert_str_eq(e.text, "must be a text of at most 4 bytes");
	cr_assert_eq(mbcodec_encode(&c, &number, wire, NULL), -1);
	value_free(&v);
}

Test(mbcodec, knows_only_orders_of_the_right_size)
{
	static const struct {
		const char *word;
		size_t size;
	} wrong[] = { { "ABCD", 8 },  { "ABCD", 2 }, { "ABDC", 4 },     { "abcd", 4 },    { "", 2 }, { "AB", 4 },
		      { "AB BA", 2 }, { "B", 2 },    { "ABCDEFHG", 8 }, { "ABCDEFG", 8 }, { "A", 1 } };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint8_t order = 77;
		cr_assert_eq(mbcodec_order(wrong[i].word, wrong[i].size, &order), -1, "%s", wrong[i].word);
		cr_assert_eq(order, 77);
	}
}
