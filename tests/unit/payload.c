#include "bridges/payload.h"

#include "bridges/compose.h"
#include "bridges/pointer.h"
#include "core/base/limits.h"
#include "core/base/mem.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#define N(table) (sizeof(table) / sizeof((table)[0]))

/* The document of RFC 6901, section 5, and all of its examples. */
static const char rfc6901[] = "{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2, \"e^f\": 3, \"g|h\": 4,"
			      "\"i\\\\j\": 5, \"k\\\"l\": 6, \" \": 7, \"m~n\": 8}";

static bool finds(const char *json, const char *pointer, const char *expected)
{
	struct literal l;
	if (!pointer_find(json, strlen(json), pointer, &l))
		return expected == NULL;
	return expected && l.size == strlen(expected) && memcmp(l.at, expected, l.size) == 0;
}

Test(pointer, finds_the_examples_of_rfc_6901)
{
	static const struct {
		const char *pointer, *literal;
	} rows[] = { { "", rfc6901 },         { "/foo", "[\"bar\", \"baz\"]" },
		     { "/foo/0", "\"bar\"" }, { "/", "0" },
		     { "/a~1b", "1" },        { "/c%d", "2" },
		     { "/e^f", "3" },         { "/g|h", "4" },
		     { "/i\\j", "5" },        { "/k\"l", "6" },
		     { "/ ", "7" },           { "/m~0n", "8" } };
	for (size_t i = 0; i < N(rows); i++)
		cr_expect(finds(rfc6901, rows[i].pointer, rows[i].literal), "%s", rows[i].pointer);
}

Test(pointer, finds_nothing_where_nothing_is)
{
	static const char *const pointers[] = {
		"/foo/2",   "/foo/-", "/foo/00", "/foo/01", "/foo/1e0", "/foo/+1", "/foo/",
		"/foo/0/0", "/fo",    "/fooo",   "//",      "/m~1n",    "/a/b",    "/foo/99999999999999"
	};
	for (size_t i = 0; i < N(pointers); i++)
		cr_expect(finds(rfc6901, pointers[i], NULL), "%s", pointers[i]);
	cr_expect(finds("", "", NULL));
	cr_expect(finds("  \n", "", NULL));
}

Test(pointer, sees_through_brackets_and_escapes_in_texts)
{
	static const char json[] =
		"{\"a\":\"}]\\\"{\", \"b\" : { \"c\":[ [1,2] , {\"d\":\"]\"},{\"e\\u00e9\":-0.50} ] }\n}";
	cr_expect(finds(json, "/b/c/0/1", "2"));
	cr_expect(finds(json, "/b/c/1/d", "\"]\""));
	cr_expect(finds(json, "/b/c/2/e\xC3\xA9", "-0.50"));
	cr_expect(finds(json, "/a", "\"}]\\\"{\""));
	cr_expect(finds("{\"\\ud83d\\ude00\\/~\":true}", "/\xF0\x9F\x98\x80~1~0", "true"));
}

Test(pointer, refuses_what_is_no_pointer)
{
	static const struct {
		const char *pointer, *sentence;
	} rows[] = { { "temp", "JSON Pointer 'temp' does not begin with '/'; write '/temp'" },
		     { "#/temp", "JSON Pointer '#/temp' is in its form for URIs; leave out the '#'" },
		     { "/a~b", "JSON Pointer '/a~b': write '~0' for '~' and '~1' for '/' in a name" },
		     { "/a~", "JSON Pointer '/a~': write '~0' for '~' and '~1' for '/' in a name" },
		     { "/\xFF", "JSON Pointer is not clean UTF-8" } };
	struct err e;
	for (size_t i = 0; i < N(rows); i++) {
		cr_assert_lt(pointer_check(rows[i].pointer, &e), 0);
		cr_expect_str_eq(e.text, rows[i].sentence);
	}
	cr_expect_eq(pointer_check("", &e), 0);
	cr_expect_eq(pointer_check("/a~0b~1c", &e), 0);
}

Test(pointer, stays_inside_any_bytes)
{
	static const char json[] = "{\"a\": [1, {\"b\\u00e4\": \"x\\\"\"}], \"c\": 2}";
	for (size_t cut = 0; cut < sizeof(json); cut++) { /* never valid, never handed in: it must still not run out */
		char *exact = mem_copy(json, cut);
		struct literal l;
		pointer_find(exact, cut, "/c", &l);
		pointer_find(exact, cut, "/a/1/b", &l);
		mem_free(exact);
	}
}

