/*
 * A sample is a tag, the time since the one before and the value: a number with the exponent of the one before as the
 * difference of their digits, another one with exponent and digits, a text or a mark that it is the same text again.
 * Numbers are of seven bits a byte, the lowest first; signed ones alternate: 0 -1 1 -2 2.
 */
#include "core/model/pack.h"

#include <string.h>

enum { TAG_NO, TAG_YES, TAG_STEP, TAG_NUMBER, TAG_TEXT, TAG_SAME, TAG_TIME, TAG_KIND = 7, TAG_NEGATIVE = 8, TAG_FLAGS = 4 };

struct bytes {
	const uint8_t *at, *end;
};

static uint8_t *put_number(uint8_t *to, uint64_t number)
{
	for (; number > 127; number >>= 7)
		*to++ = (uint8_t)(number | 128);
	*to++ = (uint8_t)number;
	return to;
}

static uint8_t *put_signed(uint8_t *to, int64_t number)
{
	return put_number(to, ((uint64_t)number << 1) ^ (uint64_t)(number >> 63));
}

static bool get_number(struct bytes *from, uint64_t *ret)
{
	uint64_t number = 0;
	for (unsigned shift = 0; from->at < from->end && shift < 64; shift += 7) {
		uint8_t byte = *from->at++;
		number |= (uint64_t)(byte & 127) << shift;
		if (byte > 127)
			continue;
		*ret = number;
		return true;
	}
	return false;
}

