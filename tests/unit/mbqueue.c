#include "bridges/mbqueue.h"

#include <criterion/criterion.h>

enum { N = 200 };

struct field {
	struct mbqueue queue;
	struct mbaddress_unit unit;
	struct device device;
	struct point points[N];
	struct mbaddress addresses[N];
	struct request requests[N];
	size_t n;
};

static void begin(struct field *f)
{
	*f = (struct field){ .unit = { .unit_id = 1, .max_gap = 0, .max_block = -1 } };
	f->device.options = &f->unit;
	mbqueue_begin(&f->queue);
}

/* Registers far apart, so that each is a question of its own. */
static struct request *add(struct field *f, enum request_rank rank, bool write)
{
	size_t i = f->n++;
	f->addresses[i] = (struct mbaddress){ .table = MBADDRESS_HOLDING, .first = (uint16_t)(10 * i), .count = 1 };
	f->points[i] = (struct point){ .device = &f->device, .address = &f->addresses[i] };
	f->requests[i] = (struct request){
		.point = &f->points[i], .rank = rank, .write = write, .driver_data = write ? NULL : f
	};
	mbqueue_add(&f->queue, &f->requests[i]);
	return &f->requests[i];
}

static struct request *next(struct field *f)
{
	struct mbqueue_block b;
	if (!mbqueue_next(&f->queue, 0, &b))
		return NULL;
	struct request *r = list_of(list_pop(&b.requests), struct request, link);
	cr_assert(list_empty(&b.requests));
	return r;
}

static void end(struct field *f)
{
	while (mbqueue_pop(&f->queue))
		continue;
	mbqueue_end(&f->queue);
}

Test(mbqueue, takes_writes_before_polls_before_what_is_asked_for_before_the_rest)
{
	struct field f;
	begin(&f);
	struct request *background = add(&f, REQUEST_BACKGROUND, false), *asked = add(&f, REQUEST_ASKED, false);
	struct request *poll = add(&f, REQUEST_POLLED, false), *write = add(&f, REQUEST_ASKED, true);
	cr_expect_eq(next(&f), write);
	cr_expect_eq(next(&f), poll);
	cr_expect_eq(next(&f), asked);
	cr_expect_eq(next(&f), background);
	cr_expect_null(next(&f));
	end(&f);
}

Test(mbqueue, takes_the_poll_that_is_due_first)
{
	struct field f;
	begin(&f);
	f.requests[N - 1].due_ms = 0;
	static const int64_t due[] = { 5000, 500, 1000, 500 };
	static const size_t order[] = { 1, 3, 2, 0 };
	for (size_t i = 0; i < 4; i++) {
		struct request *r = add(&f, REQUEST_POLLED, false);
		list_drop(&r->link);
		r->due_ms = due[i];
		mbqueue_add(&f.queue, r);
	}
	for (size_t i = 0; i < 4; i++)
		cr_expect_eq(next(&f), &f.requests[order[i]]);
	end(&f);
}

/* Endless writes and polls: whoever else waits has his turn, too. */
Test(mbqueue, passes_nobody_over_for_ever)
{
	struct field f;
	begin(&f);
	struct request *background = add(&f, REQUEST_BACKGROUND, false), *asked = add(&f, REQUEST_ASKED, false);
	struct request *poll = add(&f, REQUEST_POLLED, false);
	size_t when[3] = { 0 };
	for (size_t i = 1; i < 60; i++) {
		add(&f, REQUEST_ASKED, true);
		struct request *r = next(&f);
		when[0] = r == poll ? i : when[0];
		when[1] = r == asked ? i : when[1];
		when[2] = r == background ? i : when[2];
	}
	cr_expect(when[0] && when[0] <= 6, "poll: %zu", when[0]);
	cr_expect(when[1] && when[1] <= 8, "asked: %zu", when[1]);
	cr_expect(when[2] && when[2] <= 20, "background: %zu", when[2]);
	end(&f);
}

Test(mbqueue, lets_whoever_waits_ride_along)
{
	struct field f;
	struct mbqueue_block b;
	begin(&f);
	add(&f, REQUEST_POLLED, false);
	add(&f, REQUEST_ASKED, false);
	add(&f, REQUEST_BACKGROUND, false);
	for (uint16_t i = 0; i < 3; i++)
		f.addresses[i].first = i;
	cr_assert(mbqueue_next(&f.queue, 0, &b));
	cr_expect(b.first == 0 && b.count == 3);
	cr_expect_not(mbqueue_next(&f.queue, 0, &(struct mbqueue_block){ 0 }));
	end(&f);
}