static enum payload_result take(const char *bytes, size_t size, const char *path, enum type type, struct value *ret,
				enum trouble *why, struct err *e)
{
	struct point p = { .type = type };
	struct payload_rule rule = { &p, path, "true", "false" };
	char *exact = mem_copy(bytes, size); /* the sanitizer sees one byte too far */
	struct payload payload = payload_of(exact, size);
	enum payload_result result = payload_take(&payload, &rule, ret, why, e);
	mem_free(exact);
	return result;
}

static const struct good_row {
	const char *bytes, *path;
	enum type type;
	enum value_type is;
	const char *prints;
} good_rows[] = {
	{ "21.50", NULL, TYPE_REAL, VALUE_NUMBER, "21.50" },
	{ " 23.40\r\n", NULL, TYPE_REAL, VALUE_NUMBER, "23.40" },
	{ "-0", NULL, TYPE_INT, VALUE_NUMBER, "0" },
	{ "{\"t\": 23.40}", "/t", TYPE_REAL, VALUE_NUMBER, "23.40" },
	{ "{\"t\": 1.10e2}", "/t", TYPE_REAL, VALUE_NUMBER, "110" },
	{ "{\"t\": 0.1000000000000000055}", "/t", TYPE_REAL, VALUE_NUMBER, "0.1000000000000000055" },
	{ "{\"n\": 9223372036854775807}", "/n", TYPE_INT, VALUE_NUMBER, "9223372036854775807" },
	{ "{\"n\": -9223372036854775808}", "/n", TYPE_INT, VALUE_NUMBER, "-9223372036854775808" },
	{ "{\"n\": 9007199254740993}", "/n", TYPE_INT, VALUE_NUMBER, "9007199254740993" },
	{ "{\"n\": 18446744073709551615}", "/n", TYPE_INT, VALUE_NUMBER, "18446744073709551615" },
	{ "{\"n\": \"23.40\"}", "/n", TYPE_REAL, VALUE_NUMBER, "23.40" },
	{ "23.40", "", TYPE_REAL, VALUE_NUMBER, "23.40" },
	{ "[1, [2, 3]]", "/1/0", TYPE_INT, VALUE_NUMBER, "2" },
	{ "true", NULL, TYPE_BOOL, VALUE_BOOL, "true" },
	{ "{\"b\": false}", "/b", TYPE_BOOL, VALUE_BOOL, "false" },
	{ "{\"b\": \"true\"}", "/b", TYPE_BOOL, VALUE_BOOL, "true" },
	{ "hall lamp\n", NULL, TYPE_TEXT, VALUE_TEXT, "hall lamp\n" },
	{ "", NULL, TYPE_TEXT, VALUE_TEXT, "" },
	{ "{\"s\": \"a\\u00e9\\n\\\"\\ud83d\\ude00\"}", "/s", TYPE_TEXT, VALUE_TEXT, "a\xC3\xA9\n\"\xF0\x9F\x98\x80" },
	{ "{\"s\": 1.20}", "/s", TYPE_TEXT, VALUE_TEXT, "1.20" },
	{ "{\"s\": \"\"}", "/s", TYPE_TEXT, VALUE_TEXT, "" },
	{ "2026-11-21T05:16:49+01:00", NULL, TYPE_TIME, VALUE_TIME, "2026-11-21T04:16:49.000Z" },
	{ "{\"at\": \"2026-11-21T04:16:49.123Z\"}", "/at", TYPE_TIME, VALUE_TIME, "2026-11-21T04:16:49.123Z" },
	{ "{\"at\": 1795234609}", "/at", TYPE_TIME, VALUE_NUMBER, "1795234609" },
};

Test(payload, keeps_the_digits_of_the_source)
{
	for (size_t i = 0; i < N(good_rows); i++) {
		const struct good_row *row = &good_rows[i];
		struct value v = { 0 };
		enum trouble why = TROUBLE_NONE;
		struct err e = { "" };
		char room[DECIMAL_ROOM];
		cr_expect_eq(take(row->bytes, strlen(row->bytes), row->path, row->type, &v, &why, &e), PAYLOAD_VALUE,
			     "%s: %s", row->bytes, e.text);
		cr_expect_eq(v.type, row->is, "%s", row->bytes);
		cr_expect_str_eq(value_print(&v, room), row->prints, "%s", row->bytes);
		value_free(&v);
	}
}

