#include "bridges/wave.h"
#include "core/base/mem.h"
#include "tests/lib/rig.h"

#include <criterion/criterion.h>

extern const struct bridge_driver driver_sim;

static void fault(struct schedule *s, enum trouble kind, int64_t after_ms, int64_t lasts_ms)
{
	s->list = mem_resize(s->list, (s->n + 1) * sizeof(struct schedule_fault));
	s->list[s->n++] = (struct schedule_fault){ .kind = (int)kind, .after_ms = after_ms, .lasts_ms = lasts_ms };
}

static struct schedule *faults_of(struct point *p)
{
	return &((struct wave *)p->address)->faults;
}

static struct schedule *faults_of_bus(struct rig *rig)
{
	const struct setting *row = setting_find(driver_sim.protocol.options, "faults");
	return (struct schedule *)(void *)((char *)rig->bus->options + row->offset);
}

static const struct {
	const char *options;
	enum type type;
	int64_t at_ms;
	const char *shown;
} shapes[] = {
	{ "wave=constant; mean=21.50", TYPE_REAL, 7, "21.50" },
	{ "wave=sine; mean=20; amplitude=2; period=10s", TYPE_REAL, 0, "20.000" },
	{ "wave=sine; mean=20; amplitude=2; period=10s", TYPE_REAL, 2500, "22.000" },
	{ "wave=sine; mean=20; amplitude=2; period=10s", TYPE_INT, 7500, "18" },
	{ "wave=step; mean=0.5; amplitude=0.5; period=10s", TYPE_REAL, 4999, "0.0" },
	{ "wave=step; mean=0.5; amplitude=0.5; period=10s", TYPE_REAL, 5000, "1.0" },
	{ "wave=step; period=10s", TYPE_BOOL, 12000, "false" },
	{ "wave=step; period=10s", TYPE_BOOL, 17000, "true" },
	{ "wave=ramp; amplitude=100; period=10s", TYPE_INT, 7500, "50" },
	{ "wave=counter; mean=7; amplitude=3; period=10s", TYPE_INT, 39999, "16" },
	{ "wave=held; mean=50", TYPE_INT, 39999, "50" },
};

Test(sim, waves_are_exact_at_each_time)
{
	struct rig *rig = rig_new(&driver_sim, "");
	struct device *d = rig_device(rig, "d", "");
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct point *p = rig_point(rig, d, "p", shapes[i].type, shapes[i].options);
		struct value v = wave_value(p, shapes[i].at_ms);
		char room[DECIMAL_ROOM];
		cr_expect_str_eq(value_print(&v, room), shapes[i].shown, "%s", shapes[i].options);
	}
	rig_free(rig);
}

Test(sim, answers_reads_and_follows_virtual_time)
{
	struct rig *rig = rig_new(&driver_sim, "");
	struct point *p = rig_point(rig, rig_device(rig, "d", ""), "n", TYPE_INT, "wave=counter; period=1h");
	char shown[DECIMAL_ROOM];
	rig_start(rig);
	cr_assert_eq(rig_read(rig, p, shown), REQUEST_DONE);
	cr_assert_str_eq(shown, "0");
	loop_skip(rig->loop, 3 * 3600 * 1000);
	cr_assert_eq(rig_read(rig, p, shown), REQUEST_DONE);
	cr_assert_str_eq(shown, "3");
	rig_free(rig);
}

Test(sim, is_polled_by_the_core)
{
	struct rig *rig = rig_new(&driver_sim, "");
	struct point *p = rig_point(rig, rig_device(rig, "d", ""), "n", TYPE_INT, "wave=counter; period=1h");
	rig_start(rig);
	RIG_UNTIL(rig, p->last.quality == QUALITY_GOOD);
	loop_skip(rig->loop, 3600 * 1000);
	RIG_UNTIL(rig, p->last.value.number.digits == 1);
	rig_free(rig);
}

static size_t n_good(const struct rig *rig)
{
	size_t n = 0;
	for (size_t i = 0; i < rig->bridge->n_points; i++)
		n += rig->bridge->points[i]->last.quality == QUALITY_GOOD;
	return n;
}

Test(sim, more_points_than_the_queue_of_a_bus_are_all_polled)
{
	struct rig *rig = rig_new(&driver_sim, "");
	struct device *d = rig_device(rig, "d", "");
	for (int i = 0; i < 3000; i++)
		rig_point(rig, d, "p", TYPE_INT, "wave=counter; period=1h");
	rig_start(rig);
	RIG_UNTIL(rig, n_good(rig) == 3000);
	loop_skip(rig->loop, 3600 * 1000);
	RIG_UNTIL(rig, rig->bridge->points[2999]->last.value.number.digits == 1);
	rig_free(rig);
}

