#include "tests/bridges/coap_field.h"

#include <criterion/criterion.h>
#include <string.h>

Test(coap_faults, lost_doubled_and_swapped_messages_do_no_harm)
{
	struct coap_field f = coap_field_new("timeout=60s");
	struct coapd_resource *r = coapd_add(f.d, "/t", false), *s = coapd_add(f.d, "/u", false);
	struct point *p = coap_field_point(&f, TYPE_INT, "path=/t"), *q = coap_field_point(&f, TYPE_INT, "path=/u");
	rig_start(f.rig);
	f.d->faults = (struct coapd_faults){ .lose_percent = 10, .duplicate = true };
	for (int i = 0; i < 10; i++) {
		struct rig_ask a = { 0 }, b = { 0 };
		r->counter++;
		s->counter++;
		rig_ask_read(f.rig, &a, p, 60000);
		rig_ask_read(f.rig, &b, q, 60000);
		RIG_UNTIL(f.rig, a.n_done && b.n_done);
		cr_assert_eq(a.n_done + b.n_done, 2);
		cr_assert(a.status != REQUEST_DONE || coap_field_is_current(p, r));
		cr_assert(b.status != REQUEST_DONE || coap_field_is_current(q, s));
	}
	coap_field_free(&f);
}

Test(coap_faults, answers_in_another_order_find_their_way)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/t", false), *s = coapd_add(f.d, "/u", false);
	struct point *p = coap_field_point(&f, TYPE_INT, "path=/t"), *q = coap_field_point(&f, TYPE_INT, "path=/u");
	rig_start(f.rig);
	f.d->faults.swap = true;
	for (int i = 0; i < 10; i++) {
		struct rig_ask a = { 0 }, b = { 0 };
		r->counter++;
		s->counter++;
		rig_ask_read(f.rig, &a, p, 5000);
		rig_ask_read(f.rig, &b, q, 5000);
		RIG_UNTIL(f.rig, a.n_done && b.n_done);
		cr_assert(a.status == REQUEST_DONE && b.status == REQUEST_DONE);
		cr_assert(coap_field_is_current(p, r) && coap_field_is_current(q, s));
	}
	coap_field_free(&f);
}

static const struct {
	const char *name;
	struct coapd_faults faults;
	int status;
	enum trouble trouble;
	const char *why;
} troubles[] = {
	{ "silent", { .silent = true }, REQUEST_TIMEOUT, TROUBLE_TIMEOUT, "no answer in 300 ms" },
	{ "reset", { .reset = true }, REQUEST_REFUSED, TROUBLE_REFUSED, "RST" },
	{ "wrong token", { .wrong_token = true }, REQUEST_TIMEOUT, TROUBLE_TIMEOUT, "no answer" },
	{ "wrong token apart",
	  { .wrong_token = true, .separate_ms = 1 },
	  REQUEST_TIMEOUT,
	  TROUBLE_TIMEOUT,
	  "no answer" },
	{ "garbage", { .garbage = true }, REQUEST_TIMEOUT, TROUBLE_TIMEOUT, "no answer" },
	{ "block", { .block = true }, REQUEST_GARBLED, TROUBLE_GARBLED, "bytes that should have 64" },
	{ "cut by our buffer", { .huge = 1500 }, REQUEST_GARBLED, TROUBLE_GARBLED, "too large for one message" },
	{ "fills a datagram", { .huge = 60000 }, REQUEST_GARBLED, TROUBLE_GARBLED, "too large for one message" },
	{ "too slow", { .slow_ms = 600 }, REQUEST_TIMEOUT, TROUBLE_TIMEOUT, "no answer" },
};