static const struct bad_row {
	const char *bytes;
	size_t size; /* 0: that of the text */
	const char *path;
	enum type type;
	enum trouble why;
	const char *sentence;
} bad_rows[] = {
	{ "warm", 0, NULL, TYPE_REAL, TROUBLE_TYPE, "is not a number" },
	{ "0x10", 0, NULL, TYPE_INT, TROUBLE_TYPE, "is not a number" },
	{ "21,5", 0, NULL, TYPE_REAL, TROUBLE_TYPE, "is not a number" },
	{ "21.5 \xC2\xB0"
	  "C",
	  0, NULL, TYPE_REAL, TROUBLE_TYPE, "is not a number" },
	{ "nan", 0, NULL, TYPE_REAL, TROUBLE_TYPE, "is not a number" },
	{ "", 0, NULL, TYPE_REAL, TROUBLE_NO_VALUE, "has no value" },
	{ "", 0, "/t", TYPE_REAL, TROUBLE_NO_VALUE, "has no value" },
	{ " \n", 0, NULL, TYPE_BOOL, TROUBLE_NO_VALUE, "has no value" },
	{ "{\"t\": null}", 0, "/t", TYPE_REAL, TROUBLE_NO_VALUE, "has no value" },
	{ "{\"t\": null}", 0, "/t", TYPE_TEXT, TROUBLE_NO_VALUE, "has no value" },
	{ "{\"t\": \"\"}", 0, "/t", TYPE_REAL, TROUBLE_NO_VALUE, "has no value" },
	{ "{\"t\": true}", 0, "/t", TYPE_REAL, TROUBLE_TYPE, "is not a number" },
	{ "{\"t\": {}}", 0, "/t", TYPE_REAL, TROUBLE_TYPE, "is an object or a list, not a single value" },
	{ "{\"t\": [1]}", 0, "/t", TYPE_TEXT, TROUBLE_TYPE, "is an object or a list, not a single value" },
	{ "ON", 0, NULL, TYPE_BOOL, TROUBLE_TYPE, "is neither 'true' nor 'false'" },
	{ "1", 0, NULL, TYPE_BOOL, TROUBLE_TYPE, "is neither 'true' nor 'false'" },
	{ "yesterday", 0, NULL, TYPE_TIME, TROUBLE_TYPE, "is not a time" },
	{ "caf\xE9", 0, NULL, TYPE_TEXT, TROUBLE_GARBLED, "is not clean UTF-8" },
	{ "21\0", 3, NULL, TYPE_REAL, TROUBLE_GARBLED, "is not clean UTF-8" },
	{ "\x01", 0, NULL, TYPE_TEXT, TROUBLE_GARBLED, "is not clean UTF-8" },
	{ "{\"t\": \"\\u0007\"}", 0, "/t", TYPE_TEXT, TROUBLE_GARBLED, "is a text with forbidden characters" },
	{ "{\"t\": \"\\uffff\"}", 0, "/t", TYPE_TEXT, TROUBLE_GARBLED, "is a text with forbidden characters" },
	/* not JSON at all, each for a reason of its own */
	{ "{\"t\": 21.5", 0, "/t", TYPE_REAL, TROUBLE_GARBLED, NULL },
	{ "{\"t\": 21.5}}", 0, "/t", TYPE_REAL, TROUBLE_GARBLED, NULL },
	{ "{\"t\": 21.5} x", 0, "/t", TYPE_REAL, TROUBLE_GARBLED, NULL },
	{ "{\"t\": 1, \"t\": 2}", 0, "/t", TYPE_REAL, TROUBLE_GARBLED, NULL },
	{ "{\"t\": 01}", 0, "/t", TYPE_REAL, TROUBLE_GARBLED, NULL },
	{ "{\"t\": +1}", 0, "/t", TYPE_REAL, TROUBLE_GARBLED, NULL },
	{ "{\"t\": .5}", 0, "/t", TYPE_REAL, TROUBLE_GARBLED, NULL },
	{ "{\"t\": NaN}", 0, "/t", TYPE_REAL, TROUBLE_GARBLED, NULL },
	{ "{\"t\": 1e999}", 0, "/t", TYPE_REAL, TROUBLE_GARBLED, NULL },
	{ "{'t': 1}", 0, "/t", TYPE_REAL, TROUBLE_GARBLED, NULL },
	{ "{\"t\": 1,}", 0, "/t", TYPE_REAL, TROUBLE_GARBLED, NULL },
	{ "{\"t\": \"\xE9\"}", 0, "/t", TYPE_TEXT, TROUBLE_GARBLED, NULL },
	{ "{\"t\": \"\\u0000\"}", 0, "/t", TYPE_TEXT, TROUBLE_GARBLED, NULL },
	{ "{\"t\": \"\\ud83d\"}", 0, "/t", TYPE_TEXT, TROUBLE_GARBLED, NULL },
	{ "{\"t\": \"\\ud83d\\u0041\"}", 0, "/t", TYPE_TEXT, TROUBLE_GARBLED, NULL },
	{ "{\"t\": 1}\0", 9, "/t", TYPE_REAL, TROUBLE_GARBLED, NULL },
	{ "<xml/>", 0, "/t", TYPE_REAL, TROUBLE_GARBLED, NULL },
};

