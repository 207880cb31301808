#include "tests/bridges/coap_field.h"

#include <criterion/criterion.h>
#include <string.h>

Test(coap_read, gets_a_text)
{
	struct coap_field f = coap_field_new("");
	struct point *p = coap_field_point(&f, TYPE_INT, "path=/t");
	coapd_add(f.d, "/t", false)->counter = 7;
	char shown[DECIMAL_ROOM];
	rig_start(f.rig);
	cr_assert_eq(f.rig->n_up, 1, "the bus is up without any device");
	cr_assert_eq(rig_read(f.rig, p, shown), REQUEST_DONE);
	cr_assert_str_eq(shown, "1000007");
	cr_assert_eq(f.d->token_size, 8);
	cr_assert(!f.d->had_host, "an address needs no Uri-Host");
	cr_assert_eq(f.d->accept, -1);
	coap_field_free(&f);
}

Test(coap_read, gets_members_of_one_document_with_one_message)
{
	struct coap_field f = coap_field_new("");
	struct point *v = coap_field_point(&f, TYPE_INT, "path=/env; pointer=/v");
	struct point *r = rig_point(f.rig, f.device, "r", TYPE_INT, "path=/env; pointer=/r");
	struct coapd_resource *res = coapd_add(f.d, "/env", true);
	f.rig->on_sample = NULL;
	v->poll_ms = r->poll_ms = 3600000;
	rig_start(f.rig);
	RIG_UNTIL(f.rig, v->last.quality == QUALITY_GOOD && r->last.quality == QUALITY_GOOD);
	cr_assert_eq(v->last.value.number.digits, 1000000);
	cr_assert_eq(r->last.value.number.digits, 1);
	cr_assert_eq(res->n_gets, 1);
	coap_field_free(&f);
}

Test(coap_read, finds_a_name_without_blocking_and_sends_it)
{
	struct coap_field f = coap_field_new("");
	char uri[64];
	snprintf(uri, sizeof(uri), "uri=coap://localhost:%d", f.d->port);
	struct point *p = rig_point(f.rig, rig_device(f.rig, "named", uri), "p", TYPE_INT, "path=/t");
	p->poll_ms = 0;
	coapd_add(f.d, "/t", false);
	rig_start(f.rig);
	int status = rig_read(f.rig, p, NULL);
	if (status != REQUEST_DONE)
		cr_skip_test("localhost is not 127.0.0.1 here");
	cr_assert(f.d->had_host);
	coap_field_free(&f);
}

Test(coap_read, a_name_that_nobody_knows_is_away)
{
	struct coap_field f = coap_field_new("");
	struct device *d = rig_device(f.rig, "lost", "uri=coap://nobody.invalid");
	struct point *p = rig_point(f.rig, d, "p", TYPE_INT, "path=/t");
	p->poll_ms = 0;
	p->write_deadline_ms = 30000;
	rig_start(f.rig);
	struct rig_ask a = { 0 };
	rig_ask_read(f.rig, &a, p, 30000);
	RIG_UNTIL(f.rig, a.n_done);
	cr_assert_eq(a.status, REQUEST_AWAY);
	cr_assert(strstr(a.why.text, "nobody.invalid"), "%s", a.why.text);
	cr_assert_eq(p->last.trouble, TROUBLE_AWAY);
	cr_assert_eq(f.rig->n_away, 0, "it is not the bus that is away");
	coap_field_free(&f);
}

