#include "tests/bridges/coap_field.h"

#include "core/base/limits.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* A long document shows its value at its beginning and at its end: of two versions of it nobody may see a mixture. */
struct document {
	struct coap_field f;
	struct coapd_resource *r;
	struct point *v, *w;
	size_t n_seen;
};

static struct document *document_of(struct rig *rig)
{
	return list_of(((struct coap_field *)rig->ctx), struct document, f);
}

static int64_t shown(const struct point *p)
{
	int64_t n = -1;
	cr_assert_eq(decimal_integer(p->last.value.number, &n), 0);
	return n;
}

static void never_mixed(struct rig *rig, struct point *p, enum news news)
{
	struct document *d = document_of(rig);
	(void)news;
	if (p->last.quality != QUALITY_GOOD)
		return;
	int64_t counter = shown(p) - (int64_t)d->r->number * COAPD_STEP;
	cr_assert(counter >= 0 && counter <= d->r->counter, "%lld was never there", (long long)counter);
	if (p != d->w || d->v->last.quality != QUALITY_GOOD)
		return;
	d->n_seen++;
	cr_assert_eq(shown(d->v), shown(d->w), "a mixture of %lld and %lld", (long long)shown(d->v),
		     (long long)shown(d->w));
}

static void begin(struct document *d, const char *options, const char *point)
{
	char text[128];
	*d = (struct document){ .f = coap_field_new(options) };
	d->r = coapd_add(d->f.d, "/env", true);
	snprintf(text, sizeof(text), "path=/env; pointer=/v; %s", point);
	d->v = coap_field_point(&d->f, TYPE_INT, text);
	snprintf(text, sizeof(text), "path=/env; pointer=/w; %s", point);
	d->w = coap_field_point(&d->f, TYPE_INT, text);
	d->f.rig->on_sample = never_mixed;
	d->f.rig->ctx = &d->f;
	d->f.d->faults = (struct coapd_faults){ .length = 3000, .szx = 1 + 6 };
	rig_start(d->f.rig);
}

static void end(struct document *d)
{
	coap_field_free(&d->f);
}

static bool is_current(const struct document *d)
{
	return coap_field_is_current(d->v, d->r) && coap_field_is_current(d->w, d->r);
}

/* Both with one GET. */
static int read_both(struct document *d, struct err *ret)
{
	struct rig_ask a = { 0 }, b = { 0 };
	rig_ask_read(d->f.rig, &a, d->v, 20000);
	rig_ask_read(d->f.rig, &b, d->w, 20000);
	RIG_UNTIL(d->f.rig, a.n_done && b.n_done);
	cr_assert_eq(a.status, b.status);
	*ret = a.why;
	rig_ask_free(&a);
	rig_ask_free(&b);
	return a.status;
}

Test(coap_blocks, a_body_of_any_size_is_read_in_blocks_of_any_size)
{
	static const int lengths[] = { 1100, 3000, 60000 };
	struct document d;
	struct err why;
	begin(&d, "", "");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		for (int szx = 2; szx <= 6; szx += 2) {
			d.f.d->faults = (struct coapd_faults){ .length = lengths[i], .szx = 1 + szx };
			d.r->counter++;
			d.r->n_gets = 0;
			cr_assert_eq(read_both(&d, &why), REQUEST_DONE, "%d in %d: %s", lengths[i], 16 << szx,
				     why.text);
			cr_assert(is_current(&d));
			cr_assert(d.r->n_gets >= (size_t)(lengths[i] >> (szx + 4)));
		}
	end(&d);
}

Test(coap_blocks, an_end_at_the_edge_of_a_block_is_an_end)
{
	struct coap_field f = coap_field_new("");
	struct point *p = coap_field_point(&f, TYPE_TEXT, "path=/t");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	char body[65];
	rig_start(f.rig);
	for (size_t size = 1; size < sizeof(body); size++) {
		memset(body, 'a' + (int)(size % 26), size);
		body[size] = '\0';
		f.d->faults = (struct coapd_faults){ .body = body, .szx = 1 };
		r->n_gets = 0;
		cr_assert_eq(rig_read(f.rig, p, NULL), REQUEST_DONE);
		cr_assert_str_eq(p->last.value.text, body);
		cr_assert_eq(r->n_gets, (size + 15) / 16);
	}
	coap_field_free(&f);
}

Test(coap_blocks, the_device_may_make_them_smaller_on_the_way)
{
	struct document d;
	struct err why;
	begin(&d, "", "");
	d.f.d->faults.block_shrinks = true;
	cr_assert_eq(read_both(&d, &why), REQUEST_DONE, "%s", why.text);
	cr_assert(is_current(&d));
	end(&d);
}

