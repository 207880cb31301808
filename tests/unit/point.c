#include "core/model/point.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/model/house.h"

#include <criterion/criterion.h>
#include <string.h>

static struct decimal dec(const char *text)
{
	struct decimal d;
	cr_assert_eq(decimal_parse(text, strlen(text), &d), 0);
	return d;
}

static struct point *new_point(enum type type)
{
	struct point *p = mem_new(sizeof(*p));
	p->id = mem_text("p");
	p->type = type;
	p->decimals = -1;
	p->access = ACCESS_BOTH;
	return p;
}

static enum news take(struct point *p, const char *number, int64_t now)
{
	struct sample s = sample_good(value_number(dec(number)), 1000);
	return point_take(p, &s, now);
}

static void shows(const struct point *p, const char *wanted)
{
	char room[DECIMAL_ROOM];
	cr_expect_str_eq(value_print(&p->last.value, room), wanted);
}

Test(point, never_seen_old_and_bad_are_different_and_none_is_zero)
{
	struct point *p = new_point(TYPE_REAL);
	cr_expect_eq(p->last.quality, QUALITY_UNKNOWN);
	shows(p, "");
	struct sample bad = sample_bad(TROUBLE_TIMEOUT, 0);
	cr_expect_eq(point_take(p, &bad, 1), NEWS_QUALITY);
	cr_expect_eq(p->last.quality, QUALITY_BAD);
	shows(p, "");
	cr_expect_eq(take(p, "21.50", 2), NEWS_QUALITY);
	shows(p, "21.50");
	p->stale_ms = 10;
	cr_expect_eq(point_age_due(p), 12);
	cr_expect_eq(point_age(p, 11), NEWS_NONE);
	cr_expect_eq(point_age(p, 12), NEWS_QUALITY);
	cr_expect_eq(p->last.quality, QUALITY_OLD);
	cr_expect_eq(point_age(p, 13), NEWS_NONE);
	point_free(p);
}

Test(point, a_retained_value_is_old_and_never_replaces_a_good_one)
{
	struct point *p = new_point(TYPE_REAL);
	struct sample old = { .value = value_integer(5), .quality = QUALITY_OLD };
	cr_expect_eq(point_take(p, &old, 1), NEWS_QUALITY);
	cr_expect_eq(p->last.quality, QUALITY_OLD);
	cr_expect_eq(take(p, "6", 2), NEWS_QUALITY);
	old = (struct sample){ .value = value_integer(5), .quality = QUALITY_OLD };
	cr_expect_eq(point_take(p, &old, 3), NEWS_NONE);
	shows(p, "6");
	cr_expect_eq(p->last.quality, QUALITY_GOOD);
	point_free(p);
}

Test(point, measures_the_deadband_from_what_was_told)
{
	struct point *p = new_point(TYPE_REAL);
	p->has_deadband = true;
	p->deadband = dec("0.5");
	cr_expect_eq(take(p, "20.0", 1), NEWS_QUALITY);
	cr_expect_eq(take(p, "20.3", 2), NEWS_NONE);
	shows(p, "20.3");
	cr_expect_eq(take(p, "20.5", 3), NEWS_VALUE, "slow drift is told");
	cr_expect_eq(take(p, "20.1", 4), NEWS_NONE);
	point_free(p);
}

Test(point, scales_words_and_nan)
{
	struct point *p = new_point(TYPE_INT16);
	p->has_scale = p->has_offset = true;
	p->scale = dec("0.1");
	p->offset = dec("-40");
	p->nan = mem_new(sizeof(struct value));
	p->nan[0] = value_integer(-32768);
	p->n_nan = 1;
	take(p, "655", 1);
	shows(p, "25.5");
	take(p, "-32768", 2);
	cr_expect_eq(p->last.quality, QUALITY_BAD);
	cr_expect_eq(p->last.trouble, TROUBLE_NO_VALUE);
	point_free(p);

	p = new_point(TYPE_UINT16);
	p->words = mem_array(2, sizeof(struct word));
	p->words[0] = (struct word){ dec("0"), mem_text("off") };
	p->words[1] = (struct word){ dec("7"), mem_text("heating") };
	p->n_words = 2;
	take(p, "7", 1);
	shows(p, "heating");
	take(p, "3", 2);
	cr_expect_eq(p->last.trouble, TROUBLE_RANGE, "an unknown word is no value");
	struct value raw, shown = value_text("Heating", 7);
	struct err e;
	cr_expect_eq(point_to_raw(p, &shown, &raw, &e), 0);
	cr_expect_eq(raw.number.digits, 7);
	value_free(&shown);
	shown = value_text("boil", 4);
	cr_expect_eq(point_to_raw(p, &shown, &raw, &e), -1);
	cr_expect_str_eq(e.text, "must be one of: off, heating");
	value_free(&shown);
	point_free(p);
}