static const struct {
	const char *name, *options, *body;
	int format; /* of the answer + 1 */
	enum type type;
	int status;
	enum quality quality;
	const char *shown;
} bodies[] = {
	{ "digits stay", "path=/t", "23.40", 0, TYPE_REAL, REQUEST_DONE, QUALITY_GOOD, "23.40" },
	{ "text of JSON", "path=/t", "\"ON\"", 51, TYPE_TEXT, REQUEST_DONE, QUALITY_GOOD, "ON" },
	{ "text of text", "path=/t", "\"ON\"", 0, TYPE_TEXT, REQUEST_DONE, QUALITY_GOOD, "\"ON\"" },
	{ "words", "path=/t; on=AN; off=AUS", "AUS", 0, TYPE_BOOL, REQUEST_DONE, QUALITY_GOOD, "false" },
	{ "words of JSON", "path=/t; on=1; off=0", "1", 51, TYPE_BOOL, REQUEST_DONE, QUALITY_GOOD, "true" },
	{ "json by configuration", "path=/t; format=json", "\"x\"", 1, TYPE_TEXT, REQUEST_DONE, QUALITY_GOOD, "x" },
	{ "octets", "path=/t", "5", 43, TYPE_INT, REQUEST_DONE, QUALITY_GOOD, "5" },
	{ "empty", "path=/t", "", 0, TYPE_INT, REQUEST_DONE, QUALITY_BAD, "" },
	{ "null", "path=/t", "null", 51, TYPE_INT, REQUEST_DONE, QUALITY_BAD, "" },
	{ "not a number", "path=/t", "warm", 0, TYPE_INT, REQUEST_DONE, QUALITY_BAD, "" },
	{ "not JSON", "path=/t; pointer=/v", "{\"v\": 1", 51, TYPE_INT, REQUEST_GARBLED, QUALITY_BAD, "" },
	{ "other member", "path=/t; pointer=/v", "{\"w\": 1}", 51, TYPE_INT, REQUEST_GARBLED, QUALITY_BAD, "" },
	{ "CBOR", "path=/t", "\x18\x2a", 61, TYPE_INT, REQUEST_DONE, QUALITY_GOOD, "42" },
	{ "text of CBOR", "path=/t", "\x62ON", 61, TYPE_TEXT, REQUEST_DONE, QUALITY_GOOD, "ON" },
	{ "bool of CBOR", "path=/t", "\xf5", 61, TYPE_BOOL, REQUEST_DONE, QUALITY_GOOD, "true" },
	{ "member of CBOR", "path=/t; pointer=/v", "\xa1\x61v\xfa\x41\xbb\x33\x33", 61, TYPE_REAL, REQUEST_DONE,
	  QUALITY_GOOD, "23.4" },
	{ "CBOR by configuration", "path=/t; format=cbor", "\x18\x2a", 43, TYPE_INT, REQUEST_DONE, QUALITY_GOOD, "42" },
	{ "text is not CBOR", "path=/t; format=cbor", "5", 1, TYPE_INT, REQUEST_GARBLED, QUALITY_BAD, "" },
	{ "CBOR is not text", "path=/t; format=text", "5", 61, TYPE_INT, REQUEST_GARBLED, QUALITY_BAD, "" },
	{ "NaN of CBOR", "path=/t", "\xf9\x7e\x01", 61, TYPE_REAL, REQUEST_DONE, QUALITY_BAD, "" },
	{ "map of CBOR", "path=/t", "\xa1\x61v\x05", 61, TYPE_INT, REQUEST_DONE, QUALITY_BAD, "" },
	{ "big number of CBOR", "path=/t", "\xc2\x41\x05", 61, TYPE_TEXT, REQUEST_DONE, QUALITY_BAD, "" },
	{ "six bytes", "path=/t", "\x9a\x10\x01\x01\x01\x01", 61, TYPE_INT, REQUEST_GARBLED, QUALITY_BAD, "" },
	{ "keys twice", "path=/t; pointer=/v", "\xa2\x61v\x05\x61v\x06", 61, TYPE_INT, REQUEST_GARBLED, QUALITY_BAD,
	  "" },
	{ "SenML", "path=/t", "[{\"n\":\"t\",\"v\":21.50}]", 111, TYPE_REAL, REQUEST_DONE, QUALITY_GOOD, "21.50" },
	{ "record", "path=/t; record=d:h", "[{\"bn\":\"d:\",\"n\":\"t\",\"v\":1},{\"n\":\"h\",\"v\":2}]", 51, TYPE_INT,
	  REQUEST_DONE, QUALITY_GOOD, "2" },
	{ "no such record", "path=/t; record=x", "[{\"n\":\"t\",\"v\":1}]", 111, TYPE_INT, REQUEST_GARBLED, QUALITY_BAD,
	  "" },
	{ "which record", "path=/t", "[{\"n\":\"t\",\"v\":1},{\"n\":\"h\",\"v\":2}]", 111, TYPE_INT, REQUEST_GARBLED,
	  QUALITY_BAD, "" },
	{ "SenML by configuration", "path=/t; format=senml+json", "[{\"vb\":true}]", 0, TYPE_BOOL, REQUEST_DONE,
	  QUALITY_GOOD, "true" },
	{ "SenML data", "path=/t", "[{\"vd\":\"aGkgCg\"}]", 111, TYPE_TEXT, REQUEST_DONE, QUALITY_GOOD, "aGkgCg" },
	{ "SenML of another type", "path=/t", "[{\"vs\":\"x\"}]", 111, TYPE_INT, REQUEST_DONE, QUALITY_BAD, "" },
	{ "half SenML", "path=/t", "[{\"v\":2}", 111, TYPE_INT, REQUEST_GARBLED, QUALITY_BAD, "" },
	{ "SenML in CBOR", "path=/t", "\x81\xa1\x02\x18\x2a", 113, TYPE_INT, REQUEST_DONE, QUALITY_GOOD, "42" },
	{ "unknown format", "path=/t", "1", 62, TYPE_INT, REQUEST_GARBLED, QUALITY_BAD, "" },
	{ "bad UTF-8", "path=/t", "\xff\xfe", 1, TYPE_TEXT, REQUEST_GARBLED, QUALITY_BAD, "" },
};

