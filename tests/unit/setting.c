#include "core/conf/setting.h"
#include "core/base/mem.h"
#include "core/model/names.h"
#include "core/model/point.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct inner {
	char *topic;
	int64_t n;
};

struct all {
	char *text;
	bool yes, visible_not, n_given, group_given;
	int64_t n, gap, wait, size;
	int few;
	struct decimal factor;
	enum access access;
	char *password, *password_file;
	struct names names;
	struct inner inner;
	struct inner *list;
	size_t n_list;
	struct value *nan;
	size_t n_nan;
};

#define AT(member) .offset = offsetof(struct all, member)

static const char *const autos[] = { "auto", "never", NULL };
static const char *const accesses[] = { "r", "w", "rw", NULL };
static const struct setting inner_rows[] = {
	{ "topic", SETTING_TEXT, .offset = offsetof(struct inner, topic), .fallback = "~" },
	{ "n", SETTING_INT, .offset = offsetof(struct inner, n), .fallback = "7" },
	{ 0 },
};
static const struct setting rows[] = {
	{ "text", SETTING_TEXT, AT(text), .min = 1, .max = 8 },
	{ "yes", SETTING_BOOL, AT(yes), .fallback = "true" },
	{ "visible", SETTING_BOOL, AT(visible_not), .fallback = "true", .flags = SETTING_NOT },
	{ "n", SETTING_INT, AT(n), .min = 1, .max = 65535, .flags = SETTING_GIVEN,
	  .given = offsetof(struct all, n_given) },
	{ "gap", SETTING_INT, AT(gap), .fallback = "auto", .max = 125, .words = autos },
	{ "wait", SETTING_DURATION, AT(wait), .fallback = "90s" },
	{ "size", SETTING_SIZE, AT(size), .fallback = "64KiB", .min = 1, .max = 1 << 20 },
	{ "few", SETTING_INT32, AT(few), .fallback = "-1", .min = -1, .max = 18 },
	{ "factor", SETTING_DECIMAL, AT(factor), .fallback = "0.10" },
	{ "access", SETTING_WORD, AT(access), .fallback = "r", .words = accesses, .min = ACCESS_READ },
	{ "password", SETTING_SECRET, AT(password), .file = offsetof(struct all, password_file) },
	{ "name", SETTING_NAMES, AT(names) },
	{ "inner", SETTING_GROUP, AT(inner), .rows = inner_rows },
	{ "list", SETTING_LIST, AT(list), .rows = inner_rows, .size = sizeof(struct inner) },
	{ "nan", SETTING_VALUES, AT(nan) },
	{ 0 },
};

Test(setting, gives_every_default_and_frees_all)
{
	struct all *a = setting_new(rows, sizeof(*a));
	cr_assert_null(a->text);
	cr_assert(a->yes);
	cr_assert_not(a->visible_not, "visible = true is kept as its opposite");
	cr_assert_eq(a->gap, -1, "auto");
	cr_assert_eq(a->wait, 90000);
	cr_assert_eq(a->size, 65536);
	cr_assert_eq(a->few, -1);
	cr_assert_eq(decimal_compare(a->factor, (struct decimal){ 1, -1, false }), 0);
	cr_assert_eq(a->access, ACCESS_READ);
	cr_assert_str_eq(a->inner.topic, "~");
	cr_assert_eq(a->inner.n, 7);
	setting_drop(a);
	setting_drop(NULL);
	cr_assert_null(setting_new(rows, 0));
}

static const struct setting *row_of(const char *key)
{
	const struct setting *row = setting_find(rows, key);
	cr_assert_not_null(row, "%s", key);
	return row;
}

struct refusal {
	char key[16], text[32], why[120];
};

ParameterizedTestParameters(setting, refuses_with_a_sentence)
{
	static struct refusal refusals[] = {
		{ "text", "123456789", "the text has 9 bytes; 1 to 8 are allowed" },
		{ "text", "", "the text is empty" },
		{ "text", "a\x01", "the text has control characters or is not UTF-8" },
		{ "text", "\xC3", "the text has control characters or is not UTF-8" },
		{ "yes", "ja", "'ja' is neither true nor false" },
		{ "n", "70000", "70000 is not in 1..65535" },
		{ "n", "0", "0 is not in 1..65535" },
		{ "n", "12x", "'12x' is not a whole number" },
		{ "n", "", "'' is not a whole number" },
		{ "n", "99999999999999999999", "'99999999999999999999' is not a whole number" },
		{ "gap", "126", "126 is not in 0..125" },
		{ "gap", "-1", "-1 is not in 0..125" },
		{ "gap", "audo", "'audo' is not a whole number or auto" },
		{ "few", "19", "19 is not in -1..18" },
		{ "wait", "5", "'5' is no duration - a number and ms, s, m, h or d, as \"5s\"" },
		{ "wait", "5 s", "'5 s' is no duration - a number and ms, s, m, h or d, as \"5s\"" },
		{ "wait", "-1s", "'-1s' is no duration - a number and ms, s, m, h or d, as \"5s\"" },
		{ "wait", "0.1ms", "'0.1ms' is no duration - a number and ms, s, m, h or d, as \"5s\"" },
		{ "wait", "1h30m", "'1h30m' is no duration - a number and ms, s, m, h or d, as \"5s\"" },
		{ "wait", "99999999999999d",
		  "'99999999999999d' is no duration - a number and ms, s, m, h or d, as \"5s\"" },
		{ "size", "2MiB", "'2MiB' is not in 1B..1MiB" },
		{ "size", "64KB", "'64KB' is no size - a number and B, KiB, MiB or GiB, as \"64KiB\"" },
		{ "factor", "1,5", "'1,5' is not a number" },
		{ "access", "wr", "must be r, w or rw, not 'wr'" },
		{ "access", "RW", "must be r, w or rw, not 'RW' - did you mean 'rw'?" },
	};
	return cr_make_param_array(struct refusal, refusals, sizeof(refusals) / sizeof(*refusals));
}