Test(point, refuses_a_write_out_of_range)
{
	struct point *p = new_point(TYPE_INT16);
	p->has_scale = p->has_min = p->has_max = true;
	p->scale = dec("0.1");
	p->min = dec("30.0");
	p->max = dec("75.0");
	struct value raw, shown = value_number(dec("75.1"));
	struct err e;
	cr_expect_eq(point_to_raw(p, &shown, &raw, &e), -1);
	cr_expect_str_eq(e.text, "must be from 30.0 to 75.0");
	shown = value_number(dec("60.55"));
	cr_expect_eq(point_to_raw(p, &shown, &raw, &e), -1);
	cr_expect_str_eq(e.text, "must be a multiple of 0.1");
	shown = value_number(dec("60.5"));
	cr_expect_eq(point_to_raw(p, &shown, &raw, &e), 0);
	cr_expect_eq(raw.number.digits, 605);
	shown = value_bool(true);
	cr_expect_eq(point_to_raw(p, &shown, &raw, &e), -1);
	p->access = ACCESS_READ;
	shown = value_number(dec("60.5"));
	cr_expect_eq(point_to_raw(p, &shown, &raw, &e), -1);
	cr_expect_str_eq(e.text, "is read-only");
	point_free(p);

	p = new_point(TYPE_UINT16);
	shown = value_integer(65536);
	cr_expect_eq(point_to_raw(p, &shown, &raw, &e), -1);
	cr_expect_str_eq(e.text, "does not fit into uint16");
	point_free(p);
}

Test(point, a_text_with_choices_shows_and_takes_only_these)
{
	struct point *p = new_point(TYPE_TEXT);
	struct value heat = value_text("heat", 4), other = value_text("warm", 4), raw = { 0 };
	struct err e;
	p->choices = mem_array(2, sizeof(struct value));
	p->choices[0] = value_text("heat", 4);
	p->choices[1] = value_text("cool", 4);
	p->n_choices = 2;
	cr_expect_eq(point_to_raw(p, &heat, &raw, &e), 0);
	value_free(&raw);
	cr_expect_lt(point_to_raw(p, &other, &raw, &e), 0);
	cr_expect_str_eq(e.text, "must be one of: heat, cool");
	struct sample good = sample_good(value_text("cool", 4), 1), bad = sample_good(value_text("warm", 4), 2);
	point_take(p, &good, 1);
	shows(p, "cool");
	point_take(p, &bad, 2);
	cr_expect_eq(p->last.quality, QUALITY_BAD);
	cr_expect_eq(p->last.trouble, TROUBLE_RANGE);
	value_free(&heat);
	value_free(&other);
	point_free(p);
}

Test(point, takes_no_value_of_another_type)
{
	struct point *p = new_point(TYPE_INT);
	take(p, "21.5", 1);
	cr_expect_eq(p->last.trouble, TROUBLE_TYPE, "an int with a fraction is not one");
	struct sample s = sample_good(value_text("21", 2), 1);
	point_take(p, &s, 2);
	cr_expect_eq(p->last.trouble, TROUBLE_TYPE);
	point_free(p);

	p = new_point(TYPE_BOOL);
	take(p, "2", 1);
	cr_expect_eq(p->last.quality, QUALITY_BAD, "2 is neither true nor false");
	take(p, "1", 2);
	shows(p, "true");
	point_free(p);

	p = new_point(TYPE_TEXT);
	s = sample_good(value_text("a\x01", 2), 1);
	point_take(p, &s, 1);
	cr_expect_eq(p->last.trouble, TROUBLE_TYPE);
	point_free(p);

	p = new_point(TYPE_TIME);
	s = sample_good(value_text("2026-11-21T05:16:49+01:00", 25), 1);
	point_take(p, &s, 1);
	shows(p, "2026-11-21T04:16:49.000Z");
	take(p, "951827696", 2);
	shows(p, "2000-02-29T12:34:56.000Z");
	point_free(p);
}

Test(point, reads_what_people_type)
{
	struct point *p = new_point(TYPE_BOOL);
	struct value v;
	struct err e;
	cr_expect_eq(point_parse(p, "On", 2, &v, &e), 0);
	cr_expect(v.yes);
	cr_expect_eq(point_parse(p, "0", 1, &v, &e), 0);
	cr_expect_not(v.yes);
	cr_expect_eq(point_parse(p, "maybe", 5, &v, &e), -1);
	cr_expect_str_eq(e.text, "must be true or false");
	point_free(p);
	p = new_point(TYPE_REAL);
	cr_expect_eq(point_parse(p, "21.50", 5, &v, &e), 0);
	cr_expect_eq(v.number.digits, 2150);
	cr_expect_eq(point_parse(p, "nan", 3, &v, &e), -1);
	point_free(p);
}