Test(coap_blocks, a_body_that_changes_is_read_from_its_beginning)
{
	struct document d;
	struct err why;
	begin(&d, "", "");
	for (int changes = 1; changes < 5; changes++) {
		d.f.d->faults.changes = changes;
		cr_assert_eq(read_both(&d, &why), REQUEST_DONE, "%s", why.text);
		cr_assert(is_current(&d));
	}
	end(&d);
}

Test(coap_blocks, a_body_without_etag_is_read_until_it_is_twice_the_same)
{
	struct document d;
	struct err why;
	begin(&d, "", "");
	d.f.d->faults.no_etag = true;
	cr_assert_eq(read_both(&d, &why), REQUEST_DONE, "%s", why.text);
	cr_assert_eq(d.r->n_gets, 6);
	for (int changes = 1; changes < 5; changes++) {
		d.f.d->faults.changes = changes;
		cr_assert_eq(read_both(&d, &why), REQUEST_DONE, "%s", why.text);
		cr_assert(is_current(&d));
	}
	end(&d);
}

static const struct {
	const char *name;
	struct coapd_faults faults;
	int status;
	const char *why;
} troubles[] = {
	{ "changes always", { .changes = 1000 }, REQUEST_GARBLED, "changes faster" },
	{ "changes always, in secret", { .changes = 1000, .no_etag = true }, REQUEST_GARBLED, "changes faster" },
	{ "skips", { .block_skips = true }, REQUEST_GARBLED, "block 2, which was not asked for" },
	{ "short", { .block_is_short = true }, REQUEST_GARBLED, "a block of 63 bytes that should have 64" },
	{ "endless", { .block_is_endless = true }, REQUEST_GARBLED, "more than 65536 bytes" },
	{ "grows", { .block_grows = true }, REQUEST_GARBLED, "of another size than was asked for" },
	{ "vanishes", { .block_vanishes = true }, REQUEST_GARBLED, "changes faster" },
	{ "forgets the option", { .block_has_no_option = true, .length = 500 }, REQUEST_GARBLED, "changes faster" },
};

Test(coap_blocks, each_trouble_is_told_and_none_is_a_value)
{
	struct document d;
	struct err why;
	begin(&d, "", "");
	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
		d.f.d->faults = troubles[i].faults;
		d.f.d->faults.szx = 1 + 2;
		d.f.d->faults.length = d.f.d->faults.length ? d.f.d->faults.length : 3000;
		cr_expect_eq(read_both(&d, &why), troubles[i].status, "%s: %s", troubles[i].name, why.text);
		cr_expect(strstr(why.text, troubles[i].why), "%s: %s", troubles[i].name, why.text);
		cr_expect_eq(d.v->last.quality, QUALITY_BAD);
		d.f.d->faults = (struct coapd_faults){ .length = 3000, .szx = 1 + 6 };
		d.r->counter++;
		cr_expect_eq(read_both(&d, &why), REQUEST_DONE, "%s: does not recover: %s", troubles[i].name, why.text);
		cr_expect(is_current(&d));
	}
	end(&d);
}

Test(coap_blocks, a_device_that_sends_a_block_now_and_then_does_not_hold_us)
{
	struct document d;
	struct rig_ask a = { 0 };
	begin(&d, "timeout=50s", "");
	d.f.d->faults = (struct coapd_faults){ .length = 3000, .szx = 1 + 2, .separate_ms = 40000 };
	rig_ask_read(d.f.rig, &a, d.v, 3600000);
	for (size_t n = 1; !a.n_done; n++) {
		RIG_UNTIL(d.f.rig, a.n_done || d.r->n_gets == n);
		loop_skip(d.f.rig->loop, 40000);
	}
	cr_assert_eq(a.status, REQUEST_TIMEOUT, "%s", a.why.text);
	cr_assert(strstr(a.why.text, "not all blocks in 300 s"), "%s", a.why.text);
	rig_ask_free(&a);
	end(&d);
}

Test(coap_blocks, an_observed_body_in_blocks_is_told_when_it_is_whole)
{
	struct document d;
	begin(&d, "", "observe=true");
	RIG_UNTIL(d.f.rig, is_current(&d));
	cr_assert_eq(d.f.d->n_registers, 1);
	for (int i = 0; i < 20; i++) {
		d.f.d->faults.confirm = i % 2;
		d.f.d->faults.no_etag = i % 3 == 0;
		coapd_change(d.f.d, d.r);
		RIG_UNTIL(d.f.rig, is_current(&d));
	}
	cr_assert_eq(d.f.d->n_registers, 1);
	cr_assert_eq(coapd_observers(d.r), 1, "the other blocks' requests are no registrations");
	end(&d);
}

