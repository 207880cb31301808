#include "tests/bridges/coap_field.h"

#include <criterion/criterion.h>
#include <string.h>

static struct point *observed(struct coap_field *f, const char *path)
{
	char options[64];
	snprintf(options, sizeof(options), "path=%s; observe=true", path);
	return coap_field_point(f, TYPE_INT, options);
}

static void wait_current(struct coap_field *f, const struct point *p, const struct coapd_resource *r)
{
	RIG_UNTIL(f->rig, coap_field_is_current(p, r));
}

Test(coap_observe, takes_notifications_of_both_kinds)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = observed(&f, "/t");
	rig_start(f.rig);
	wait_current(&f, p, r);
	cr_assert(p->listens);
	for (int i = 0; i < 20; i++) {
		f.d->faults.confirm = i % 2;
		coapd_change(f.d, r);
		wait_current(&f, p, r);
	}
	cr_assert_eq(r->n_gets, 1, "nothing is polled");
	RIG_UNTIL(f.rig, f.d->n_acks == 10);
	coap_field_free(&f);
}

Test(coap_observe, points_of_one_document_share_one_registration)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/env", true);
	struct point *v = coap_field_point(&f, TYPE_INT, "path=/env; pointer=/v; observe=true");
	struct point *n = coap_field_point(&f, TYPE_INT, "path=/env; pointer=/r; observe=true");
	f.rig->on_sample = NULL;
	rig_start(f.rig);
	wait_current(&f, v, r);
	coapd_change(f.d, r);
	wait_current(&f, v, r);
	cr_assert_eq(n->last.value.number.digits, 1);
	cr_assert_eq(f.d->n_registers, 1);
	coap_field_free(&f);
}

static int64_t last_seen;

static void never_backwards(struct rig *rig, struct point *p, enum news news)
{
	int64_t now;
	(void)rig, (void)news;
	if (p->last.quality != QUALITY_GOOD)
		return;
	cr_assert_eq(decimal_integer(p->last.value.number, &now), 0);
	cr_assert(now >= last_seen, "%lld after %lld", (long long)now, (long long)last_seen);
	last_seen = now;
}

Test(coap_observe, an_overtaken_notification_is_dropped)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = observed(&f, "/t");
	f.rig->on_sample = never_backwards;
	rig_start(f.rig);
	wait_current(&f, p, r);
	for (int i = 0; i < 5; i++) {
		f.d->faults.swap = true;
		coapd_change(f.d, r); /* waits for the next, and is sent after it */
		coapd_change(f.d, r);
		f.d->faults.swap = false;
		coapd_change(f.d, r);
		wait_current(&f, p, r);
	}
	coap_field_free(&f);
}

Test(coap_observe, old_numbers_are_dropped_for_128_s)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/t", false), *marker = coapd_add(f.d, "/m", false);
	struct point *p = observed(&f, "/t"), *m = observed(&f, "/m");
	r->sequence = 5000;
	f.d->faults.max_age_s = 1 + 3600;
	rig_start(f.rig);
	wait_current(&f, p, r);
	wait_current(&f, m, marker);
	r->sequence = 3000;
	coapd_change(f.d, r);
	coapd_change(f.d, marker); /* when this is here, the other was here too */
	wait_current(&f, m, marker);
	cr_assert(!coap_field_is_current(p, r));
	loop_skip(f.rig->loop, 129000);
	coapd_change(f.d, r);
	wait_current(&f, p, r);
	coap_field_free(&f);
}

/* Max-Age and 5 to 15 s: at 60 + 4.9 s nothing yet, at 60 + 15.1 s it is done; the token stays. */
Test(coap_observe, renews_its_registration_with_the_same_token)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = observed(&f, "/t");
	rig_start(f.rig);
	wait_current(&f, p, r);
	for (size_t i = 1; i < 4; i++) {
		loop_skip(f.rig->loop, 64500);
		cr_assert_eq(rig_read(f.rig, p, NULL), REQUEST_DONE);
		coapd_change(f.d, r);
		wait_current(&f, p, r);
	}
	size_t before = f.d->n_registers;
	loop_skip(f.rig->loop, 75100);
	r->counter++; /* silently: only the renewal can show it */
	wait_current(&f, p, r);
	cr_assert_eq(f.d->n_registers, before + 1);
	cr_assert_eq(coapd_observers(r), 1, "one entry, so it was the same token");
	coap_field_free(&f);
}

Test(coap_observe, refresh_and_max_age_say_when)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/t", false), *s = coapd_add(f.d, "/u", false);
	struct point *p = coap_field_point(&f, TYPE_INT, "path=/t; observe=true; refresh=15m"), *q = observed(&f, "/u");
	f.d->faults.max_age_s = 1 + 600;
	rig_start(f.rig);
	wait_current(&f, p, r);
	wait_current(&f, q, s);
	r->counter++;
	s->counter++;
	loop_skip(f.rig->loop, 615100);
	wait_current(&f, q, s);
	cr_assert_eq(r->n_gets, 1);
	loop_skip(f.rig->loop, 900000 - 615100);
	wait_current(&f, p, r);
	coap_field_free(&f);
}

Test(coap_observe, finds_a_device_again_that_was_killed)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = observed(&f, "/t");
	rig_start(f.rig);
	wait_current(&f, p, r);
	for (int i = 0; i < 50; i++)
		coapd_notify(f.d, r); /* numbers go up: the new life begins below them */
	coapd_change(f.d, r);
	wait_current(&f, p, r);
	coapd_kill(f.d);
	coapd_restart(f.d);
	coapd_change(f.d, r); /* nobody is told */
	loop_skip(f.rig->loop, 75100);
	wait_current(&f, p, r);
	coapd_change(f.d, r);
	wait_current(&f, p, r);
	coap_field_free(&f);
}