Test(point, is_fresh_for_one_poll)
{
	struct point *p = new_point(TYPE_INT);
	cr_expect_not(point_is_fresh(p, 100));
	p->poll_ms = 5000;
	take(p, "1", 100);
	cr_expect(point_is_fresh(p, 5100));
	cr_expect_not(point_is_fresh(p, 5101));
	p->poll_ms = 0;
	cr_expect(point_is_fresh(p, 999999), "what the bus tells is as fresh as its quality says");
	point_free(p);
}

static struct device *new_device(struct house *h, const char *id, enum gathering gathering)
{
	struct device *d = mem_new(sizeof(*d));
	d->id = mem_text(id);
	d->gathering = gathering;
	names_add(&d->names, "en", "Boiler");
	names_add(&d->names, "de", "Kessel");
	h->devices = mem_resize(h->devices, (h->n_devices + 1) * sizeof(struct device *));
	h->devices[h->n_devices++] = d;
	for (int i = 0; i < 2; i++) {
		struct point *p = new_point(TYPE_INT);
		p->device = d;
		p->id[0] = (char)('a' + i);
		names_add(&p->names, "de-AT", "Punkt");
		d->points = mem_resize(d->points, (d->n_points + 1) * sizeof(struct point *));
		d->points[d->n_points++] = p;
	}
	return d;
}

Test(house, makes_a_thing_of_each_point_or_of_the_device)
{
	struct house *h = house_new();
	struct err e;
	new_device(h, "boiler", GATHER_POINTS)->points[1]->hidden = true;
	new_device(h, "meter", GATHER_DEVICE);
	cr_assert_eq(house_make_things(h, &e), 0);
	cr_expect_eq(h->things.n, 2);
	struct thing *t = house_find_thing(h, "boiler.a", 8);
	cr_assert(t);
	cr_expect_str_eq(names_find(&t->names, "de-AT"), "Kessel Punkt");
	t = house_find_thing(h, "meter", 5);
	cr_assert(t);
	cr_expect_eq(t->n_points, 2);
	cr_expect_eq(thing_find_point(t, "b", 1), t->points[1]);
	cr_expect_null(thing_find_point(t, "bb", 2));
	house_free(h);
}

Test(house, refuses_two_things_with_one_jid)
{
	struct house *h = house_new();
	struct err e;
	new_device(h, "boiler", GATHER_POINTS);
	new_device(h, "x", GATHER_POINTS)->points[0]->jid = mem_text("boiler.b");
	cr_assert_eq(house_make_things(h, &e), -1);
	cr_expect_str_eq(e.text, "device 'x': its thing 'boiler.b' has the JID of one of device 'boiler'");
	house_free(h);
}

Test(point, shows_the_total_of_a_counter_that_wraps)
{
	struct point *p = new_point(TYPE_UINT16);
	p->kind = KIND_COUNTER;
	p->has_wrap = p->has_scale = true;
	p->wrap = dec("65536");
	p->scale = dec("0.1");
	p->access = ACCESS_READ;
	cr_expect_eq(take(p, "65500", 1), NEWS_QUALITY);
	cr_expect_eq(take(p, "65530", 10001), NEWS_VALUE);
	shows(p, "6553.0");
	cr_expect_eq(take(p, "10", 20001), NEWS_VALUE);
	shows(p, "6554.6");
	cr_expect_not(p->anew);
	cr_expect_eq(take(p, "3", 30001), NEWS_VALUE);
	shows(p, "0.3");
	cr_expect(p->anew, "a reset");
	take(p, "65536", 40001);
	cr_expect_eq(p->last.trouble, TROUBLE_RANGE, "such a reading there is not");
	struct sample old = { .value = value_integer(70), .quality = QUALITY_OLD };
	cr_expect_eq(point_take(p, &old, 50001), NEWS_NONE, "of which turn nobody knows");
	point_free(p);
}

static struct point *new_meter(void)
{
	struct point *p = new_point(TYPE_UINT16);
	p->kind = KIND_COUNTER;
	p->has_wrap = true;
	p->wrap = dec("65536");
	p->access = ACCESS_READ;
	return p;
}

static const char *shown_by_the_next(bool same, const char *reading)
{
	static char room[DECIMAL_ROOM];
	struct point *was = new_meter(), *p = new_meter();
	take(was, "65530", 1);
	take(was, "10", 10001); /* one turn */
	point_inherit(p, was, same);
	point_free(was);
	take(p, reading, 20001);
	value_print(&p->last.value, room);
	point_free(p);
	return room;
}

Test(point, of_another_register_has_none_of_the_turns_of_the_one_before)
{
	cr_expect_str_eq(shown_by_the_next(true, "20"), "65556");
	cr_expect_str_eq(shown_by_the_next(false, "20"), "20");
}

Test(point, without_wrap_shows_what_the_device_says_and_knows_a_reset)
{
	struct point *p = new_point(TYPE_UINT16);
	p->kind = KIND_COUNTER;
	take(p, "65530", 1);
	take(p, "3", 2);
	shows(p, "3");
	cr_expect(p->anew);
	take(p, "4", 3);
	cr_expect_not(p->anew);
	point_free(p);
}
