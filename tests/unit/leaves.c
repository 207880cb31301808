#include "bridges/leaves.h"

#include "bridges/cbor.h"
#include "core/base/limits.h"

#include <criterion/criterion.h>

#define N(table) (sizeof(table) / sizeof((table)[0]))

/* "pointer or record:type[ unit]=value;" for each leaf. */
static void tell(const struct leaves *l, struct text *to)
{
	text_add(to, "");
	for (size_t i = 0; i < l->n; i++) {
		const struct leaf *f = &l->list[i];
		text_addf(to, "%s%s:%s%s%s=%s;", f->pointer ? f->pointer : "", f->record ? f->record : "",
			  type_word(f->type), f->unit ? " " : "", f->unit ? f->unit : "", f->seen);
		if (f->on)
			text_addf(to, "%s/%s;", f->on, f->off);
	}
}

static const struct {
	enum leaves_kind kind;
	const char *message, *says;
} good[] = {
	/* the examples of the header */
	{ LEAVES_TEXT, "21.50", ":real=21.50;" },
	{ LEAVES_TEXT, "ON", ":bool=ON;ON/OFF;" },
	{ LEAVES_JSON, "{\"t\": 21.5, \"b\": {\"on\": true}}", "/t:real=21.5;/b/on:bool=true;" },
	{ LEAVES_JSON, "{\"s\": null, \"at\": \"2026-11-26T17:00:00Z\"}", "/at:time=2026-11-26T17:00:00Z;" },
	{ LEAVES_SENML, "[{\"n\": \"t\", \"u\": \"Cel\", \"v\": 23.1}]", "t:real °C=23.1;" },
	{ LEAVES_TEXT, " -3\r\n", ":real=-3;" },
	{ LEAVES_TEXT, "false", ":bool=false;" },
	{ LEAVES_TEXT, "closed", ":bool=closed;open/closed;" },
	{ LEAVES_TEXT, "Nov 26 17:00:00", ":text=Nov 26 17:00:00;" },
	{ LEAVES_TEXT, "2026-11-26T17:00:00Z", ":text=2026-11-26T17:00:00Z;" },
	{ LEAVES_TEXT, "two\nlines", ":text=two?lines;" },
	{ LEAVES_JSON, "21", ":real=21;" },
	{ LEAVES_JSON, "\"ON\"", ":bool=ON;ON/OFF;" },
	{ LEAVES_JSON, "{\"a/b\": {\"m~n\": 1}, \"l\": [1, {\"x\": \"y\"}]}", "/a~1b/m~0n:real=1;/l/0:real=1;/l/1/x:text=y;" },
	{ LEAVES_JSON, "{\"\": 1, \"n\": \"7.25\"}", "/:real=1;/n:real=7.25;" },
	{ LEAVES_JSON, "{\"a\": {\"a\": {\"a\": {\"a\": {\"a\": {\"a\": {\"deep\": 1}}}}}}, \"b\": 1}", NULL },
	{ LEAVES_SENML, "[{\"bn\":\"urn:dev:1:\",\"bt\":1700000000,\"n\":\"v\",\"u\":\"V\",\"v\":230},"
			"{\"n\":\"h\",\"u\":\"%RH\",\"v\":40},{\"n\":\"h\",\"u\":\"%RH\",\"v\":41},{\"n\":\"open\",\"vb\":true},"
			"{\"n\":\"who\",\"vs\":\"me\"},{\"n\":\"sum\",\"s\":5}]",
	  "urn:dev:1:v:real V=230;urn:dev:1:h:real %=40;urn:dev:1:open:bool=true;urn:dev:1:who:text=me;" },
	{ LEAVES_SENML, "[{\"v\":1}]", ":real=1;" },
	{ LEAVES_SENML, "[{\"v\":1,\"u\":\"0123456789012345678901234567890123456789012345678901234567890123x\"}]", ":real=1;" },
};