Test(coap_read, takes_what_was_configured_and_nothing_else)
{
	struct coap_field f = coap_field_new("");
	struct point *p[sizeof(bodies) / sizeof(bodies[0])];
	coapd_add(f.d, "/t", false);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		p[i] = coap_field_point(&f, bodies[i].type, bodies[i].options);
	rig_start(f.rig);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct rig_ask a = { 0 };
		char room[DECIMAL_ROOM];
		f.d->faults.body = bodies[i].body;
		f.d->faults.format = bodies[i].format;
		rig_ask_read(f.rig, &a, p[i], 5000);
		RIG_UNTIL(f.rig, a.n_done);
		cr_expect_eq(a.status, bodies[i].status, "%s: %s", bodies[i].name, a.why.text);
		cr_expect_eq(p[i]->last.quality, bodies[i].quality, "%s", bodies[i].name);
		cr_expect_str_eq(value_print(&p[i]->last.value, room), bodies[i].shown, "%s", bodies[i].name);
		cr_expect(bodies[i].quality == QUALITY_GOOD || a.why.text[0], "%s: no reason given", bodies[i].name);
		rig_ask_free(&a);
	}
	coap_field_free(&f);
}

Test(coap_read, a_record_of_senml_brings_its_own_time)
{
	static const char pack[] = "\x82\xa3\x00\x61t\x02\x15\x22\x1a\x65\x53\xf1\x00\xa3\x00\x61h\x02\x18\x32\x06\x09";
	struct coap_field f = coap_field_new("");
	struct point *p = coap_field_point(&f, TYPE_INT, "path=/t; format=senml+cbor; record=h");
	struct point *old = coap_field_point(&f, TYPE_INT, "path=/t; format=senml+cbor; record=h");
	old->stale_ms = 60000;
	char shown[DECIMAL_ROOM];
	coapd_add(f.d, "/t", false);
	f.d->faults.body = pack;
	f.d->faults.body_size = sizeof(pack) - 1;
	f.d->faults.format = 113;
	rig_start(f.rig);
	cr_assert_eq(rig_read(f.rig, p, shown), REQUEST_DONE);
	cr_assert_str_eq(shown, "50");
	cr_assert_eq(f.d->accept, 112);
	int64_t said_ms = 1700000009000, now_ms = loop_utc(f.rig->loop);
	cr_assert_gt(now_ms, said_ms + 60000);
	cr_assert_eq(p->last.utc_ms, said_ms);
	cr_assert_eq(p->last.quality, QUALITY_GOOD);
	cr_assert_eq(rig_read(f.rig, old, NULL), REQUEST_DONE);
	cr_assert_eq(old->last.quality, QUALITY_OLD, "it was measured years ago: %d", old->last.quality);
	coap_field_free(&f);
}

Test(coap_read, asks_for_the_format_it_was_told)
{
	struct coap_field f = coap_field_new("");
	struct point *t = coap_field_point(&f, TYPE_INT, "path=/t; format=text");
	struct point *j = coap_field_point(&f, TYPE_INT, "path=/t; format=json");
	coapd_add(f.d, "/t", false);
	rig_start(f.rig);
	cr_assert_eq(rig_read(f.rig, t, NULL), REQUEST_DONE);
	cr_assert_eq(f.d->accept, 0);
	cr_assert_eq(rig_read(f.rig, j, NULL), REQUEST_DONE);
	cr_assert_eq(f.d->accept, 50);
	coap_field_free(&f);
}

