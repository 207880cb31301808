#include "bridges/senml.h"

#include "bridges/cbor.h"

#include <criterion/criterion.h>
#include <string.h>

#define N(table) (sizeof(table) / sizeof((table)[0]))

static const int64_t NOW_MS = 1700000000000;

/* RFC 8428, sections 5.1.1 to 5.1.4. */
static const char one[] = "[{\"n\":\"urn:dev:ow:10e2073a01080063\",\"u\":\"Cel\",\"v\":23.10}]";
static const char two[] = "[{\"bn\":\"urn:dev:ow:10e2073a01080063:\",\"n\":\"voltage\",\"u\":\"V\",\"v\":120.1},"
			  "{\"n\":\"current\",\"u\":\"A\",\"v\":1.2}]";
static const char timed[] = "[{\"bn\":\"urn:dev:ow:10e2073a0108006:\",\"bt\":1.276020076001e+09,\"bu\":\"A\","
			    "\"bver\":5,\"n\":\"voltage\",\"u\":\"V\",\"v\":120.1},"
			    "{\"n\":\"current\",\"t\":-5,\"v\":1.2},{\"n\":\"current\",\"t\":-4,\"v\":1.3},"
			    "{\"n\":\"current\",\"t\":-3,\"v\":1.4},{\"n\":\"current\",\"v\":1.7}]";
static const char types[] = "[{\"bn\":\"urn:dev:ow:10e2073a01080063:\",\"n\":\"temp\",\"u\":\"Cel\",\"v\":23.1},"
			    "{\"n\":\"label\",\"vs\":\"Machine \\\"Room\"},{\"n\":\"open\",\"vb\":false},"
			    "{\"n\":\"nfc-reader\",\"vd\":\"aGkgCg\"}]";

static const struct {
	const char *pack, *name, *value, *unit;
	int64_t utc_ms;
} found[] = {
	{ one, NULL, "23.10", "Cel", NOW_MS },
	{ one, "urn:dev:ow:10e2073a01080063", "23.10", "Cel", NOW_MS },
	{ two, "urn:dev:ow:10e2073a01080063:voltage", "120.1", "V", NOW_MS },
	{ two, "urn:dev:ow:10e2073a01080063:current", "1.2", "A", NOW_MS },
	{ timed, "urn:dev:ow:10e2073a0108006:voltage", "120.1", "V", 1276020076001 },
	{ timed, "urn:dev:ow:10e2073a0108006:current", "1.7", "A", 1276020076001 },
	{ types, "urn:dev:ow:10e2073a01080063:label", "\"Machine \\\"Room\"", "", NOW_MS },
	{ types, "urn:dev:ow:10e2073a01080063:open", "false", "", NOW_MS },
	{ types, "urn:dev:ow:10e2073a01080063:nfc-reader", "\"aGkgCg\"", "", NOW_MS },
	{ "[{\"v\":1}]", NULL, "1", "", NOW_MS },
	{ "[{\"bv\":20,\"v\":0.50}]", NULL, "20.50", "", NOW_MS },
	{ "[{\"bv\":9007199254740993,\"bn\":\"x\"},{\"v\":-1}]", "x", "9007199254740992", "", NOW_MS },
	{ "[{\"bn\":\"a\",\"n\":\"x\",\"v\":1},{\"bn\":\"b\",\"n\":\"x\",\"v\":2}]", "bx", "2", "", NOW_MS },
	{ "[{\"v\":1,\"t\":-60}]", NULL, "1", "", NOW_MS - 60000 },
	{ "[{\"v\":1,\"t\":268435455.5}]", NULL, "1", "", NOW_MS },
	{ "[{\"v\":1,\"t\":268435456}]", NULL, "1", "", 268435456000 },
	{ "[{\"v\":1,\"bt\":1699999999,\"t\":0.25}]", NULL, "1", "", 1699999999250 },
	{ "[{\"v\":1,\"t\":-1},{\"v\":2,\"t\":-9}]", NULL, "1", "", NOW_MS - 1000 },
	{ "[{\"v\":1,\"t\":-1},{\"v\":2,\"t\":3600}]", NULL, "1", "", NOW_MS - 1000 },
	{ "[{\"v\":2,\"t\":3600},{\"v\":1,\"t\":-1}]", NULL, "1", "", NOW_MS - 1000 },
	{ "[{\"v\":2,\"t\":1700000005}]", NULL, "2", "", NOW_MS },
	{ "[{\"n\":\"e\",\"s\":5},{\"n\":\"t\",\"v\":2,\"more\":{\"a\":[1]}}]", NULL, "2", "", NOW_MS },
	{ "[{\"-2\":\"u:\",\"0\":\"t\",\"2\":3}]", "u:t", "3", "", NOW_MS },
};

static void expect(const char *pack, const char *name, const char *value, const char *unit, int64_t utc_ms)
{
	struct senml_record r = { 0 };
	struct err e = { "" };
	cr_expect_eq(senml_find(pack, strlen(pack), name, NOW_MS, &r, &e), 0, "%s: %s", pack, e.text);
	cr_expect_str_eq(r.value.data ? r.value.data : "", value, "%s", pack);
	cr_expect_str_eq(r.unit.data ? r.unit.data : "", unit, "%s", pack);
	cr_expect_eq(r.utc_ms, utc_ms, "%s: %lld", pack, (long long)r.utc_ms);
	senml_free(&r);
}