Test(coap_faults, each_trouble_is_told_and_none_is_a_value)
{
	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
		struct coap_field f = coap_field_new("timeout=300ms");
		struct coapd_resource *r = coapd_add(f.d, "/t", false);
		struct point *p = coap_field_point(&f, TYPE_INT, "path=/t");
		struct point *text = coap_field_point(&f, TYPE_TEXT, "path=/t");
		rig_start(f.rig);
		f.d->faults = troubles[i].faults;
		struct rig_ask a = { 0 }, b = { 0 };
		rig_ask_read(f.rig, &a, p, 5000);
		rig_ask_read(f.rig, &b, text, 5000);
		RIG_UNTIL(f.rig, a.n_done && b.n_done);
		cr_expect_eq(a.status, troubles[i].status, "%s: %d %s", troubles[i].name, a.status, a.why.text);
		cr_expect_eq(b.status, troubles[i].status, "%s: %d %s", troubles[i].name, b.status, b.why.text);
		cr_expect(strstr(a.why.text, troubles[i].why), "%s: %s", troubles[i].name, a.why.text);
		cr_expect_eq(p->last.quality, QUALITY_BAD);
		cr_expect_eq(p->last.trouble, troubles[i].trouble);
		cr_expect_eq(f.rig->n_away, 0);
		f.d->faults = (struct coapd_faults){ 0 };
		r->counter++;
		cr_expect_eq(rig_read(f.rig, p, NULL), REQUEST_DONE, "%s: does not recover", troubles[i].name);
		cr_expect(coap_field_is_current(p, r));
		coap_field_free(&f);
	}
}

Test(coap_faults, a_slow_separate_answer_is_waited_for_without_repeating)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = coap_field_point(&f, TYPE_INT, "path=/t");
	rig_start(f.rig);
	f.d->faults.separate_ms = 2000;
	cr_assert_eq(rig_read(f.rig, p, NULL), REQUEST_DONE);
	cr_assert(coap_field_is_current(p, r));
	cr_assert_eq(r->n_gets, 1);
	RIG_UNTIL(f.rig, f.d->n_acks == 1);
	coap_field_free(&f);
}

Test(coap_faults, a_late_answer_is_reset_and_never_taken_for_the_next)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = coap_field_point(&f, TYPE_INT, "path=/t");
	rig_start(f.rig);
	struct rig_ask a = { 0 }, b = { 0 };
	f.d->faults.separate_ms = 300;
	rig_ask_read(f.rig, &a, p, 100);
	RIG_UNTIL(f.rig, r->n_gets == 1 && a.n_done);
	cr_assert_eq(a.status, REQUEST_TIMEOUT);
	r->counter++; /* what is still on its way shows the value before */
	f.d->faults.separate_ms = 600;
	rig_ask_read(f.rig, &b, p, 5000);
	RIG_UNTIL(f.rig, b.n_done);
	cr_assert_eq(b.status, REQUEST_DONE);
	cr_assert(coap_field_is_current(p, r));
	coap_field_free(&f);
}

Test(coap_faults, an_unreachable_port_is_a_suspicion_until_the_deadline)
{
	struct coap_field f = coap_field_new("");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = coap_field_point(&f, TYPE_INT, "path=/t");
	rig_start(f.rig);
	cr_assert_eq(rig_read(f.rig, p, NULL), REQUEST_DONE);
	coapd_kill(f.d);
	struct rig_ask a = { 0 }, b = { 0 };
	rig_ask_read(f.rig, &a, p, 5000);
	loop_turn(f.rig->loop);
	cr_assert_eq(a.n_done, 0, "the first ICMP message ends nothing");
	coapd_restart(f.d); /* it only started anew, and the repetition reaches it */
	RIG_UNTIL(f.rig, a.n_done);
	cr_assert_eq(a.status, REQUEST_DONE);
	cr_assert(coap_field_is_current(p, r));
	coapd_kill(f.d);
	rig_ask_read(f.rig, &b, p, 500);
	RIG_UNTIL(f.rig, b.n_done);
	cr_assert_eq(b.status, REQUEST_AWAY);
	cr_assert_eq(p->last.trouble, TROUBLE_AWAY);
	coapd_restart(f.d);
	r->counter++;
	cr_assert_eq(rig_read(f.rig, p, NULL), REQUEST_DONE);
	cr_assert(coap_field_is_current(p, r));
	coap_field_free(&f);
}

