#include "bridges/cbor.h"

#include "core/base/limits.h"
#include "core/base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define N(table) (sizeof(table) / sizeof((table)[0]))

static size_t bytes_of(const char *hex, uint8_t *ret)
{
	size_t n = 0;
	unsigned byte;
	while (sscanf(hex + 2 * n, "%2x", &byte) == 1)
		ret[n++] = (uint8_t)byte;
	return n;
}

/* The bytes lie at the end of their own memory, so that ASan sees who reads on. */
static int say(const char *hex, struct text *json, struct err *e)
{
	uint8_t room[512];
	size_t size = bytes_of(hex, room);
	uint8_t *bytes = mem_copy(room, size);
	int status = cbor_to_json(bytes, size, json, e);
	mem_free(bytes);
	return status;
}

/* RFC 8949, appendix A. */
static const struct {
	const char *hex, *json;
} examples[] = {
	{ "00", "0" },
	{ "17", "23" },
	{ "1818", "24" },
	{ "1903e8", "1000" },
	{ "1a000f4240", "1000000" },
	{ "1b000000e8d4a51000", "1000000000000" },
	{ "1bffffffffffffffff", "18446744073709551615" },
	{ "20", "-1" },
	{ "3863", "-100" },
	{ "3903e7", "-1000" },
	{ "f90000", "0" },
	{ "f93c00", "1" },
	{ "fb3ff199999999999a", "1.1" },
	{ "f93e00", "1.5" },
	{ "f97bff", "65504" },
	{ "fa47c35000", "100000" },
	{ "f9c400", "-4" },
	{ "f90400", "0.000061035156" },
	{ "fbc010666666666666", "-4.1" },
	{ "fa41bb3333", "23.4" },
	{ "f97c00", "null" },
	{ "f97e00", "null" },
	{ "f9fc00", "null" },
	{ "fa7f800000", "null" },
	{ "fb7ff8000000000000", "null" },
	{ "f4", "false" },
	{ "f5", "true" },
	{ "f6", "null" },
	{ "f7", "null" },
	{ "f0", "null" },
	{ "f8ff", "null" },
	{ "c074323031332d30332d32315432303a30343a30305a", "\"2013-03-21T20:04:00Z\"" },
	{ "c11a514b67b0", "1363896240" },
	{ "d818456449455446", "{\"24\":\"ZElFVEY\"}" },
	{ "40", "\"\"" },
	{ "4401020304", "\"AQIDBA\"" },
	{ "60", "\"\"" },
	{ "62225c", "\"\\\"\\\\\"" },
	{ "62c3bc", "\"\xC3\xBC\"" },
	{ "6100", "\"\\u0000\"" },
	{ "80", "[]" },
	{ "8301820203820405", "[1,[2,3],[4,5]]" },
	{ "a201020304", "{\"1\":2,\"3\":4}" },
	{ "a26161016162820203", "{\"a\":1,\"b\":[2,3]}" },
	{ "a12005", "{\"-1\":5}" },
	{ "5f42010243030405ff", "\"AQIDBAU\"" },
	{ "7f657374726561646d696e67ff", "\"streaming\"" },
	{ "9fff", "[]" },
	{ "9f018202039f0405ffff", "[1,[2,3],[4,5]]" },
	{ "bf61610161629f0203ffff", "{\"a\":1,\"b\":[2,3]}" },
	{ "c48221196ab3", "27315e-2" },
	{ "d9d9f7820102", "[1,2]" },
	{ "c249010000000000000000", "{\"2\":\"AQAAAAAAAAAA\"}" },
};

Test(cbor, says_the_examples_of_rfc_8949)
{
	for (size_t i = 0; i < N(examples); i++) {
		struct text json = { 0 };
		struct err e = { "" };
		cr_expect_eq(say(examples[i].hex, &json, &e), 0, "%s: %s", examples[i].hex, e.text);
		cr_expect_str_eq(json.data ? json.data : "", examples[i].json, "%s", examples[i].hex);
		text_free(&json);
	}
}

Test(cbor, each_example_that_is_cut_short_is_refused)
{
	for (size_t i = 0; i < N(examples); i++) {
		uint8_t all[64];
		size_t size = bytes_of(examples[i].hex, all);
		for (size_t n = 0; n < size; n++) {
			struct text json = { 0 };
			struct err e = { "" };
			uint8_t *bytes = mem_copy(all, n);
			cr_expect_eq(cbor_to_json(bytes, n, &json, &e), -1, "%zu of %s", n, examples[i].hex);
			cr_expect(e.text[0]);
			mem_free(bytes);
			text_free(&json);
		}
	}
}

static const char *const hostile[] = {
	"9a1000000100",
	"9bffffffffffffffff00",
	"ba1000000100",
	"5a10000001",
	"7bffffffffffffffff",
	"5bffffffffffffffff",
	"5f5bffffffffffffffff",
	"ff",
	"1c",
	"fc",
	"f81f",
	"1f",
	"3f",
	"df00",
	"0000",
	"5f00ff",
	"5f6161ff",
	"5f5f4100ffff",
	"3bffffffffffffffff",
	"a1f500",
	"a1410100",
	"bf6161ff",
	"c48101",
	"c4820102ff",
	"c482616100",
	"81ff",
	"a2616101ff",
};

Test(cbor, hostile_bytes_are_refused_and_cost_nothing)
{
	for (size_t i = 0; i < N(hostile); i++) {
		struct text json = { 0 };
		struct err e = { "" };
		cr_expect_eq(say(hostile[i], &json, &e), -1, "%s", hostile[i]);
		cr_expect(json.room < 512, "%s: %zu bytes", hostile[i], json.room);
		cr_expect(e.text[0], "%s", hostile[i]);
		text_free(&json);
	}
}

Test(cbor, depth_and_size_have_an_end)
{
	static const uint8_t nests[] = { 0x81, 0x9f, 0xc1, 0xd8 };
	uint8_t *bytes = mem_array(LIMIT_PAYLOAD, 1);
	struct text json = { 0 };
	struct err e = { "" };
	for (size_t i = 0; i < N(nests); i++) {
		memset(bytes, nests[i], LIMIT_PAYLOAD);
		text_clear(&json);
		cr_expect_eq(cbor_to_json(bytes, LIMIT_PAYLOAD, &json, &e), -1);
		cr_expect(strstr(e.text, "levels"), "%s", e.text);
	}
	memset(bytes, 0xf6, LIMIT_PAYLOAD);
	bytes[0] = 0x9f;
	text_clear(&json);
	cr_expect_eq(cbor_to_json(bytes, LIMIT_PAYLOAD, &json, &e), -1);
	cr_expect(strstr(e.text, "of text"), "%s", e.text);
	cr_expect(json.size < LIMIT_PAYLOAD + 64);
	text_free(&json);
	mem_free(bytes);
}

/* Whatever it is, it ends, reads nothing that is not its own, and stays small. */
Test(cbor, random_bytes_never_do_harm)
{
	uint32_t random = 1;
	for (int i = 0; i < 200000; i++) {
		uint8_t bytes[24];
		struct text json = { 0 };
		for (size_t n = 0; n < sizeof(bytes); n++) {
			random = random * 1664525u + 1013904223u;
			bytes[n] = (uint8_t)(random >> 24);
		}
		size_t size = random >> 8 & 15;
		(void)cbor_to_json(bytes + sizeof(bytes) - size, size, &json, NULL);
		cr_assert(json.size < 1024);
		text_free(&json);
	}
}