static const struct {
	int code;
	int status;
	const char *words;
} codes[] = {
	{ 404, REQUEST_REFUSED, "4.04 Not Found (\"words of the device\")" },
	{ 401, REQUEST_REFUSED, "4.01 Unauthorized" },
	{ 431, REQUEST_REFUSED, "4.31 (" },
	{ 500, REQUEST_REFUSED, "5.00 Internal Server Error" },
	{ 503, REQUEST_REFUSED, "5.03 Service Unavailable" },
	{ 204, REQUEST_GARBLED, "2.04, which is no answer to a read" },
	{ 203, REQUEST_GARBLED, "2.03, which is no answer to a read" },
	{ 300, REQUEST_GARBLED, "3.00" },
};

Test(coap_read, says_the_code_of_a_refusal)
{
	struct coap_field f = coap_field_new("");
	struct point *p = coap_field_point(&f, TYPE_INT, "path=/t");
	rig_start(f.rig);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct rig_ask a = { 0 };
		f.d->faults.code = codes[i].code;
		rig_ask_read(f.rig, &a, p, 5000);
		RIG_UNTIL(f.rig, a.n_done);
		cr_expect_eq(a.status, codes[i].status, "%d", codes[i].code);
		cr_expect(strstr(a.why.text, codes[i].words), "%s", a.why.text);
		cr_expect_eq(p->last.quality, QUALITY_BAD);
	}
	coap_field_free(&f);
}

static const struct {
	enum type type;
	enum access access;
	enum confirm confirm;
	const char *options, *sentence;
} refusals[] = {
	{ TYPE_INT, ACCESS_READ, CONFIRM_NONE, "path=t", "path: must begin with '/'" },
	{ TYPE_INT, ACCESS_READ, CONFIRM_NONE, "path=/t; pointer=v",
	  "pointer: JSON Pointer 'v' does not begin with '/'; write '/v'" },
	{ TYPE_INT, ACCESS_READ, CONFIRM_NONE, "path=/t; pointer=/v; format=text",
	  "pointer: needs format = \"json\", there is nothing to point at in a text" },
	{ TYPE_INT, ACCESS_READ, CONFIRM_NONE, "path=/t; pointer=/v; record=v",
	  "pointer: SenML has records; say record" },
	{ TYPE_INT, ACCESS_READ, CONFIRM_NONE, "path=/t; record=v; format=cbor",
	  "record: needs format = \"senml+json\" or \"senml+cbor\"" },
	{ TYPE_INT, ACCESS_BOTH, CONFIRM_NONE, "path=/t; format=cbor",
	  "write.payload: is missing; CBOR and SenML are only read, say what text or JSON is written" },
	{ TYPE_INT, ACCESS_READ, CONFIRM_NONE, "path=/t; refresh=15m",
	  "refresh: only with observe = true; without, say poll" },
	{ TYPE_INT, ACCESS_WRITE, CONFIRM_NONE, "path=/t; observe=true", "observe: the point is write-only" },
	{ TYPE_BOOL, ACCESS_READ, CONFIRM_NONE, "path=/t; on=x; off=x", "on: is the same as off" },
	{ TYPE_INT, ACCESS_READ, CONFIRM_NONE, "path=/t; write.method=post", "write: the point is read-only" },
	{ TYPE_INT, ACCESS_BOTH, CONFIRM_STATE, "path=/t",
	  "write.confirm: \"state\" needs observe = true; without, say \"readback\"" },
	{ TYPE_INT, ACCESS_WRITE, CONFIRM_READBACK, "path=/t", "write.confirm: the point is write-only" },
	{ TYPE_INT, ACCESS_BOTH, CONFIRM_NONE, "path=/t; pointer=/v",
	  "write.payload: is missing; with pointer \"/v\" perhaps \"{\\\"v\\\": ${value}}\"" },
	{ TYPE_INT, ACCESS_BOTH, CONFIRM_NONE, "path=/t; write.payload=5",
	  "write.payload: has neither ${value} nor ${raw}: the value would not be in it" },
};

extern const struct bridge_driver driver_coap;

Test(coap_read, refuses_in_check_what_cannot_work)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct rig *rig = rig_new(&driver_coap, "");
		struct device *d = rig_device(rig, "dev", "uri=coap://127.0.0.1");
		struct point *p = rig_point(rig, d, "p", refusals[i].type, refusals[i].options);
		struct err e = { "" };
		p->access = refusals[i].access;
		p->confirm = refusals[i].confirm;
		cr_expect_eq(rig_check(rig, &e), -1, "%s", refusals[i].options);
		cr_expect_str_eq(e.text, refusals[i].sentence);
		rig_free(rig);
	}
}
