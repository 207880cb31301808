/* History in RAM: what goes in comes out, in the order in which it came, and the bounds hold. */
#include "core/model/past.h"

#include "core/base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { SECOND = 1000, HOUR = 3600 * SECOND, DAY = 24 * HOUR, MANY = 20000 };

static const int64_t BEGAN = 1700000000000;
static uint64_t seed = 1;

static uint64_t dice(uint64_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 11) % below;
}

static struct value any_number(void)
{
	uint64_t digits = dice(4) ? dice(100000) : seed;
	return value_number((struct decimal){ digits, (int16_t)(dice(4) ? -2 : (int)dice(60) - 30), dice(2) });
}

static struct value any_text(void)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	char text[PACK_TEXT];
	size_t size = dice(3) ? dice(3) : dice(sizeof(text));
	for (size_t i = 0; i < size; i++)
		text[i] = letters[dice(size < 3 ? 2 : 26)];
	return value_text(text, size);
}

static struct value any_value(void)
{
	switch (dice(6)) {
	case 0:
		return value_bool(dice(2));
	case 1:
		return any_text();
	case 2:
		return value_time((int64_t)seed);
	default:
		return any_number();
	}
}

static bool same(const struct sample *wanted, const struct pack_sample *s)
{
	const struct value *v = &wanted->value, *w = &s->value;
	if (v->type != w->type || wanted->utc_ms != s->utc_ms)
		return false;
	switch (v->type) {
	case VALUE_BOOL:
		return v->yes == w->yes;
	case VALUE_TIME:
		return v->time == w->time;
	case VALUE_TEXT:
		return strlen(v->text) == s->text_size && memcmp(v->text, w->text, s->text_size) == 0;
	case VALUE_NUMBER:
		return v->number.digits == w->number.digits && v->number.exp10 == w->number.exp10 &&
		       v->number.negative == w->number.negative;
	case VALUE_NONE:
		break;
	}
	return false;
}

static void any_samples(struct sample *samples)
{
	int64_t at = BEGAN;
	for (size_t i = 0; i < MANY; i++) {
		at += dice(50) ? (int64_t)dice(20000) : (int64_t)dice(2 * DAY) - DAY; /* the clock is set */
		samples[i] = sample_good(any_value(), at);
	}
}

static void free_samples(struct sample *samples)
{
	for (size_t i = 0; i < MANY; i++)
		sample_free(&samples[i]);
	mem_free(samples);
}

/* All that is there, which is an end of what was put in. */
static size_t check_all(const struct past_ring *r, const struct sample *samples, uint64_t from)
{
	struct past_walk w;
	struct pack_sample s;
	size_t n = 0;
	past_walk(&w, r, from);
	uint64_t at = w.next;
	for (; past_next(&w, &s); n++, at++) {
		cr_assert_eq(w.next, at + 1);
		cr_assert(same(&samples[at], &s), "sample %zu", (size_t)at);
		cr_assert_eq(s.flags, at % 4);
	}
	cr_assert_eq(at, r->next, "the newest is there");
	return n;
}

Test(past, gives_back_what_was_put_in)
{
	struct sample *samples = mem_array(MANY, sizeof(*samples));
	struct past past;
	past_begin(&past, 64 << 20);
	any_samples(samples);
	struct past_ring *r = past_want(&past, "d.p", 1, 400LL * DAY);
	for (size_t i = 0; i < MANY; i++)
		past_add(r, &samples[i], i % 4, (int64_t)i * SECOND);
	cr_expect_eq(check_all(r, samples, 0), MANY);
	for (int i = 0; i < 100; i++) {
		uint64_t from = dice(MANY + 10);
		cr_expect_eq(check_all(r, samples, from), from < MANY ? MANY - from : 0);
	}
	past_end(&past);
	free_samples(samples);
}

Test(past, is_bounded_in_time_by_when_samples_came)
{
	struct sample *samples = mem_array(MANY, sizeof(*samples));
	struct past past;
	past_begin(&past, 64 << 20);
	any_samples(samples);
	struct past_ring *r = past_want(&past, "d.p", 1, HOUR);
	for (size_t i = 0; i < MANY; i++) {
		past_add(r, &samples[i], i % 4, (int64_t)i * SECOND);
		if (i % 1000)
			continue;
		size_t n = check_all(r, samples, 0);
		cr_assert_geq(n, i < 3600 ? i + 1 : 3600, "%zu", n);
		cr_assert_leq(n, 3600 + 3600 / 8 + 2, "%zu", n);
	}
	past_trim(r, MANY * SECOND + 2 * HOUR);
	cr_expect_eq(r->bytes, 0);
	cr_expect_eq(past.bytes, 0);
	past_end(&past);
	free_samples(samples);
}

static uint64_t first_of(const struct past_ring *r)
{
	struct past_walk w;
	past_walk(&w, r, 0);
	return w.next;
}