Test(sim, pushes_when_asked_to_and_is_not_polled)
{
	struct rig *rig = rig_new(&driver_sim, "");
	struct point *p = rig_point(rig, rig_device(rig, "d", ""), "n", TYPE_INT, "wave=counter; period=1h; push=30m");
	rig_start(rig);
	RIG_UNTIL(rig, p->last.quality == QUALITY_GOOD);
	cr_assert(p->listens && p->poll_ms == 0);
	loop_skip(rig->loop, 3600 * 1000);
	RIG_UNTIL(rig, p->last.value.number.digits == 1);
	rig_free(rig);
}

Test(sim, keeps_what_is_written)
{
	struct rig *rig = rig_new(&driver_sim, "");
	struct device *d = rig_device(rig, "d", "");
	struct point *p = rig_point(rig, d, "set", TYPE_REAL, "wave=held; mean=50"), *other;
	other = rig_point(rig, d, "other", TYPE_REAL, "wave=held; mean=50");
	char shown[DECIMAL_ROOM];
	p->access = ACCESS_BOTH;
	p->confirm = CONFIRM_READBACK;
	rig_start(rig);
	cr_assert_eq(rig_read(rig, p, shown), REQUEST_DONE);
	cr_assert_str_eq(shown, "50");
	cr_assert_eq(rig_write(rig, p, "61.50"), REQUEST_DONE);
	cr_assert_eq(rig_read(rig, p, shown), REQUEST_DONE);
	cr_assert_str_eq(shown, "61.50");
	cr_assert_eq(rig_read(rig, other, shown), REQUEST_DONE);
	cr_assert_str_eq(shown, "50");
	rig_free(rig);
}

Test(sim, reading_back_writes_nothing)
{
	struct rig *rig = rig_new(&driver_sim, "delay=1s");
	struct point *p = rig_point(rig, rig_device(rig, "d", ""), "set", TYPE_INT, "wave=held; mean=5");
	struct rig_ask a = { 0 }, b = { 0 };
	p->access = ACCESS_BOTH;
	p->confirm = CONFIRM_READBACK;
	p->poll_ms = 0;
	rig_start(rig);
	rig_ask_write(rig, &a, p, "1", 60000);
	rig_ask_write(rig, &b, p, "2", 60000); /* between the other one and its reading back */
	while (!a.n_done || !b.n_done) {
		loop_skip(rig->loop, 1000);
		loop_turn(rig->loop);
	}
	cr_assert_eq(a.status, REQUEST_DIFFERS);
	cr_assert_eq(b.status, REQUEST_DONE);
	cr_assert_eq(p->last.value.number.digits, 2);
	rig_free(rig);
}

Test(sim, tells_a_written_value_at_once_when_it_pushes)
{
	struct rig *rig = rig_new(&driver_sim, "");
	struct point *p = rig_point(rig, rig_device(rig, "d", ""), "on", TYPE_BOOL, "wave=held; push=25h");
	p->access = ACCESS_BOTH;
	p->confirm = CONFIRM_STATE;
	rig_start(rig);
	struct rig_ask a = { 0 };
	rig_ask_write(rig, &a, p, "on", 5000);
	RIG_UNTIL(rig, a.n_done);
	cr_assert_eq(a.status, REQUEST_DONE);
	cr_assert(a.confirmed && p->last.value.yes);
	rig_ask_free(&a);
	rig_free(rig);
}

Test(sim, a_slow_bus_serves_one_after_the_other)
{
	struct rig *rig = rig_new(&driver_sim, "delay=1s");
	struct device *d = rig_device(rig, "d", "");
	struct point *p = rig_point(rig, d, "p", TYPE_REAL, ""), *q = rig_point(rig, d, "q", TYPE_REAL, "");
	p->poll_ms = q->poll_ms = 0;
	rig_start(rig);
	struct rig_ask a = { 0 }, b = { 0 };
	rig_ask_read(rig, &a, p, 5000);
	rig_ask_read(rig, &b, q, 5000);
	loop_skip(rig->loop, 1000);
	RIG_UNTIL(rig, a.n_done);
	cr_assert_eq(b.n_done, 0);
	loop_skip(rig->loop, 1000);
	RIG_UNTIL(rig, b.n_done);
	rig_free(rig);
}

static const struct {
	enum trouble trouble;
	int status;
} troubles[] = {
	{ TROUBLE_AWAY, REQUEST_AWAY },
	{ TROUBLE_TIMEOUT, REQUEST_TIMEOUT },
	{ TROUBLE_REFUSED, REQUEST_REFUSED },
	{ TROUBLE_GARBLED, REQUEST_GARBLED },
};

