#include "tests/bridges/coap_field.h"

#include <criterion/criterion.h>
#include <string.h>

static struct point *writable(struct coap_field *f, enum type type, const char *options, enum confirm confirm)
{
	struct point *p = coap_field_point(f, type, options);
	p->access = ACCESS_BOTH;
	p->confirm = confirm;
	return p;
}

static const struct {
	enum type type;
	const char *options, *shown, *body;
	bool post;
	int format;
} writes[] = {
	{ TYPE_REAL, "path=/s", "21.50", "21.50", false, 0 },
	{ TYPE_BOOL, "path=/s; on=1; off=0", "on", "1", false, 0 },
	{ TYPE_TEXT, "path=/s; format=json", "say \"hi\"", "\"say \\\"hi\\\"\"", false, 50 },
	{ TYPE_REAL, "path=/s; pointer=/v; write.payload={\"v\": ${value}}; write.method=post", "5", "{\"v\": 5}", true,
	  50 },
	{ TYPE_REAL, "path=/s; write.payload=SET ${raw}", "5", "SET 5", false, 0 },
};

Test(coap_write, sends_the_value_as_configured)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/s", false);
	struct point *p[sizeof(writes) / sizeof(writes[0])];
	for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		p[i] = writable(&f, writes[i].type, writes[i].options, CONFIRM_NONE);
	rig_start(f.rig);
	for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
		cr_assert_eq(rig_write(f.rig, p[i], writes[i].shown), REQUEST_DONE);
		cr_expect_str_eq(r->written, writes[i].body);
		cr_expect_eq(r->last_was_post, writes[i].post);
		cr_expect_eq(r->last_format, writes[i].format);
		cr_expect_eq(r->n_writes, i + 1);
		cr_expect_eq(p[i]->last.quality, QUALITY_UNKNOWN, "what was commanded was not seen");
	}
	coap_field_free(&f);
}

Test(coap_write, reads_back_and_tells_the_difference)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/s", false);
	struct point *p = writable(&f, TYPE_INT, "path=/s", CONFIRM_READBACK);
	rig_start(f.rig);
	struct rig_ask a = { 0 }, b = { 0 };
	rig_ask_write(f.rig, &a, p, "42", 5000);
	RIG_UNTIL(f.rig, a.n_done);
	cr_assert_eq(a.status, REQUEST_DONE);
	cr_assert(a.confirmed);
	f.d->faults.body = "41"; /* it takes the write, and shows something else */
	rig_ask_write(f.rig, &b, p, "43", 5000);
	RIG_UNTIL(f.rig, b.n_done);
	cr_assert_eq(b.status, REQUEST_DIFFERS);
	cr_assert_eq(r->n_writes, 2);
	coap_field_free(&f);
}

Test(coap_write, is_confirmed_by_the_observed_state)
{
	struct coap_field f = coap_field_new("");
	coapd_add(f.d, "/s", false);
	struct point *p = writable(&f, TYPE_INT, "path=/s; observe=true", CONFIRM_STATE);
	rig_start(f.rig);
	RIG_UNTIL(f.rig, p->last.quality == QUALITY_GOOD);
	struct rig_ask a = { 0 };
	rig_ask_write(f.rig, &a, p, "42", 5000);
	RIG_UNTIL(f.rig, a.n_done);
	cr_assert_eq(a.status, REQUEST_DONE);
	cr_assert(a.confirmed && p->last.value.number.digits == 42);
	coap_field_free(&f);
}

Test(coap_write, a_refusal_is_a_refusal)
{
	struct coap_field f = coap_field_new("");
	struct point *p = writable(&f, TYPE_INT, "path=/s", CONFIRM_NONE);
	rig_start(f.rig);
	struct rig_ask a = { 0 };
	f.d->faults.code = 405;
	rig_ask_write(f.rig, &a, p, "42", 5000);
	RIG_UNTIL(f.rig, a.n_done);
	cr_assert_eq(a.status, REQUEST_REFUSED);
	cr_assert(strstr(a.why.text, "4.05 Method Not Allowed"), "%s", a.why.text);
	coap_field_free(&f);
}