/* What is told in the middle of a body is the next body. */
Test(coap_blocks, a_newer_notification_begins_anew)
{
	struct document d;
	begin(&d, "", "observe=true");
	RIG_UNTIL(d.f.rig, is_current(&d));
	for (int i = 0; i < 50; i++) {
		size_t gets = d.r->n_gets;
		d.f.d->faults.length = 3000;
		coapd_change(d.f.d, d.r);
		RIG_UNTIL(d.f.rig, d.r->n_gets > gets);
		d.f.d->faults.length = i % 2 ? 3000 : 20; /* which may be a small one */
		coapd_change(d.f.d, d.r);
		RIG_UNTIL(d.f.rig, is_current(&d));
	}
	cr_assert_eq(d.f.d->n_resets, 0, "what nobody waits for any more is no reason to reset the device");
	end(&d);
}

Test(coap_blocks, reads_and_notifications_of_one_body_do_not_disturb_each_other)
{
	struct document d;
	begin(&d, "", "observe=true");
	RIG_UNTIL(d.f.rig, is_current(&d));
	for (int i = 0; i < 50; i++) {
		struct rig_ask a = { 0 };
		coapd_change(d.f.d, d.r);
		rig_ask_read(d.f.rig, &a, d.v, 20000);
		for (int turns = 0; turns < i % 10 && !a.n_done; turns++)
			loop_turn(d.f.rig->loop);
		coapd_change(d.f.d, d.r);
		RIG_UNTIL(d.f.rig, a.n_done && is_current(&d));
		cr_assert_eq(a.status, REQUEST_DONE, "%s", a.why.text);
		rig_ask_free(&a);
	}
	end(&d);
}

struct teller {
	struct timer timer;
	struct document *d;
};

/* Notifications are lost, too: the device tells the same again, as devices do that mean it. */
static void tell_again(void *ctx)
{
	struct teller *t = ctx;
	coapd_notify(t->d->f.d, t->d->r);
	timer_set(t->d->f.rig->loop, &t->timer, 100, tell_again, t);
}

Test(coap_blocks, an_observed_body_on_a_line_that_loses_a_tenth_both_ways, .timeout = 120)
{
	struct document d;
	struct teller teller = { .d = &d };
	begin(&d, "timeout=60s", "observe=true");
	RIG_UNTIL(d.f.rig, is_current(&d));
	d.f.d->faults.lose_percent = 10;
	size_t n = d.n_seen;
	tell_again(&teller);
	for (int i = 0; i < 12; i++) {
		d.f.d->faults.no_etag = i % 3 == 0;
		coapd_change(d.f.d, d.r);
		RIG_UNTIL(d.f.rig, is_current(&d));
	}
	cr_assert(d.n_seen >= n + 12);
	timer_stop(d.f.rig->loop, &teller.timer);
	end(&d);
}

Test(coap_blocks, the_installer_may_want_them_small)
{
	struct coap_field f = coap_field_new("");
	char uri[64];
	snprintf(uri, sizeof(uri), "uri=coap://127.0.0.1:%d; block=64B", f.d->port);
	struct device *meshed = rig_device(f.rig, "meshed", uri);
	struct point *p = rig_point(f.rig, meshed, "p", TYPE_TEXT, "path=/t");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	char body[301];
	p->poll_ms = 0;
	p->access = ACCESS_BOTH;
	p->confirm = CONFIRM_READBACK;
	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	f.d->faults = (struct coapd_faults){ .szx = 1 + 6 };
	rig_start(f.rig);
	cr_assert_eq(rig_write(f.rig, p, body), REQUEST_DONE);
	cr_assert_str_eq(r->written, body);
	cr_assert_eq(r->n_parts, 4);
	cr_assert_str_eq(p->last.value.text, body);
	cr_assert_eq(r->n_gets, 5);
	coap_field_free(&f);
}

Test(coap_blocks, stops_in_the_middle_of_a_body)
{
	struct document d;
	begin(&d, "", "observe=true");
	RIG_UNTIL(d.f.rig, d.r->n_gets == 2);
	bridge_stop(d.f.rig->bridge);
	RIG_UNTIL(d.f.rig, d.f.rig->n_closed);
	end(&d);
}