Test(payload, says_what_is_wrong_and_not_the_value)
{
	for (size_t i = 0; i < N(bad_rows); i++) {
		const struct bad_row *row = &bad_rows[i];
		struct value v = value_integer(7);
		enum trouble why = TROUBLE_NONE;
		struct err e = { "" };
		size_t size = row->size ? row->size : strlen(row->bytes);
		cr_expect_eq(take(row->bytes, size, row->path, row->type, &v, &why, &e), PAYLOAD_BAD, "%s", row->bytes);
		cr_expect_eq(why, row->why, "%s: %s", row->bytes, trouble_word(why));
		cr_expect(strstr(e.text, row->sentence ? row->sentence : "is not JSON (line ") == e.text, "%s: %s",
			  row->bytes, e.text);
		cr_expect(v.type == VALUE_NUMBER && v.number.digits == 7, "ret is untouched on failure");
	}
}

Test(payload, says_nothing_about_a_key_that_is_not_there)
{
	struct value v = { 0 };
	enum trouble why = TROUBLE_NONE;
	struct err e;
	cr_expect_eq(take("{\"humidity\": 40}", 16, "/temperature", TYPE_REAL, &v, &why, &e), PAYLOAD_MISSING);
	cr_expect_eq(take("[]", 2, "/0", TYPE_REAL, &v, &why, &e), PAYLOAD_MISSING);
	cr_expect_eq(take("7", 1, "/t", TYPE_REAL, &v, &why, &e), PAYLOAD_MISSING);
	cr_expect_eq(v.type, VALUE_NONE);
	cr_expect_eq(why, TROUBLE_NONE);
}

Test(payload, knows_the_configured_words_of_a_bool)
{
	struct point p = { .type = TYPE_BOOL };
	struct payload_rule rule = { &p, "/state", "ON", "OFF" };
	static const struct {
		const char *json;
		int is; /* -1: neither */
	} rows[] = { { "{\"state\": \"ON\"}", 1 }, { "{\"state\": \"OFF\"}", 0 }, { "{\"state\": \"on\"}", -1 },
		     { "{\"state\": true}", -1 },  { "{\"state\": \"O\"}", -1 },  { "{\"state\": \"\"}", -1 } };
	for (size_t i = 0; i < N(rows); i++) {
		struct payload payload = payload_of(rows[i].json, strlen(rows[i].json));
		struct value v = { 0 };
		enum trouble why;
		enum payload_result result = payload_take(&payload, &rule, &v, &why, NULL);
		cr_expect_eq(result, rows[i].is < 0 ? PAYLOAD_BAD : PAYLOAD_VALUE, "%s", rows[i].json);
		cr_expect(rows[i].is < 0 || v.yes == rows[i].is, "%s", rows[i].json);
	}
}

Test(payload, knows_the_texts_that_mean_no_value)
{
	struct value nan = value_text("unavailable", 11);
	struct point p = { .type = TYPE_REAL, .nan = &nan, .n_nan = 1 };
	struct payload_rule rule = { &p, NULL, "true", "false" };
	struct payload payload = payload_of("unavailable\n", 12);
	struct value v = { 0 };
	enum trouble why = TROUBLE_NONE;
	cr_expect_eq(payload_take(&payload, &rule, &v, &why, NULL), PAYLOAD_BAD);
	cr_expect_eq(why, TROUBLE_NO_VALUE);
	value_free(&nan);
}