Test(coap_write, a_lost_message_is_sent_again)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/s", false);
	struct point *p = writable(&f, TYPE_INT, "path=/s", CONFIRM_NONE);
	rig_start(f.rig);
	f.d->faults.lose_in = 1;
	cr_assert_eq(rig_write(f.rig, p, "42"), REQUEST_DONE);
	cr_assert_eq(r->n_writes, 1);
	coap_field_free(&f);
}

/* libcoap would repeat it for many seconds: nobody must switch on a pump that was given up. */
Test(coap_write, is_never_sent_again_after_its_deadline)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/s", false);
	struct point *p = writable(&f, TYPE_INT, "path=/s", CONFIRM_NONE);
	struct point *t = coap_field_point(&f, TYPE_INT, "path=/t");
	coapd_add(f.d, "/t", false);
	rig_start(f.rig);
	cr_assert_eq(rig_read(f.rig, t, NULL), REQUEST_DONE);
	struct rig_ask a = { 0 };
	f.d->faults.lose_in = 1;
	rig_ask_write(f.rig, &a, p, "42", 100);
	RIG_UNTIL(f.rig, a.n_done);
	cr_assert_eq(a.status, REQUEST_TIMEOUT);
	struct rig_ask b = { 0 };
	f.d->faults.slow_ms = 2000; /* longer than it takes until the write would be repeated */
	rig_ask_read(f.rig, &b, t, 5000);
	RIG_UNTIL(f.rig, b.n_done);
	cr_assert_eq(b.status, REQUEST_DONE);
	cr_assert_eq(r->n_writes, 0);
	coap_field_free(&f);
}

Test(coap_write, what_waited_too_long_is_never_sent)
{
	struct coap_field f = coap_field_new("nstart=1");
	struct coapd_resource *r = coapd_add(f.d, "/s", false), *s = coapd_add(f.d, "/t", false);
	struct point *p = writable(&f, TYPE_INT, "path=/s", CONFIRM_NONE);
	struct point *t = coap_field_point(&f, TYPE_INT, "path=/t");
	rig_start(f.rig);
	struct rig_ask a = { 0 }, b = { 0 };
	f.d->faults.slow_ms = 300;
	rig_ask_read(f.rig, &a, t, 5000);
	RIG_UNTIL(f.rig, s->n_gets);
	rig_ask_write(f.rig, &b, p, "42", 100);
	RIG_UNTIL(f.rig, a.n_done && b.n_done);
	cr_assert_eq(b.status, REQUEST_TIMEOUT);
	cr_assert(strstr(b.why.text, "earlier requests"), "%s", b.why.text);
	cr_assert_eq(a.status, REQUEST_DONE);
	f.d->faults.slow_ms = 0;
	cr_assert_eq(rig_read(f.rig, t, NULL), REQUEST_DONE);
	cr_assert_eq(r->n_writes, 0);
	coap_field_free(&f);
}

/* Two that fly together could overtake each other: the last one must win. */
Test(coap_write, writes_to_one_device_keep_their_order)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/s", false);
	struct point *p = writable(&f, TYPE_INT, "path=/s", CONFIRM_NONE);
	rig_start(f.rig);
	struct rig_ask a = { 0 }, b = { 0 };
	f.d->faults.lose_in = 1;
	rig_ask_write(f.rig, &a, p, "1", 5000);
	rig_ask_write(f.rig, &b, p, "2", 5000);
	RIG_UNTIL(f.rig, a.n_done && b.n_done);
	cr_assert_str_eq(r->written, "2");
	coap_field_free(&f);
}