Test(past, is_bounded_in_bytes_and_who_has_more_than_his_share_gives_first)
{
	enum { RINGS = 50, MOST = 256 << 10 };
	struct past past;
	struct past_ring *rings[RINGS];
	char key[16];
	past_begin(&past, MOST);
	for (size_t i = 0; i < RINGS; i++) {
		snprintf(key, sizeof(key), "d.p%zu", i);
		rings[i] = past_want(&past, key, 1, 400LL * DAY);
	}
	for (int i = 0; i < 200000; i++) { /* the first one talks all the time, the others now and then */
		struct sample s = sample_good(value_integer(i), BEGAN + i);
		past_add(rings[i % 100 ? 0 : dice(RINGS)], &s, 0, i);
		cr_assert_leq(past.bytes, MOST);
	}
	size_t sum = 0;
	for (size_t i = 0; i < RINGS; i++) {
		sum += rings[i]->bytes;
		if (i)
			cr_expect_eq(first_of(rings[i]), 0, "%zu lost something", i);
	}
	cr_expect_eq(sum, past.bytes);
	cr_expect_gt(rings[0]->bytes, MOST / 2, "the others leave it room");
	past_end(&past);
}

Test(past, of_too_many_for_its_bytes_does_without)
{
	enum { RINGS = 5000, MOST = 64 << 10 };
	struct past past;
	char key[16];
	past_begin(&past, MOST);
	for (int i = 0; i < RINGS; i++) {
		snprintf(key, sizeof(key), "d.p%d", i);
		struct past_ring *r = past_want(&past, key, 1, HOUR);
		for (int k = 0; k < 20; k++) {
			struct sample s = sample_good(value_integer(k), BEGAN + k);
			past_add(r, &s, 0, k);
			cr_assert_leq(past.bytes, MOST);
		}
	}
	past_end(&past);
}

Test(past, needs_a_few_bytes_for_a_number_that_moves_a_little)
{
	struct past past;
	past_begin(&past, 64 << 20);
	struct past_ring *r = past_want(&past, "d.p", 1, 400LL * DAY);
	for (int i = 0; i < MANY; i++) {
		struct sample s = sample_good(value_number((struct decimal){ (uint64_t)(2150 + i % 40), -2, false }),
					      BEGAN + i * 10000 + (int)dice(50));
		past_add(r, &s, 0, i * 10000);
	}
	cr_expect_lt(r->bytes, MANY * 6, "%zu bytes for %d samples", r->bytes, MANY);
	past_end(&past);
}

Test(past, belongs_to_the_key_and_not_to_another_meaning)
{
	struct past past;
	past_begin(&past, 1 << 20);
	struct sample s = sample_good(value_integer(1), BEGAN);
	struct past_ring *r = past_want(&past, "d.p", 1, HOUR), *gone = past_want(&past, "d.gone", 1, HOUR);
	past_add(r, &s, 0, 1);
	past_add(gone, &s, 0, 1);
	past_sweep(&past);
	cr_expect_eq(past_want(&past, "d.p", 1, 2 * HOUR), r);
	past_sweep(&past);
	cr_expect_eq(past.n, 1, "who is not wanted any more is forgotten");
	cr_expect_eq(r->next, 1);
	r = past_want(&past, "d.p", 2, HOUR);
	cr_expect_eq(r->next, 0, "degrees are no volts");
	past_end(&past);
	cr_expect_eq(past.bytes, 0);
}

Test(past, keeps_neither_what_has_no_time_nor_a_long_text)
{
	char text[PACK_TEXT + 2] = { 0 };
	memset(text, 'x', PACK_TEXT + 1);
	struct past past;
	past_begin(&past, 1 << 20);
	struct past_ring *r = past_want(&past, "d.p", 1, HOUR);
	struct sample timeless = sample_good(value_integer(1), 0), none = { .utc_ms = BEGAN };
	struct sample s = sample_good(value_text(text, PACK_TEXT + 1), BEGAN);
	past_add(r, &timeless, 0, 1);
	past_add(r, &none, 0, 1);
	past_add(r, &s, 0, 1);
	cr_expect_eq(r->next, 0);
	s.value.text[PACK_TEXT] = '\0';
	past_add(r, &s, 0, 1);
	past_add(r, &s, 0, 2);
	cr_expect_eq(r->next, 2);
	sample_free(&s);
	past_end(&past);
}

Test(past, of_any_bytes_is_samples_or_nothing)
{
	uint8_t bytes[64];
	for (int i = 0; i < 200000; i++) {
		struct pack run = { 0 };
		struct pack_sample s;
		size_t size = 1 + dice(sizeof(bytes) - 1), at = 0, one;
		for (size_t k = 0; k < size; k++)
			bytes[k] = (uint8_t)dice(dice(2) ? 8 : 256);
		uint8_t *exact = mem_copy(bytes, size); /* so that a byte too far is seen */
		while (at < size && (one = pack_get(&run, exact + at, size - at, &s)))
			at += one;
		cr_assert_leq(at, size);
		mem_free(exact);
	}
}