ParameterizedTest(struct refusal *r, setting, refuses_with_a_sentence)
{
	struct all *a = setting_new(rows, sizeof(*a));
	struct all before;
	struct err e;
	memcpy(&before, a, sizeof(before));
	cr_assert_eq(setting_parse(row_of(r->key), r->text, a, &e), -1, "%s = %s", r->key, r->text);
	cr_assert_str_eq(e.text, r->why);
	cr_assert_eq(memcmp(&before, a, sizeof(before)), 0, "%s = %s touched the struct", r->key, r->text);
	setting_drop(a);
}

struct shown {
	char key[16], text[32], printed[40];
};

ParameterizedTestParameters(setting, prints_what_it_parsed)
{
	static struct shown shown[] = {
		{ "text", "a\"\\\n\t", "\"a\\\"\\\\\\n\\t\"" },
		{ "text",
		  "\xC2\xB0"
		  "C",
		  "\"\xC2\xB0"
		  "C\"" },
		{ "yes", "false", "false" },
		{ "yes", "TRUE", "true" },
		{ "visible", "false", "false" },
		{ "gap", "never", "\"never\"" },
		{ "gap", "0", "0" },
		{ "wait", "500ms", "\"500ms\"" },
		{ "wait", "5s", "\"5s\"" },
		{ "wait", "1.5s", "\"1500ms\"" },
		{ "wait", "25h", "\"25h\"" },
		{ "wait", "7d", "\"7d\"" },
		{ "wait", "0s", "\"0s\"" },
		{ "wait", "0d", "\"0s\"" },
		{ "size", "1MiB", "\"1MiB\"" },
		{ "size", "500B", "\"500B\"" },
		{ "size", "1.5KiB", "\"1536B\"" },
		{ "factor", "0.1", "0.1" },
		{ "factor", "23.40", "\"23.40\"" },
		{ "factor", "-5", "-5" },
		{ "factor", "4294967296", "4294967296L" },
		{ "factor", "18446744073709551615", "\"18446744073709551615\"" },
		{ "factor", "0.1234567890123456789", "\"0.1234567890123456789\"" },
		{ "access", "rw", "\"rw\"" },
		{ "password", "geheim", "\"***\"" },
	};
	return cr_make_param_array(struct shown, shown, sizeof(shown) / sizeof(*shown));
}

ParameterizedTest(struct shown *s, setting, prints_what_it_parsed)
{
	struct all *a = setting_new(rows, sizeof(*a));
	struct text printed = { 0 };
	struct err e = { "" };
	cr_assert_eq(setting_parse(row_of(s->key), s->text, a, &e), 0, "%s", e.text);
	cr_assert(setting_print(row_of(s->key), a, &printed));
	cr_assert_str_eq(printed.data, s->printed);
	text_free(&printed);
	setting_drop(a);
}

Test(setting, prints_nothing_for_what_is_not_set)
{
	struct all *a = setting_new(rows, sizeof(*a));
	struct text printed = { 0 };
	const char *const unset[] = { "text", "n", "password", "name", "nan" };
	for (size_t i = 0; i < sizeof(unset) / sizeof(*unset); i++)
		cr_expect_not(setting_print(row_of(unset[i]), a, &printed), "%s", unset[i]);
	a->wait = -1;
	cr_expect_not(setting_print(row_of("wait"), a, &printed), "a duration below 0 is not set");
	cr_assert_eq(printed.size, 0);
	a->n_given = true;
	cr_assert(setting_print(row_of("n"), a, &printed));
	cr_assert_str_eq(printed.data, "0");
	text_free(&printed);
	setting_drop(a);
}

Test(setting, prints_names_and_values)
{
	struct all *a = setting_new(rows, sizeof(*a));
	struct text printed = { 0 };
	names_add(&a->names, "en", "Cellar");
	names_add(&a->names, "de", "Keller");
	cr_assert(setting_print(row_of("name"), a, &printed));
	a->nan = mem_array(3, sizeof(struct value));
	a->n_nan = 3;
	a->nan[0] = value_integer(65535);
	a->nan[1] = value_text("n/a", 3);
	a->nan[2] = value_bool(true);
	cr_assert(setting_print(row_of("nan"), a, &printed));
	cr_assert_str_eq(printed.data, "{ en = \"Cellar\"; de = \"Keller\"; }( 65535, \"n/a\", true )");
	text_free(&printed);
	setting_drop(a);
}

Test(setting, finds_the_word_that_was_meant)
{
	cr_assert_str_eq(setting_nearest(rows, "pasword"), "password");
	cr_assert_str_eq(setting_nearest(rows, "Acces"), "access");
	cr_assert_str_eq(setting_nearest(rows, "FACTOR"), "factor");
	cr_assert_null(setting_nearest(rows, "temperature"));
	cr_assert_null(setting_nearest(rows, "z"));
	cr_assert_null(setting_nearest(NULL, "text"));
}