Test(payload, has_a_largest_size)
{
	char *big = mem_new(LIMIT_PAYLOAD + 1);
	memset(big, ' ', LIMIT_PAYLOAD + 1);
	big[0] = '7';
	struct value v = { 0 };
	enum trouble why = TROUBLE_NONE;
	struct err e;
	for (int i = 0; i < 2; i++) {
		const char *path = i ? "" : NULL;
		cr_expect_eq(take(big, LIMIT_PAYLOAD, path, TYPE_REAL, &v, &why, &e), PAYLOAD_VALUE);
		cr_expect_eq(take(big, LIMIT_PAYLOAD + 1, path, TYPE_REAL, &v, &why, &e), PAYLOAD_BAD);
		cr_expect_eq(why, TROUBLE_GARBLED);
		cr_expect_str_eq(e.text, "has 65537 bytes, more than 65536");
	}
	memset(big, 'x', LIMIT_TEXT_VALUE + 1);
	cr_expect_eq(take(big, LIMIT_TEXT_VALUE, NULL, TYPE_TEXT, &v, &why, &e), PAYLOAD_VALUE);
	value_free(&v);
	cr_expect_eq(take(big, LIMIT_TEXT_VALUE + 1, NULL, TYPE_TEXT, &v, &why, &e), PAYLOAD_BAD);
	cr_expect_str_eq(e.text, "is a text of 4097 bytes, more than 4096");
	mem_free(big);
}

static enum payload_result take_deep(char open, char close, size_t depth, const char *path)
{
	char *deep = mem_new(2 * depth + 1);
	memset(deep, open, depth);
	memset(deep + depth, close, depth);
	struct value v = { 0 };
	enum trouble why = TROUBLE_NONE;
	enum payload_result result = take(deep, 2 * depth, path, TYPE_REAL, &v, &why, NULL);
	mem_free(deep);
	return result;
}

Test(payload, survives_deep_nesting)
{
	cr_expect_eq(take_deep('[', ']', 1000, "/0/0/1"), PAYLOAD_MISSING);
	cr_expect_eq(take_deep('[', ']', LIMIT_PAYLOAD / 2, "/0"), PAYLOAD_BAD, "jansson stops at 2048");
	cr_expect_eq(take_deep('[', '[', LIMIT_PAYLOAD / 2, "/0"), PAYLOAD_BAD);
	cr_expect_eq(take_deep('{', '{', LIMIT_PAYLOAD / 2, "/0"), PAYLOAD_BAD);
}

Test(payload, is_parsed_once_for_many_points)
{
	static const char json[] = "{\"a\": 1, \"b\": 2}";
	struct point p = { .type = TYPE_INT };
	struct payload payload = payload_of(json, sizeof(json) - 1);
	struct value v = { 0 };
	enum trouble why;
	cr_expect_eq(payload.checked, 0);
	payload_take(&payload, &(struct payload_rule){ &p, "/a", NULL, NULL }, &v, &why, NULL);
	cr_expect_eq(payload.checked, 1);
	payload.checked = -1; /* were it parsed again, this would not hold */
	cr_expect_eq(payload_take(&payload, &(struct payload_rule){ &p, "/b", NULL, NULL }, &v, &why, NULL),
		     PAYLOAD_BAD);
}

Test(payload, gives_bare_words)
{
	static const struct {
		const char *bytes, *path, *word;
	} rows[] = { { "online\n", NULL, "online" },
		     { "{\"state\": \"offline\"}", "/state", "offline" },
		     { "{\"up\": true}", "/up", "true" },
		     { "{}", "/state", NULL },
		     { "{", "/state", NULL },
		     { "{\"state\": {}}", "/state", NULL },
		     { "\xFF", NULL, NULL } };
	for (size_t i = 0; i < N(rows); i++) {
		struct payload payload = payload_of(rows[i].bytes, strlen(rows[i].bytes));
		struct text word = { 0 };
		bool is_there = payload_word(&payload, rows[i].path, &word);
		cr_expect_eq(is_there, rows[i].word != NULL, "%s", rows[i].bytes);
		cr_expect(!is_there || text_same(word.data, rows[i].word), "%s", rows[i].bytes);
		text_free(&word);
	}
}

static struct value number(const char *text)
{
	struct decimal d = { 0 };
	cr_assert_eq(decimal_parse(text, strlen(text), &d), 0);
	return value_number(d);
}