static const struct {
	const char *name;
	struct coapd_faults faults;
	size_t n_parts;
	int status;
	const char *why; /* NULL: it is written, once */
} large[] = {
	{ "plain", { 0 }, 3, REQUEST_DONE, NULL },
	{ "smaller blocks from the second on", { .take_szx = 1 + 4 }, 10, REQUEST_DONE, NULL },
	{ "smaller blocks from the beginning", { .take_szx = 1 + 2, .refuses_size = true }, 54, REQUEST_DONE, NULL },
	{ "blocks forgotten once", { .forgets = 1 }, 4, REQUEST_DONE, NULL },
	{ "blocks forgotten always", { .forgets = 100 }, 2, REQUEST_REFUSED, "4.08 Request Entity Incomplete" },
	{ "a part taken for the whole", { .takes_a_part = true }, 1, REQUEST_GARBLED, "a part of the value" },
	{ "too large", { .refuses_size = true }, 0, REQUEST_REFUSED, "4.13 Request Entity Too Large" },
	{ "answers twice", { .duplicate = true }, 3, REQUEST_DONE, NULL },
	{ "answers apart", { .separate_ms = 5 }, 3, REQUEST_DONE, NULL },
};

/* RFC 7959 section 2.5 and figures 8 to 10. */
Test(coap_write, a_large_value_goes_in_blocks_and_is_written_once_or_not)
{
	char text[3501];
	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
		struct coap_field f = coap_field_new("");
		struct coapd_resource *r = coapd_add(f.d, "/s", false);
		struct point *p = writable(&f, TYPE_TEXT, "path=/s", CONFIRM_NONE);
		memset(text, 'a' + (int)i, sizeof(text) - 1);
		text[sizeof(text) - 1] = '\0';
		rig_start(f.rig);
		f.d->faults = large[i].faults;
		struct rig_ask a = { 0 };
		rig_ask_write(f.rig, &a, p, text, 20000);
		RIG_UNTIL(f.rig, a.n_done);
		cr_expect_eq(a.status, large[i].status, "%s: %s", large[i].name, a.why.text);
		cr_expect_eq(r->n_parts, large[i].n_parts, "%s: %zu parts", large[i].name, r->n_parts);
		cr_expect_eq(r->n_writes, !large[i].why);
		cr_expect(large[i].why || strcmp(r->written, text) == 0, "%s", large[i].name);
		cr_expect(!large[i].why || strstr(a.why.text, large[i].why), "%s: %s", large[i].name, a.why.text);
		rig_ask_free(&a);
		coap_field_free(&f);
	}
}

Test(coap_write, a_small_value_goes_in_blocks_when_the_device_wants_it)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/s", false);
	struct point *p = writable(&f, TYPE_TEXT, "path=/s", CONFIRM_READBACK);
	const char *text = "more than sixteen bytes, and less than a block";
	rig_start(f.rig);
	f.d->faults = (struct coapd_faults){ .take_szx = 1, .refuses_size = true, .szx = 1 };
	cr_assert_eq(rig_write(f.rig, p, text), REQUEST_DONE);
	cr_assert_str_eq(r->written, text);
	cr_assert_eq(r->n_parts, 2);
	coap_field_free(&f);
}

Test(coap_write, a_large_value_on_a_line_that_loses_a_tenth_is_written_once)
{
	struct coap_field f = coap_field_new("timeout=60s");
	struct coapd_resource *r = coapd_add(f.d, "/s", false);
	struct point *p = writable(&f, TYPE_TEXT, "path=/s", CONFIRM_NONE);
	char text[2501];
	rig_start(f.rig);
	for (size_t i = 0; i < 3; i++) {
		struct rig_ask a = { 0 };
		memset(text, 'a' + (int)i, sizeof(text) - 1);
		text[sizeof(text) - 1] = '\0';
		f.d->faults = (struct coapd_faults){ .lose_percent = 10 }; /* both ways */
		rig_ask_write(f.rig, &a, p, text, 120000);
		RIG_UNTIL(f.rig, a.n_done);
		cr_assert_eq(a.n_done, 1);
		cr_assert(a.status != REQUEST_DONE || strcmp(r->written, text) == 0);
		rig_ask_free(&a);
	}
	coap_field_free(&f);
}
