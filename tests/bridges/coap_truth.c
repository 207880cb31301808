#include "tests/bridges/coap_field.h"

#include <criterion/criterion.h>
#include <string.h>

/*
 * Whatever the device does: what a friend may see is right, or it is marked. Each value says which resource it is of, and
 * in which second it was true: nothing good is of another resource, of the future, older than `stale`, or older than what was
 * seen before.
 */

enum { POINTS = 5, STALE_S = 20 };

struct site {
	struct coap_field f;
	struct point *points[POINTS];
	struct coapd_resource *resources[POINTS];
	int second, seen[POINTS];
	bool quiet;
};

static const struct {
	const char *path;
	bool json;
	const char *options;
} places[POINTS] = {
	{ "/polled", false, "" },
	{ "/told", false, "observe=true; refresh=15s" },
	{ "/long", true, "pointer=/v" },
	{ "/saga", true, "pointer=/v; observe=true; refresh=15s" },
	{ "/saga", true, "pointer=/w; observe=true; refresh=15s" },
};

static void begin(struct site *s)
{
	*s = (struct site){ .f = coap_field_new("timeout=2s; max_retransmit=2") };
	for (size_t i = 0; i < POINTS; i++) {
		char options[128];
		bool again = i && strcmp(places[i].path, places[i - 1].path) == 0;
		snprintf(options, sizeof(options), "path=%s; %s", places[i].path, places[i].options);
		s->resources[i] = again ? s->resources[i - 1] : coapd_add(s->f.d, places[i].path, places[i].json);
		s->points[i] = coap_field_point(&s->f, TYPE_INT, options);
		s->points[i]->stale_ms = STALE_S * 1000;
		if (!strstr(options, "observe"))
			s->points[i]->poll_ms = 3000;
	}
	rig_start(s->f.rig);
}

static void end_of_quiet(void *ctx)
{
	*(bool *)ctx = true;
}

/* Of a point that is good: how many seconds ago was it so? */
static int age_of(struct site *s, size_t i)
{
	int64_t value = -1;
	cr_assert_eq(decimal_integer(s->points[i]->last.value.number, &value), 0);
	int64_t second = value - (int64_t)s->resources[i]->number * COAPD_STEP;
	cr_assert(second >= 0 && second <= s->second, "'%s' shows %lld, which never was", places[i].path,
		  (long long)value);
	cr_assert(second >= s->seen[i], "'%s' goes back to %lld after %d", places[i].path, (long long)second,
		  s->seen[i]);
	s->seen[i] = (int)second;
	return s->second - (int)second;
}

static void look(struct site *s, const char *fault)
{
	for (size_t i = 0; i < POINTS; i++)
		if (s->points[i]->last.quality == QUALITY_GOOD) {
			int age = age_of(s, i);
			cr_assert(age <= STALE_S + 1, "%s: '%s' is %d s old and called good", fault, places[i].path,
				  age);
		}
}

/* A second goes by, and everything that is due in it. */
static void go_on(struct site *s, const char *fault)
{
	struct timer timer = { 0 };
	s->second++;
	for (size_t i = 0; i < POINTS; i++) /* two points may share one */
		if (i == 0 || s->resources[i] != s->resources[i - 1])
			coapd_change(s->f.d, s->resources[i]);
	loop_skip(s->f.rig->loop, 1000);
	s->quiet = false;
	timer_set(s->f.rig->loop, &timer, 4, end_of_quiet, &s->quiet);
	RIG_UNTIL(s->f.rig, s->quiet);
	look(s, fault);
}

static bool all_current(struct site *s)
{
	for (size_t i = 0; i < POINTS; i++)
		if (s->points[i]->last.quality != QUALITY_GOOD || age_of(s, i) > 4)
			return false;
	return true;
}

static void recover(struct site *s, const char *fault)
{
	int patience = 900; /* an observation that failed often is tried again after at most 300 s */
	s->f.d->faults = (struct coapd_faults){ .length = 3000, .szx = 1 + 6 };
	while (!all_current(s) && patience--)
		go_on(s, fault);
	cr_assert(patience > 0, "after %s: not all is current again", fault);
}

Test(coap_truth, a_value_is_right_or_marked_whatever_the_device_does, .timeout = 120)
{
	struct site s;
	struct coapd_faults faults;
	const char *word;
	begin(&s);
	recover(&s, "nothing");
	for (size_t n = 0; (word = coapd_misbehaviour(n, &faults)); n++) {
		if (!faults.length && !faults.body && !faults.huge) {
			faults.length = 3000;
			faults.szx = faults.szx ? faults.szx : 1 + 6;
		}
		s.f.d->faults = faults;
		for (int i = 0; i < STALE_S + 10; i++)
			go_on(&s, word);
		recover(&s, word);
	}
	coap_field_free(&s.f);
}

Test(coap_truth, a_value_is_right_or_marked_when_the_device_is_killed_and_restarted, .timeout = 120)
{
	struct site s;
	begin(&s);
	recover(&s, "nothing");
	for (int round = 1; round < 6; round++) {
		coapd_kill(s.f.d);
		for (int i = 0; i < round * 8; i++) {
			s.second++;
			for (size_t j = 0; j < POINTS; j++)
				s.resources[j]->counter = s.second;
			loop_skip(s.f.rig->loop, 1000);
			loop_turn(s.f.rig->loop);
			look(&s, "death");
		}
		coapd_restart(s.f.d);
		s.f.d->faults.lose_percent = 10;
		for (int i = 0; i < 20; i++)
			go_on(&s, "a bad line");
		recover(&s, "death");
	}
	coap_field_free(&s.f);
}