Test(leaves, are_found_with_place_type_and_unit)
{
	for (size_t i = 0; i < N(good); i++) {
		struct leaves l = { 0 };
		struct text says = { 0 };
		struct err e = { "" };
		int status = leaves_take(good[i].message, strlen(good[i].message), good[i].kind, &l, &e);
		if (!good[i].says) { /* nobody nests values so deep */
			cr_expect_eq(status, -1);
			cr_expect_str_eq(e.text, "is nested too deep");
			continue;
		}
		cr_assert_eq(status, 0, "%s: %s", good[i].message, e.text);
		tell(&l, &says);
		cr_expect_str_eq(says.data, good[i].says);
		cr_expect_not(l.more);
		text_free(&says);
		leaves_free(&l);
	}
}

Test(leaves, have_the_last_part_as_their_name)
{
	static const char json[] = "{\"room\": {\"temp a\": 1}}", pack[] = "[{\"n\":\"urn:dev:ow:1:temp\",\"v\":1}]";
	struct leaves l = { 0 };
	cr_assert_eq(leaves_take(json, sizeof(json) - 1, LEAVES_JSON, &l, NULL), 0);
	cr_expect_str_eq(l.list[0].name, "temp a");
	leaves_free(&l);
	cr_assert_eq(leaves_take(pack, sizeof(pack) - 1, LEAVES_SENML, &l, NULL), 0);
	cr_expect_str_eq(l.list[0].name, "temp");
	leaves_free(&l);
	cr_assert_eq(leaves_take("1", 1, LEAVES_TEXT, &l, NULL), 0);
	cr_expect_null(l.list[0].name);
	leaves_free(&l);
}

static const struct {
	enum leaves_kind kind;
	const char *message, *why;
} bad[] = {
	{ LEAVES_TEXT, "", "has no value in it" },
	{ LEAVES_TEXT, " \n", "has no value in it" },
	{ LEAVES_TEXT, "\xff\xfe", "is no text" },
	{ LEAVES_JSON, "{\"v\": 1", "is not JSON (line 1, column 7)" },
	{ LEAVES_JSON, "{\"v\": null}", "has no value in it" },
	{ LEAVES_JSON, "[]", "has no value in it" },
	{ LEAVES_JSON, "2e-4040", "has no value in it" }, /* no point could take it */
	{ LEAVES_JSON, "{\"s\": \"a\\u007f\"}", "has no value in it" }, /* nor that */
	{ LEAVES_SENML, "{\"v\": 1}", "is no SenML: it is not a list of records" },
	{ LEAVES_SENML, "[{\"v\":1},{\"v\":1,\"x_\":2}]", "is SenML with a label that must be understood, and is not" },
	{ LEAVES_SENML, "[]", "has no value in it" },
};

Test(leaves, are_refused_with_a_reason)
{
	for (size_t i = 0; i < N(bad); i++) {
		struct leaves l = { 0 };
		struct err e = { "" };
		cr_expect_eq(leaves_take(bad[i].message, strlen(bad[i].message), bad[i].kind, &l, &e), -1);
		cr_expect_str_eq(e.text, bad[i].why);
		cr_expect_eq(l.n, 0);
	}
}

Test(leaves, of_a_huge_message_are_bounded)
{
	struct text json = { 0 }, pack = { 0 };
	struct leaves l = { 0 };
	for (int i = 0; i < 5000; i++) {
		text_addf(&json, "%s%d", i ? "," : "[", i);
		text_addf(&pack, "%s{\"n\":\"r%d\",\"v\":1}", i ? "," : "[", i);
		if (pack.size > 60000)
			break;
	}
	text_add(&json, "]");
	text_add(&pack, "]");
	cr_assert_eq(leaves_take(json.data, json.size, LEAVES_JSON, &l, NULL), 0);
	cr_expect_eq(l.n, LIMIT_LEAVES);
	cr_expect(l.more);
	leaves_free(&l);
	cr_assert_eq(leaves_take(pack.data, pack.size, LEAVES_SENML, &l, NULL), 0);
	cr_expect_eq(l.n, LIMIT_LEAVES);
	cr_expect(l.more);
	leaves_free(&l);
	text_free(&json);
	text_free(&pack);
}