Test(coap_faults, a_dead_device_does_not_delay_its_neighbour)
{
	struct coap_field f = coap_field_new("timeout=30s");
	struct coapd *dead = coapd_new(f.rig->loop);
	char uri[64];
	snprintf(uri, sizeof(uri), "uri=coap://127.0.0.1:%d", dead->port);
	struct device *d = rig_device(f.rig, "dead", uri);
	struct point *lost[20], *p = coap_field_point(&f, TYPE_INT, "path=/t");
	struct rig_ask a[20] = { 0 };
	dead->faults.silent = true;
	coapd_add(f.d, "/t", false);
	for (int i = 0; i < 20; i++) {
		char path[32];
		snprintf(path, sizeof(path), "path=/x%d", i);
		lost[i] = rig_point(f.rig, d, "lost", TYPE_INT, path);
		lost[i]->poll_ms = 0;
	}
	rig_start(f.rig);
	for (int i = 0; i < 20; i++)
		rig_ask_read(f.rig, &a[i], lost[i], 20000);
	for (int i = 0; i < 50; i++)
		cr_assert_eq(rig_read(f.rig, p, NULL), REQUEST_DONE);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(a[i].n_done, 0);
	loop_skip(f.rig->loop, 20000);
	for (int i = 0; i < 20; i++) {
		RIG_UNTIL(f.rig, a[i].n_done);
		cr_assert_eq(a[i].status, REQUEST_TIMEOUT);
	}
	cr_assert(dead->n_in <= 8, "at most nstart messages and one repetition of each, not %zu", dead->n_in);
	coapd_free(dead);
	coap_field_free(&f);
}

Test(coap_faults, a_retried_get_is_given_up_when_libcoap_gives_up)
{
	struct coap_field f = coap_field_new("max_retransmit=1; timeout=30s");
	struct point *p = coap_field_point(&f, TYPE_INT, "path=/t");
	rig_start(f.rig);
	f.d->faults.silent = true;
	struct rig_ask a = { 0 };
	rig_ask_read(f.rig, &a, p, 30000);
	RIG_UNTIL(f.rig, a.n_done);
	cr_assert_eq(a.status, REQUEST_TIMEOUT);
	cr_assert(strstr(a.why.text, "retransmissions"), "%s", a.why.text);
	cr_assert_eq(f.d->n_in, 2);
	coap_field_free(&f);
}

Test(coap_faults, every_request_ends_once_when_the_bus_is_stopped)
{
	struct coap_field f = coap_field_new("");
	struct point *p = coap_field_point(&f, TYPE_INT, "path=/t");
	struct point *w = coap_field_point(&f, TYPE_INT, "path=/w"), *named;
	named = rig_point(f.rig, rig_device(f.rig, "named", "uri=coap://nobody.invalid"), "n", TYPE_INT, "path=/t");
	w->access = ACCESS_BOTH;
	named->poll_ms = 0;
	rig_start(f.rig);
	f.d->faults.silent = true;
	struct rig_ask a[4] = { 0 };
	rig_ask_read(f.rig, &a[0], p, 5000);
	rig_ask_read(f.rig, &a[1], p, 5000);
	rig_ask_write(f.rig, &a[2], w, "1", 5000);
	rig_ask_read(f.rig, &a[3], named, 5000);
	RIG_UNTIL(f.rig, f.d->n_in >= 2);
	bridge_stop(f.rig->bridge);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(a[i].n_done, 1);
	RIG_UNTIL(f.rig, f.rig->n_closed);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(a[i].n_done, 1);
	coap_field_free(&f);
}

static void stop_on_first(struct rig *rig, struct point *p, enum news news)
{
	(void)p, (void)news;
	bridge_stop(rig->bridge);
}

Test(coap_faults, may_be_stopped_in_the_middle_of_an_answer)
{
	struct coap_field f = coap_field_new("");
	struct point *p = coap_field_point(&f, TYPE_INT, "path=/t"), *q = coap_field_point(&f, TYPE_INT, "path=/t");
	struct point *o = coap_field_point(&f, TYPE_INT, "path=/o; observe=true");
	coapd_add(f.d, "/t", false);
	(void)o;
	f.rig->on_sample = stop_on_first;
	rig_start(f.rig);
	struct rig_ask a = { 0 }, b = { 0 };
	rig_ask_read(f.rig, &a, p, 5000);
	rig_ask_read(f.rig, &b, q, 5000);
	RIG_UNTIL(f.rig, f.rig->n_closed);
	cr_assert_eq(a.n_done, 1);
	cr_assert_eq(b.n_done, 1);
	coap_field_free(&f);
}