static bool get_signed(struct bytes *from, int64_t *ret)
{
	uint64_t number;
	if (!get_number(from, &number))
		return false;
	*ret = (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
	return true;
}

/* The next number of the run; the step to it may be used if the one before is of the same exponent. */
static void note_number(struct pack *run, struct decimal d)
{
	run->counts = d.digits <= INT64_MAX;
	run->exp10 = d.exp10;
	run->number = run->counts ? (d.negative ? -(int64_t)d.digits : (int64_t)d.digits) : 0;
}

static bool step_to(const struct pack *run, struct decimal d, int64_t *ret)
{
	if (!run->counts || run->exp10 != d.exp10 || d.digits > INT64_MAX || (d.negative && !d.digits))
		return false;
	return !__builtin_sub_overflow(d.negative ? -(int64_t)d.digits : (int64_t)d.digits, run->number, ret);
}

static uint8_t *put_decimal(struct pack *run, struct decimal d, uint8_t *tag, uint8_t *to)
{
	int64_t step;
	if (step_to(run, d, &step)) {
		*tag |= TAG_STEP;
		to = put_signed(to, step);
	} else {
		*tag |= TAG_NUMBER | (d.negative ? TAG_NEGATIVE : 0);
		to = put_number(put_signed(to, d.exp10), d.digits);
	}
	note_number(run, d);
	return to;
}

static uint8_t *put_text(struct pack *run, const char *text, size_t size, uint8_t *tag, uint8_t *to)
{
	if (run->text && run->text_size == size && memcmp(run->text, text, size) == 0) {
		*tag |= TAG_SAME;
		return to;
	}
	*tag |= TAG_TEXT;
	to = put_number(to, size);
	run->text = memcpy(to, text, size);
	run->text_size = size;
	return to + size;
}

static uint8_t *put_value(struct pack *run, const struct value *v, uint8_t *tag, uint8_t *to)
{
	switch (v->type) {
	case VALUE_BOOL:
		*tag |= v->yes ? TAG_YES : TAG_NO;
		return to;
	case VALUE_NUMBER:
		return put_decimal(run, v->number, tag, to);
	case VALUE_TEXT:
		return put_text(run, v->text, strlen(v->text), tag, to);
	case VALUE_TIME:
		*tag |= TAG_TIME;
		return put_signed(to, v->time);
	case VALUE_NONE:
		break;
	}
	return to;
}

size_t pack_put(struct pack *run, const struct sample *s, unsigned flags, uint8_t *ret)
{
	const struct value *v = &s->value;
	int64_t passed;
	if (!s->utc_ms || v->type == VALUE_NONE || (v->type == VALUE_TEXT && strlen(v->text) > PACK_TEXT) ||
	    __builtin_sub_overflow(s->utc_ms, run->utc_ms, &passed))
		return 0;
	ret[0] = (uint8_t)(flags << TAG_FLAGS);
	uint8_t *end = put_value(run, v, &ret[0], put_signed(ret + 1, passed));
	run->utc_ms = s->utc_ms;
	return (size_t)(end - ret);
}

struct sample pack_sample(const struct pack_sample *s, char room[PACK_TEXT + 1])
{
	struct sample sample = { .value = s->value, .quality = QUALITY_GOOD, .utc_ms = s->utc_ms };
	if (s->value.type == VALUE_TEXT) {
		memcpy(room, s->value.text, s->text_size);
		room[s->text_size] = '\0';
		sample.value.text = room;
	}
	return sample;
}

static bool get_step(struct pack *run, struct bytes *from, struct value *ret)
{
	int64_t step, number;
	if (!run->counts || !get_signed(from, &step) || __builtin_add_overflow(run->number, step, &number))
		return false;
	*ret = value_number(decimal_of(number));
	ret->number.exp10 = run->exp10;
	run->number = number;
	return true;
}

static bool get_decimal(struct pack *run, struct bytes *from, bool negative, struct value *ret)
{
	int64_t exp10;
	struct decimal d = { .negative = negative };
	if (!get_signed(from, &exp10) || exp10 < INT16_MIN || exp10 > INT16_MAX || !get_number(from, &d.digits))
		return false;
	d.exp10 = (int16_t)exp10;
	note_number(run, d);
	*ret = value_number(d);
	return true;
}

static bool get_text(struct pack *run, struct bytes *from, bool same)
{
	uint64_t size;
	if (same)
		return run->text != NULL;
	if (!get_number(from, &size) || size > PACK_TEXT || size > (size_t)(from->end - from->at))
		return false;
	run->text = (const char *)from->at;
	run->text_size = size;
	from->at += size;
	return true;
}

/* The text is borrowed from the bytes, and who reads it does not write into it. */
static void lend_text(const struct pack *run, struct pack_sample *ret)
{
	ret->value.type = VALUE_TEXT;
	memcpy(&ret->value.text, &run->text, sizeof(run->text));
	ret->text_size = run->text_size;
}

static bool get_value(struct pack *run, struct bytes *from, uint8_t tag, struct pack_sample *ret)
{
	switch (tag & TAG_KIND) {
	case TAG_NO:
	case TAG_YES:
		ret->value = value_bool((tag & TAG_KIND) == TAG_YES);
		return true;
	case TAG_STEP:
		return get_step(run, from, &ret->value);
	case TAG_NUMBER:
		return get_decimal(run, from, tag & TAG_NEGATIVE, &ret->value);
	case TAG_TEXT:
	case TAG_SAME:
		if (!get_text(run, from, (tag & TAG_KIND) == TAG_SAME))
			return false;
		lend_text(run, ret);
		return true;
	case TAG_TIME:
		ret->value.type = VALUE_TIME;
		return get_signed(from, &ret->value.time);
	default:
		return false;
	}
}

size_t pack_get(struct pack *run, const uint8_t *bytes, size_t size, struct pack_sample *ret)
{
	struct bytes from = { bytes, bytes + size };
	struct pack_sample s = { 0 };
	int64_t passed;
	if (size < 2)
		return 0;
	uint8_t tag = *from.at++;
	s.flags = tag >> TAG_FLAGS;
	if (!get_signed(&from, &passed) || __builtin_add_overflow(run->utc_ms, passed, &s.utc_ms) ||
	    !get_value(run, &from, tag, &s))
		return 0;
	run->utc_ms = s.utc_ms;
	*ret = s;
	return (size_t)(from.at - bytes);
}