Test(senml, resolves_names_times_units_and_values)
{
	for (size_t i = 0; i < N(found); i++)
		expect(found[i].pack, found[i].name, found[i].value, found[i].unit, found[i].utc_ms);
}

/* RFC 8428, section 6. */
static const char in_cbor[] =
	"\x87\xa7\x21\x78\x1burn:dev:ow:10e2073a0108006:\x22\xfb\x41\xd3\x03\xa1\x5b\x00\x10\x62\x23\x61"
	"A\x20\x05\x00\x67voltage\x01\x61V\x02\xfb\x40\x5e\x06\x66\x66\x66\x66\x66"
	"\xa3\x00\x67"
	"current\x06\x24\x02\xfb\x3f\xf3\x33\x33\x33\x33\x33\x33"
	"\xa3\x00\x67"
	"current\x06\x23\x02\xfb\x3f\xf4\xcc\xcc\xcc\xcc\xcc\xcd"
	"\xa3\x00\x67"
	"current\x06\x22\x02\xfb\x3f\xf6\x66\x66\x66\x66\x66\x66"
	"\xa3\x00\x67"
	"current\x06\x21\x02\xf9\x3e\x00"
	"\xa3\x00\x67"
	"current\x06\x20\x02\xfb\x3f\xf9\x99\x99\x99\x99\x99\x9a"
	"\xa3\x00\x67"
	"current\x06\x00\x02\xfb\x3f\xfb\x33\x33\x33\x33\x33\x33";

Test(senml, reads_the_example_in_cbor)
{
	struct text json = { 0 };
	struct err e = { "" };
	cr_assert_eq(cbor_to_json(in_cbor, sizeof(in_cbor) - 1, &json, &e), 0, "%s", e.text);
	expect(json.data, "urn:dev:ow:10e2073a0108006:voltage", "120.1", "V", 1276020076001);
	expect(json.data, "urn:dev:ow:10e2073a0108006:current", "1.7", "A", 1276020076001);
	text_free(&json);
}

static const struct {
	const char *pack, *name, *sentence;
	int status;
} refused[] = {
	{ "{\"n\":\"x\",\"v\":1}", NULL, "is no SenML: it is not a list of records", -1 },
	{ "", NULL, "is no SenML: it is not a list of records", -1 },
	{ "[1]", NULL, "is no SenML: a record is not an object", -1 },
	{ "[{\"v\":\"1\"}]", NULL, "is no SenML: 'v' is of another type", -1 },
	{ "[{\"v\":true}]", NULL, "is no SenML: 'v' is of another type", -1 },
	{ "[{\"v\":null}]", NULL, "is no SenML: 'v' is of another type", -1 },
	{ "[{\"vb\":1}]", NULL, "is no SenML: 'vb' is of another type", -1 },
	{ "[{\"n\":7,\"v\":1}]", NULL, "is no SenML: 'n' is of another type", -1 },
	{ "[{\"v\":1,\"2\":2}]", NULL, "is no SenML: 'v' is there twice", -1 },
	{ "[{\"v\":1,\"vs\":\"x\"}]", NULL, "is no SenML: a record has two values", -1 },
	{ "[{\"bver\":11,\"v\":1}]", NULL, "is SenML of a newer version", -1 },
	{ "[{\"v\":1,\"zone_\":1}]", NULL, "is SenML with a label that must be understood, and is not", -1 },
	{ "[{\"v\":1,\"t\":1e300}]", NULL, "is SenML with an impossible time", -1 },
	{ "[{\"v\":1,\"t\":-1e300}]", NULL, "is SenML with an impossible time", -1 },
	{ "[{\"v\":1,\"t\":-200000000000}]", NULL, "is SenML with an impossible time", -1 },
	{ "[{\"n\":\"a\",\"v\":1},{\"n\":\"b\",\"v\":2}]", NULL,
	  "is SenML with values of several names; say with record = \"...\" which one", -1 },
	{ "[]", NULL, "has no SenML record with a value", 1 },
	{ "[{\"n\":\"a\",\"bv\":5}]", "a", "has no SenML record named a with a value", 1 },
	{ "[{\"n\":\"a\",\"s\":5}]", "a", "has no SenML record named a with a value", 1 },
	{ "[{\"n\":\"ab\",\"v\":5}]", "a", "has no SenML record named a with a value", 1 },
};

Test(senml, refuses_what_it_must_not_read)
{
	for (size_t i = 0; i < N(refused); i++) {
		struct senml_record r = { 0 };
		struct err e = { "" };
		cr_expect_eq(senml_find(refused[i].pack, strlen(refused[i].pack), refused[i].name, NOW_MS, &r, &e),
			     refused[i].status, "%s", refused[i].pack);
		cr_expect_str_eq(e.text, refused[i].sentence, "%s", refused[i].pack);
		cr_expect_null(r.value.data);
	}
}