Test(sim, fails_on_its_schedule_and_recovers)
{
	struct rig *rig = rig_new(&driver_sim, "");
	struct device *d = rig_device(rig, "d", "");
	struct point *p[4];
	for (size_t i = 0; i < 4; i++) {
		p[i] = rig_point(rig, d, "p", TYPE_REAL, "wave=constant");
		p[i]->poll_ms = 0;
		fault(faults_of(p[i]), troubles[i].trouble, 3600000, 3600000);
	}
	rig_start(rig);
	for (size_t i = 0; i < 4; i++)
		cr_expect_eq(rig_read(rig, p[i], NULL), REQUEST_DONE);
	loop_skip(rig->loop, 3600000);
	for (size_t i = 0; i < 4; i++) {
		struct rig_ask a = { 0 };
		rig_ask_read(rig, &a, p[i], 60000);
		loop_turn(rig->loop);
		if (!a.n_done)
			loop_skip(rig->loop, 60000);
		RIG_UNTIL(rig, a.n_done);
		cr_expect_eq(a.status, troubles[i].status);
		cr_expect_eq(p[i]->last.trouble, troubles[i].trouble);
		cr_expect_eq(p[i]->last.quality, QUALITY_BAD);
	}
	loop_skip(rig->loop, 3600000);
	for (size_t i = 0; i < 4; i++)
		cr_expect_eq(rig_read(rig, p[i], NULL), REQUEST_DONE);
	rig_free(rig);
}

Test(sim, a_fault_of_the_bus_takes_it_away_and_it_comes_back)
{
	struct rig *rig = rig_new(&driver_sim, "delay=1s");
	struct device *d = rig_device(rig, "d", "");
	struct point *p = rig_point(rig, d, "p", TYPE_REAL, "wave=held; mean=5"), *q;
	q = rig_point(rig, d, "q", TYPE_REAL, "wave=constant; push=1s");
	p->access = ACCESS_BOTH;
	fault(faults_of_bus(rig), TROUBLE_AWAY, 3600000, 60000);
	rig_start(rig);
	struct rig_ask a = { 0 };
	rig_ask_write(rig, &a, p, "6", 5000);
	loop_skip(rig->loop, 1000);
	RIG_UNTIL(rig, a.n_done && q->last.quality == QUALITY_GOOD);
	cr_assert_eq(a.status, REQUEST_DONE);
	loop_skip(rig->loop, 3600000);
	RIG_UNTIL(rig, rig->n_away == 1);
	cr_assert_eq(p->last.trouble, TROUBLE_AWAY);
	cr_assert_eq(q->last.trouble, TROUBLE_AWAY);
	loop_skip(rig->loop, 65000);
	RIG_UNTIL(rig, rig->n_up == 2 && q->last.quality == QUALITY_GOOD);
	loop_skip(rig->loop, 11000);
	RIG_UNTIL(rig, p->last.quality == QUALITY_GOOD);
	cr_assert_eq(p->last.value.number.digits, 6);
	rig_free(rig);
}

static const struct {
	enum type type;
	enum access access;
	const char *options, *sentence;
} refusals[] = {
	{ TYPE_TEXT, ACCESS_READ, "", "type: a simulated point is bool, int or real" },
	{ TYPE_REAL, ACCESS_BOTH, "wave=sine", "wave: only a \"held\" value can be written" },
};

Test(sim, refuses_what_it_cannot_do)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct rig *rig = rig_new(&driver_sim, "");
		struct err e = { "" };
		rig_point(rig, rig_device(rig, "d", ""), "p", refusals[i].type, refusals[i].options)->access =
			refusals[i].access;
		cr_expect_eq(rig_check(rig, &e), -1);
		cr_expect_str_eq(e.text, refusals[i].sentence);
		rig_free(rig);
	}
}

Test(sim, ends_every_request_when_it_is_stopped)
{
	struct rig *rig = rig_new(&driver_sim, "delay=1h");
	struct device *d = rig_device(rig, "d", "");
	struct point *p = rig_point(rig, d, "p", TYPE_REAL, ""), *q = rig_point(rig, d, "q", TYPE_REAL, "");
	p->poll_ms = q->poll_ms = 0;
	fault(faults_of(q), TROUBLE_TIMEOUT, 0, 0);
	rig_start(rig);
	struct rig_ask a = { 0 }, b = { 0 }, c = { 0 };
	rig_ask_read(rig, &a, q, 25 * 3600000);
	rig_ask_read(rig, &b, p, 25 * 3600000);
	rig_ask_read(rig, &c, p, 25 * 3600000);
	bridge_cancel(rig->bridge, &c.request);
	cr_assert_eq(c.n_done, 1);
	cr_assert_eq(c.status, REQUEST_CANCELLED);
	loop_skip(rig->loop, 3600000);
	loop_turn(rig->loop);
	bridge_stop(rig->bridge);
	cr_assert_eq(a.n_done, 1);
	cr_assert_eq(b.n_done, 1);
	rig_free(rig);
}