Test(coap_observe, a_device_that_is_gone_is_told_and_tried_again)
{
	struct coap_field f = coap_field_new("timeout=300ms");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = observed(&f, "/t");
	rig_start(f.rig);
	wait_current(&f, p, r);
	f.d->faults.silent = true;
	loop_skip(f.rig->loop, 75100);
	RIG_UNTIL(f.rig, p->last.quality == QUALITY_BAD);
	cr_assert_eq(p->last.trouble, TROUBLE_TIMEOUT);
	cr_assert_eq(f.rig->n_away, 0);
	f.d->faults.silent = false;
	r->counter++;
	loop_skip(f.rig->loop, 5000);
	wait_current(&f, p, r);
	coapd_change(f.d, r);
	wait_current(&f, p, r);
	coap_field_free(&f);
}

Test(coap_observe, an_error_ends_it_until_the_device_thinks_again)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = observed(&f, "/t");
	f.d->faults.code = 404;
	rig_start(f.rig);
	RIG_UNTIL(f.rig, p->last.quality == QUALITY_BAD);
	cr_assert_eq(p->last.trouble, TROUBLE_REFUSED);
	f.d->faults.code = 0;
	loop_skip(f.rig->loop, 5000);
	wait_current(&f, p, r);
	cr_assert_eq(coapd_observers(r), 1);
	coap_field_free(&f);
}

Test(coap_observe, a_device_that_does_not_observe_is_asked_again_instead)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = observed(&f, "/t");
	f.d->faults.observe_refused = true;
	rig_start(f.rig);
	wait_current(&f, p, r);
	r->counter++;
	loop_skip(f.rig->loop, 75100);
	wait_current(&f, p, r);
	cr_assert_eq(r->n_gets, 2);
	coap_field_free(&f);
}

/* Without a number nothing but the token tells which question it answers. */
Test(coap_observe, a_late_answer_is_no_answer_to_the_next_attempt)
{
	struct coap_field f = coap_field_new("timeout=60s");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = observed(&f, "/t");
	f.d->faults = (struct coapd_faults){ .observe_refused = true, .separate_ms = 70000 };
	rig_start(f.rig);
	RIG_UNTIL(f.rig, r->n_gets == 1);
	loop_skip(f.rig->loop, 60000);
	RIG_UNTIL(f.rig, p->last.quality == QUALITY_BAD);
	r->counter++;
	f.d->faults.separate_ms = 50000;
	loop_skip(f.rig->loop, 5000);
	RIG_UNTIL(f.rig, r->n_gets == 2);
	loop_skip(f.rig->loop, 5000);
	RIG_UNTIL(f.rig, f.d->n_resets == 1);
	cr_assert_eq(p->last.quality, QUALITY_BAD);
	loop_skip(f.rig->loop, 45000);
	wait_current(&f, p, r);
	coap_field_free(&f);
}

Test(coap_observe, a_notification_too_large_is_garbled_and_the_next_one_good)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = observed(&f, "/t");
	rig_start(f.rig);
	wait_current(&f, p, r);
	f.d->faults.block = true;
	coapd_change(f.d, r);
	RIG_UNTIL(f.rig, p->last.quality == QUALITY_BAD);
	cr_assert_eq(p->last.trouble, TROUBLE_GARBLED);
	f.d->faults.block = false;
	coapd_change(f.d, r);
	wait_current(&f, p, r);
	coap_field_free(&f);
}

Test(coap_observe, stops_at_the_device_when_the_bus_is_stopped)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = observed(&f, "/t");
	rig_start(f.rig);
	wait_current(&f, p, r);
	cr_assert_eq(coapd_observers(r), 1);
	bridge_stop(f.rig->bridge);
	RIG_UNTIL(f.rig, f.rig->n_closed && coapd_observers(r) == 0);
	cr_assert_eq(f.d->n_deregisters, 1);
	coap_field_free(&f);
}

/* Of a former life of ours, at the same port: nobody holds its token. */
Test(coap_observe, a_stray_notification_is_reset)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = observed(&f, "/t");
	rig_start(f.rig);
	wait_current(&f, p, r);
	for (size_t i = 0; i < COAPD_OBSERVERS; i++)
		if (r->observers[i].used)
			r->observers[i].token[3] ^= 1;
	r->counter += 5;
	f.d->faults.confirm = true;
	coapd_change(f.d, r);
	RIG_UNTIL(f.rig, f.d->n_resets == 1);
	cr_assert(!coap_field_is_current(p, r));
	cr_assert_eq(coapd_observers(r), 0);
	coap_field_free(&f);
}

static const struct coapd_faults lines[] = {
	{ .lose_out = 1 },
	{ .duplicate = true },
	{ .swap = true },
	{ .confirm = true },
	{ .duplicate = true, .confirm = true },
	{ .swap = true, .duplicate = true },
};

Test(coap_observe, time_never_runs_backwards_on_a_bad_line)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = observed(&f, "/t");
	f.rig->on_sample = never_backwards;
	rig_start(f.rig);
	wait_current(&f, p, r);
	for (int i = 0; i < 300; i++) {
		f.d->faults = lines[i % 6];
		coapd_change(f.d, r); /* may be lost, doubled, or wait until the next was sent */
		if (i % 7 == 0) {
			struct rig_ask a = { 0 };
			rig_ask_read(f.rig, &a, p, 5000);
			coapd_change(f.d, r);
			RIG_UNTIL(f.rig, a.n_done);
			cr_assert_eq(a.status, REQUEST_DONE);
		}
		f.d->faults = (struct coapd_faults){ 0 };
		coapd_change(f.d, r);
		wait_current(&f, p, r);
	}
	coap_field_free(&f);
}
