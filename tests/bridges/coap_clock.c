#include "tests/bridges/coap_field.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * libcoap counts its retransmissions on the clock of the day. Here that clock is ours: this function stands before the
 * C library's, for libcoap as for the loop.
 */
static _Atomic long day_moved_s;

int clock_gettime(clockid_t id, struct timespec *ret);

int clock_gettime(clockid_t id, struct timespec *ret)
{
	long status = syscall(SYS_clock_gettime, id, ret);
	if (id == CLOCK_REALTIME)
		ret->tv_sec += day_moved_s;
	return (int)status;
}

Test(coap_clock, a_clock_set_back_does_not_stop_repetitions)
{
	struct coap_field f = coap_field_new("timeout=5s");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = coap_field_point(&f, TYPE_INT, "path=/t");
	rig_start(f.rig);
	day_moved_s = 7200; /* it was right for long; libcoap counts from where it began */
	cr_assert_eq(rig_read(f.rig, p, NULL), REQUEST_DONE);
	struct rig_ask a = { 0 };
	f.d->faults.lose_in = 1;
	rig_ask_read(f.rig, &a, p, 20000);
	RIG_UNTIL(f.rig, f.d->faults.lose_in == 0);
	day_moved_s = 3600;
	RIG_UNTIL(f.rig, a.n_done);
	cr_assert_eq(a.status, REQUEST_DONE);
	cr_assert_eq(r->n_gets, 2);
	coap_field_free(&f);
}

Test(coap_clock, a_write_under_way_is_not_sent_anew)
{
	struct coap_field f = coap_field_new("timeout=3s");
	struct coapd_resource *r = coapd_add(f.d, "/s", false);
	struct point *p = coap_field_point(&f, TYPE_INT, "path=/s"), *t = coap_field_point(&f, TYPE_INT, "path=/t");
	coapd_add(f.d, "/t", false);
	p->access = ACCESS_BOTH;
	rig_start(f.rig);
	cr_assert_eq(rig_read(f.rig, t, NULL), REQUEST_DONE);
	struct rig_ask a = { 0 };
	f.d->faults.silent = true;
	rig_ask_write(f.rig, &a, p, "1", 20000);
	size_t before = f.d->n_in;
	RIG_UNTIL(f.rig, f.d->n_in == before + 1);
	day_moved_s = 3600;
	f.d->faults.silent = false;
	RIG_UNTIL(f.rig, a.n_done);
	cr_assert_eq(a.status, REQUEST_TIMEOUT);
	cr_assert_eq(r->n_writes, 0);
	coap_field_free(&f);
}
