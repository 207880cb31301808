#include "bridges/mbframe.h"

#include "core/base/mem.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct mbframe_question holding = { .unit = 17, .function = 3, .address = 0x6B, .count = 3 };

/* The examples of the specifications, Modbus Application Protocol V1.1b3 section 6, with the CRC of Modbus over Serial
 * Line 6.2.2 as published for unit 17 (0x11) in many places. */
Test(mbframe, asks_as_the_specification_shows)
{
	static const struct {
		struct mbframe_question q;
		const char *pdu;
		size_t size;
	} rows[] = {
		{ { .function = 1, .address = 0x13, .count = 0x13 }, "\x01\x00\x13\x00\x13", 5 },
		{ { .function = 2, .address = 0xC4, .count = 0x16 }, "\x02\x00\xC4\x00\x16", 5 },
		{ { .function = 3, .address = 0x6B, .count = 3 }, "\x03\x00\x6B\x00\x03", 5 },
		{ { .function = 4, .address = 8, .count = 1 }, "\x04\x00\x08\x00\x01", 5 },
		{ { .function = 5, .address = 0xAC, .count = 1, .data = { 1 } }, "\x05\x00\xAC\xFF\x00", 5 },
		{ { .function = 5, .address = 0xAC, .count = 1, .data = { 0 } }, "\x05\x00\xAC\x00\x00", 5 },
		{ { .function = 6, .address = 1, .count = 1, .data = { 0, 3 } }, "\x06\x00\x01\x00\x03", 5 },
		{ { .function = 15, .address = 0x13, .count = 10, .data = { 0xCD, 1 } },
		  "\x0F\x00\x13\x00\x0A\x02\xCD\x01",
		  8 },
		{ { .function = 16, .address = 1, .count = 2, .data = { 0, 10, 1, 2 } },
		  "\x10\x00\x01\x00\x02\x04\x00\x0A\x01\x02",
		  10 },
		{ { .function = 22, .address = 4, .count = 1, .data = { 0, 0xF2, 0, 0x25 } },
		  "\x16\x00\x04\x00\xF2\x00\x25",
		  7 },
		{ { .function = 17 }, "\x11", 1 },
		{ { .function = 23, .address = 14, .count = 3, .data = { 0, 0xFF, 0, 0xFF, 0, 0xFF } },
		  "\x17\x00\x0E\x00\x03\x00\x0E\x00\x03\x06\x00\xFF\x00\xFF\x00\xFF",
		  16 },
		{ { .function = 43 }, "\x2B\x0E\x01\x00", 4 },
		{ { .function = 43, .address = 2 }, "\x2B\x0E\x01\x02", 4 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t frame[MBFRAME_MOST];
		struct mbframe_question q = rows[i].q;
		q.unit = 17;
		cr_assert_eq(mbframe_tcp(&q, 0x1234, frame), 7 + rows[i].size);
		cr_assert_arr_eq(frame, "\x12\x34\x00\x00\x00", 5);
		cr_assert_eq(frame[5], 1 + rows[i].size);
		cr_assert_eq(frame[6], 17);
		cr_assert_arr_eq(frame + 7, rows[i].pdu, rows[i].size, "function %u", q.function);
	}
	uint8_t frame[MBFRAME_MOST];
	cr_assert_eq(mbframe_rtu(&holding, frame), 8);
	cr_assert_arr_eq(frame, "\x11\x03\x00\x6B\x00\x03\x76\x87", 8);
}

static size_t with_crc(uint8_t *bytes, size_t n)
{
	uint16_t crc = mbframe_crc(bytes, n);
	bytes[n] = (uint8_t)crc;
	bytes[n + 1] = (uint8_t)(crc >> 8);
	return n + 2;
}

static enum mbframe_look look_rtu(const struct mbframe_question *q, const void *body, size_t n,
				  struct mbframe_answer *ret)
{
	uint8_t frame[300];
	size_t size = 0;
	struct err e = { "" };
	memcpy(frame, body, n);
	n = with_crc(frame, n);
	for (size_t cut = 0; cut < n; cut++) {
		enum mbframe_look early = mbframe_look_rtu(q, frame, cut, &size, ret, &e);
		if (early != MBFRAME_MORE)
			return early;
	}
	enum mbframe_look seen = mbframe_look_rtu(q, frame, n, &size, ret, &e);
	cr_assert(seen == MBFRAME_GOOD || e.text[0]);
	return seen;
}

static enum mbframe_look look_tcp(const struct mbframe_question *q, uint16_t transaction, const void *bytes, size_t n,
				  struct mbframe_answer *ret)
{
	size_t size = 0;
	struct err e = { "" };
	for (size_t cut = 0; cut < n; cut++) {
		enum mbframe_look early = mbframe_look_tcp(q, transaction, bytes, cut, &size, ret, &e);
		if (early != MBFRAME_MORE)
			return early;
	}
	enum mbframe_look seen = mbframe_look_tcp(q, transaction, bytes, n, &size, ret, &e);
	cr_assert(seen == MBFRAME_GOOD || seen == MBFRAME_MORE || e.text[0]);
	return seen;
}

Test(mbframe, takes_the_answer_however_it_is_cut)
{
	struct mbframe_answer answer;
	cr_assert_eq(look_rtu(&holding, "\x11\x03\x06\xAE\x41\x56\x52\x43\x40", 9, &answer), MBFRAME_GOOD);
	cr_assert_eq(answer.size, 6);
	cr_assert_arr_eq(answer.data, "\xAE\x41\x56\x52\x43\x40", 6);
	cr_assert_eq(
		look_tcp(&holding, 0x1234, "\x12\x34\x00\x00\x00\x09\x11\x03\x06\xAE\x41\x56\x52\x43\x40", 15, &answer),
		MBFRAME_GOOD);
	cr_assert_arr_eq(answer.data, "\xAE\x41\x56\x52\x43\x40", 6);
}

Test(mbframe, takes_exceptions_for_what_they_are)
{
	struct mbframe_answer answer;
	cr_assert_eq(look_rtu(&holding, "\x11\x83\x02", 3, &answer), MBFRAME_GOOD);
	cr_assert_eq(answer.exception, 2);
	cr_assert_eq(look_tcp(&holding, 7, "\x00\x07\x00\x00\x00\x03\x11\x83\x0B", 9, &answer), MBFRAME_GOOD);
	cr_assert_eq(answer.exception, 11);
	cr_assert_eq(look_rtu(&holding, "\x11\x84\x02", 3, &answer), MBFRAME_FOREIGN, "exception of another function");
	cr_assert_eq(look_rtu(&holding, "\x11\x83\x00", 3, &answer), MBFRAME_FOREIGN, "exception 0 is none");
	cr_assert_str_eq(mbframe_exception_word(2), "illegal address");
	cr_assert_str_eq(mbframe_exception_word(99), "unknown exception");
}

Test(mbframe, takes_nothing_else_over_tcp)
{
	static const struct {
		const char *what, *bytes;
		size_t n;
	} rows[] = {
		{ "transaction", "\x12\x35\x00\x00\x00\x09\x11\x03\x06\xAE\x41\x56\x52\x43\x40", 15 },
		{ "protocol", "\x12\x34\x00\x01\x00\x09\x11\x03\x06\xAE\x41\x56\x52\x43\x40", 15 },
		{ "length too short", "\x12\x34\x00\x00\x00\x08\x11\x03\x06\xAE\x41\x56\x52\x43\x40", 15 },
		{ "length too long", "\x12\x34\x00\x00\x00\x0A\x11\x03\x06\xAE\x41\x56\x52\x43\x40\x00", 16 },
		{ "length of nothing", "\x12\x34\x00\x00\x00\x00\x11\x03", 8 },
		{ "length without end", "\x12\x34\x00\x00\xFF\xFF\x11\x03", 8 },
		{ "unit", "\x12\x34\x00\x00\x00\x09\x12\x03\x06\xAE\x41\x56\x52\x43\x40", 15 },
		{ "function", "\x12\x34\x00\x00\x00\x09\x11\x04\x06\xAE\x41\x56\x52\x43\x40", 15 },
		{ "byte count", "\x12\x34\x00\x00\x00\x09\x11\x03\x04\xAE\x41\x56\x52\x43\x40", 15 },
		{ "fewer registers", "\x12\x34\x00\x00\x00\x07\x11\x03\x04\xAE\x41\x56\x52", 13 },
		{ "more registers", "\x12\x34\x00\x00\x00\x0B\x11\x03\x08\xAE\x41\x56\x52\x43\x40\x00\x00", 17 },
	};
	struct mbframe_answer answer;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(look_tcp(&holding, 0x1234, rows[i].bytes, rows[i].n, &answer), MBFRAME_BAD, "%s",
			     rows[i].what);
}

Test(mbframe, takes_nothing_else_on_a_serial_line)
{
	struct mbframe_answer answer;
	cr_assert_eq(look_rtu(&holding, "\x12\x03\x06\xAE\x41\x56\x52\x43\x40", 9, &answer), MBFRAME_FOREIGN, "unit");
	cr_assert_eq(look_rtu(&holding, "\x11\x04\x06\xAE\x41\x56\x52\x43\x40", 9, &answer), MBFRAME_FOREIGN,
		     "function");
	cr_assert_eq(look_rtu(&holding, "\x11\x03\x04\xAE\x41\x56\x52", 7, &answer), MBFRAME_FOREIGN, "count");
	cr_assert_eq(look_rtu(&holding, "\x11\x03\x04\xAE\x41\x56\x52\x43\x40", 9, &answer), MBFRAME_BAD, "count lies");
	cr_assert_eq(look_rtu(&holding, "\x11\x63\x06\xAE", 4, &answer), MBFRAME_BAD, "no function");
	cr_assert_eq(look_rtu(&holding, "\x11\x03\xFF", 3, &answer), MBFRAME_BAD, "longer than any frame");
}

Test(mbframe, notices_every_flipped_bit)
{
	uint8_t good[16] = "\x11\x03\x06\xAE\x41\x56\x52\x43\x40";
	size_t n = with_crc(good, 9);
	for (size_t bit = 0; bit < 8 * n; bit++) {
		uint8_t bytes[16];
		struct mbframe_answer answer;
		size_t size;
		memcpy(bytes, good, sizeof(bytes));
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert_neq(mbframe_look_rtu(&holding, bytes, n, &size, &answer, NULL), MBFRAME_GOOD, "bit %zu", bit);
	}
}

Test(mbframe, believes_a_write_only_with_its_own_address_and_value)
{
	struct mbframe_question coil = { 17, 5, 0xAC, 1, { 1 } }, one = { 17, 6, 1, 1, { 0, 3 } };
	struct mbframe_question coils = { 17, 15, 0x13, 10, { 0xCD, 1 } }, many = { 17, 16, 1, 2, { 0, 10, 1, 2 } };
	struct mbframe_answer answer;
	cr_assert_eq(look_rtu(&coil, "\x11\x05\x00\xAC\xFF\x00", 6, &answer), MBFRAME_GOOD);
	cr_assert_eq(look_rtu(&coil, "\x11\x05\x00\xAC\x00\x00", 6, &answer), MBFRAME_FOREIGN);
	cr_assert_eq(look_rtu(&one, "\x11\x06\x00\x01\x00\x03", 6, &answer), MBFRAME_GOOD);
	cr_assert_eq(look_rtu(&one, "\x11\x06\x00\x01\x00\x04", 6, &answer), MBFRAME_FOREIGN);
	cr_assert_eq(look_rtu(&one, "\x11\x06\x00\x02\x00\x03", 6, &answer), MBFRAME_FOREIGN);
	cr_assert_eq(look_rtu(&coils, "\x11\x0F\x00\x13\x00\x0A", 6, &answer), MBFRAME_GOOD);
	cr_assert_eq(look_rtu(&coils, "\x11\x0F\x00\x13\x00\x09", 6, &answer), MBFRAME_FOREIGN);
	cr_assert_eq(look_rtu(&many, "\x11\x10\x00\x01\x00\x02", 6, &answer), MBFRAME_GOOD);
	cr_assert_eq(look_rtu(&many, "\x11\x10\x00\x01\x00\x01", 6, &answer), MBFRAME_FOREIGN);
	cr_assert_eq(look_tcp(&many, 1, "\x00\x01\x00\x00\x00\x06\x11\x10\x00\x01\x00\x01", 12, &answer), MBFRAME_BAD);
}

Test(mbframe, takes_what_was_written_and_read_in_one)
{
	struct mbframe_question both = { 17, 23, 14, 1, { 0, 0xFF } };
	struct mbframe_answer answer;
	cr_assert_eq(look_rtu(&both, "\x11\x17\x02\x00\xFF", 5, &answer), MBFRAME_GOOD);
	cr_assert_eq(answer.size, 2);
	cr_assert_arr_eq(answer.data, "\x00\xFF", 2);
	cr_assert_eq(look_rtu(&both, "\x11\x17\x04\x00\xFF\x00\x00", 7, &answer), MBFRAME_FOREIGN);
	cr_assert(mbframe_writes(23));
}

Test(mbframe, takes_what_a_device_says_it_is_only_whole)
{
	static const char identity[] = "\x11\x2B\x0E\x01\x01\x00\x00\x03\x00\x02"
				       "Ab"
				       "\x01\x00\x02\x01"
				       "C";
	struct mbframe_question identify = { .unit = 17, .function = 43 }, report = { .unit = 17, .function = 17 };
	struct mbframe_answer answer;
	cr_assert_eq(look_rtu(&identify, identity, sizeof(identity) - 1, &answer), MBFRAME_GOOD);
	cr_assert_eq(answer.size, sizeof(identity) - 3);
	cr_assert_arr_eq(answer.data, identity + 2, answer.size);
	cr_assert_eq(look_rtu(&identify, "\x11\x2B\x0D\x01\x01\x00\x00\x00", 8, &answer), MBFRAME_BAD, "another type");
	cr_assert_eq(look_rtu(&identify, "\x11\x2B\x0E\x01\x01\x00\x00\x02\x00\xFF", 10, &answer), MBFRAME_BAD,
		     "too long");
	cr_assert_eq(
		look_tcp(&identify, 1, "\x00\x01\x00\x00\x00\x0A\x11\x2B\x0E\x01\x01\x00\x00\x01\x00\x02", 16, &answer),
		MBFRAME_BAD, "an object that ends before its end");
	cr_assert_eq(look_rtu(&report, "\x11\x11\x03\x42\xFF\x07", 6, &answer), MBFRAME_GOOD);
	cr_assert_arr_eq(answer.data, "\x42\xFF\x07", 3);
	cr_assert_not(mbframe_writes(17) || mbframe_writes(43));
}

Test(mbframe, says_so_when_the_line_echoes)
{
	uint8_t asked[MBFRAME_MOST];
	size_t n = mbframe_rtu(&holding, asked), size;
	struct mbframe_answer answer;
	struct err e;
	cr_assert_eq(mbframe_look_rtu(&holding, asked, n, &size, &answer, &e), MBFRAME_BAD);
	cr_assert(strstr(e.text, "echo"), "%s", e.text);
}

Test(mbframe, does_not_look_beyond_its_input)
{
	uint64_t seed = 362436069;
	for (int round = 0; round < 200000; round++) {
		uint8_t *bytes;
		uint8_t noise[16];
		size_t size;
		struct mbframe_answer answer;
		seed = seed * 6364136223846793005 + 1442695040888963407;
		size_t n = (size_t)(seed >> 60);
		for (size_t i = 0; i < n; i++)
			noise[i] = (uint8_t)(seed >> (i % 8 * 8) ^ i * 31);
		if (n > 1 && round % 2) {
			noise[0] = 17;
			noise[1] = (uint8_t)(round / 2 % 45);
		}
		bytes = mem_copy(noise, n); /* ASan sees the end of it */
		mbframe_look_rtu(&holding, bytes, n, &size, &answer, NULL);
		mbframe_look_tcp(&holding, (uint16_t)(bytes[0] << 8 | bytes[n > 1]), bytes, n, &size, &answer, NULL);
		mem_free(bytes);
	}
}