static void composes(const struct compose_rule *rule, enum type type, struct value raw, const char *expected)
{
	struct text to = { 0 };
	struct err e = { "" };
	cr_expect_eq(compose_check(rule, type, &e), 0, "%s: %s", rule->template, e.text);
	compose_payload(rule, type, &raw, &to);
	cr_expect_str_eq(to.data, expected);
	text_free(&to);
	value_free(&raw);
}

Test(compose, fills_the_template)
{
	static const struct compose_rule raw = { "${raw}", "true", "false" },
					 value = { "{\"v\": ${value}}", "true", "false" },
					 words = { "{\"state\": ${value}}", "ON", "OFF" },
					 bare = { "${raw}", "ON", "OFF" }, digits = { "[${value}]", "1", "00" },
					 mixed = { "SET $${raw}{x} ${value};${raw}", "on", "off" };
	composes(&raw, TYPE_REAL, number("21.50"), "21.50");
	composes(&raw, TYPE_BOOL, value_bool(true), "true");
	composes(&raw, TYPE_TEXT, value_text("say \"hi\"", 8), "say \"hi\"");
	composes(&raw, TYPE_TIME, value_time(0), "1970-01-01T00:00:00.000Z");
	composes(&value, TYPE_REAL, number("-0.50"), "{\"v\": -0.50}");
	composes(&value, TYPE_INT, number("18446744073709551615"), "{\"v\": 18446744073709551615}");
	composes(&value, TYPE_BOOL, value_bool(false), "{\"v\": false}");
	composes(&value, TYPE_TIME, value_time(0), "{\"v\": \"1970-01-01T00:00:00.000Z\"}");
	composes(&value, TYPE_TEXT, value_text("12", 2), "{\"v\": \"12\"}");
	composes(&value, TYPE_TEXT, value_text("", 0), "{\"v\": \"\"}");
	composes(&words, TYPE_BOOL, value_bool(true), "{\"state\": \"ON\"}");
	composes(&words, TYPE_BOOL, number("0"), "{\"state\": \"OFF\"}");
	composes(&bare, TYPE_BOOL, value_bool(false), "OFF");
	composes(&digits, TYPE_BOOL, value_bool(true), "[1]");
	composes(&digits, TYPE_BOOL, value_bool(false), "[\"00\"]");
	composes(&mixed, TYPE_INT, number("7"), "SET $7{x} 7;7");
}

Test(compose, makes_json_that_a_strict_parser_takes_for_any_clean_text)
{
	static const char clean[] = "\t\r\n\"\\/ ${value} ${raw} } ] \xC3\xA4 \xE2\x80\xA8 \xF0\x9F\x98\x80 \x7F";
	static const struct compose_rule rule = { "{\"name\": ${value}}", "true", "false" };
	struct value v = value_text(clean, sizeof(clean) - 1);
	struct text to = { 0 };
	compose_payload(&rule, TYPE_TEXT, &v, &to);
	json_t *root = json_loadb(to.data, to.size, JSON_REJECT_DUPLICATES, NULL);
	cr_assert(root, "%s", to.data);
	cr_expect_str_eq(json_string_value(json_object_get(root, "name")), clean);
	json_decref(root);
	text_free(&to);
	value_free(&v);
}

Test(compose, refuses_a_template_that_cannot_be_meant)
{
	static const struct {
		const char *template;
		enum type type;
		const char *sentence;
	} rows[] = {
		{ "ON", TYPE_BOOL, "has neither ${value} nor ${raw}: the value would not be in it" },
		{ "", TYPE_BOOL, "has neither ${value} nor ${raw}: the value would not be in it" },
		{ "{\"v\": ${values}}", TYPE_REAL, "'${values}}' is neither ${value} nor ${raw}" },
		{ "${value", TYPE_REAL, "'${value' is neither ${value} nor ${raw}" },
		{ "{\"name\": \"${raw}\"}", TYPE_TEXT,
		  "a text in JSON needs ${value} (with its own quotes) instead of ${raw}" },
	};
	struct err e;
	for (size_t i = 0; i < N(rows); i++) {
		struct compose_rule rule = { rows[i].template, "true", "false" };
		cr_assert_lt(compose_check(&rule, rows[i].type, &e), 0, "%s", rows[i].template);
		cr_expect_str_eq(e.text, rows[i].sentence);
	}
}
