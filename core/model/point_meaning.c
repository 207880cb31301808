#include "core/model/point.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/text.h"

#include <string.h>

/*
 * What a raw value means to people, and back. Declared in point.h: taking samples (point.c) is state, this is
 * arithmetic.
 */

static const enum value_type shown_types[TYPE_COUNT] = {
	[TYPE_BOOL] = VALUE_BOOL,      [TYPE_INT] = VALUE_NUMBER,    [TYPE_REAL] = VALUE_NUMBER,
	[TYPE_TEXT] = VALUE_TEXT,      [TYPE_TIME] = VALUE_TIME,     [TYPE_INT16] = VALUE_NUMBER,
	[TYPE_UINT16] = VALUE_NUMBER,  [TYPE_INT32] = VALUE_NUMBER,  [TYPE_UINT32] = VALUE_NUMBER,
	[TYPE_INT64] = VALUE_NUMBER,   [TYPE_UINT64] = VALUE_NUMBER, [TYPE_FLOAT32] = VALUE_NUMBER,
	[TYPE_FLOAT64] = VALUE_NUMBER, [TYPE_BCD16] = VALUE_NUMBER,  [TYPE_BCD32] = VALUE_NUMBER,
	[TYPE_STRING] = VALUE_TEXT,
};

/* Types whose raw value is a whole number, and its bounds. */
static const struct {
	bool whole;
	struct decimal least, most;
} bounds[TYPE_COUNT] = {
	[TYPE_INT] = { true, { (uint64_t)INT64_MAX + 1, 0, true }, { INT64_MAX, 0, false } },
	[TYPE_INT16] = { true, { 32768, 0, true }, { INT16_MAX, 0, false } },
	[TYPE_UINT16] = { true, { 0, 0, false }, { UINT16_MAX, 0, false } },
	[TYPE_INT32] = { true, { (uint64_t)INT32_MAX + 1, 0, true }, { INT32_MAX, 0, false } },
	[TYPE_UINT32] = { true, { 0, 0, false }, { UINT32_MAX, 0, false } },
	[TYPE_INT64] = { true, { (uint64_t)INT64_MAX + 1, 0, true }, { INT64_MAX, 0, false } },
	[TYPE_UINT64] = { true, { 0, 0, false }, { UINT64_MAX, 0, false } },
	[TYPE_BCD16] = { true, { 0, 0, false }, { 9999, 0, false } },
	[TYPE_BCD32] = { true, { 0, 0, false }, { 99999999, 0, false } },
};

enum value_type point_value_type(const struct point *p)
{
	return p->n_words ? VALUE_TEXT : shown_types[p->type];
}

bool point_is_nan(const struct point *p, const struct value *raw)
{
	for (size_t i = 0; i < p->n_nan; i++)
		if (value_same(&p->nan[i], raw))
			return true;
	return false;
}

static bool out_of_range(const struct point *p, struct decimal shown)
{
	return (p->has_min && decimal_compare(shown, p->min) < 0) || (p->has_max && decimal_compare(shown, p->max) > 0);
}

static enum trouble show_word(const struct point *p, const struct value *raw, struct value *ret)
{
	struct decimal number = raw->type == VALUE_BOOL ? decimal_of(raw->yes) : raw->number;
	if (raw->type != VALUE_BOOL && raw->type != VALUE_NUMBER)
		return TROUBLE_TYPE;
	for (size_t i = 0; i < p->n_words; i++) {
		if (decimal_compare(p->words[i].raw, number) == 0) {
			*ret = value_text(p->words[i].text, strlen(p->words[i].text));
			return TROUBLE_NONE;
		}
	}
	return TROUBLE_RANGE;
}

static enum trouble show_bool(const struct point *p, const struct value *raw, struct value *ret)
{
	(void)p;
	int64_t integer;
	if (raw->type == VALUE_BOOL)
		*ret = *raw;
	else if (raw->type == VALUE_NUMBER && decimal_integer(raw->number, &integer) == 0 &&
		 (integer == 0 || integer == 1))
		*ret = value_bool(integer == 1);
	else
		return TROUBLE_TYPE;
	return TROUBLE_NONE;
}

static enum trouble show_number(const struct point *p, const struct value *raw, struct value *ret)
{
	int64_t integer;
	if (raw->type != VALUE_NUMBER)
		return TROUBLE_TYPE;
	if (p->type == TYPE_INT && decimal_integer(raw->number, &integer) < 0)
		return TROUBLE_TYPE;
	struct decimal shown = raw->number;
	if (p->has_scale)
		shown = decimal_multiply(shown, p->scale);
	if (p->has_offset)
		shown = decimal_add(shown, p->offset);
	if (p->decimals >= 0)
		shown = decimal_round(shown, p->decimals);
	if (out_of_range(p, shown))
		return TROUBLE_RANGE;
	*ret = value_number(shown);
	return TROUBLE_NONE;
}

static bool is_choice(const struct point *p, const char *text)
{
	for (size_t i = 0; i < p->n_choices; i++)
		if (p->choices[i].type == VALUE_TEXT && strcmp(p->choices[i].text, text) == 0)
			return true;
	return p->n_choices == 0;
}

static enum trouble show_text(const struct point *p, const struct value *raw, struct value *ret)
{
	if (raw->type != VALUE_TEXT)
		return TROUBLE_TYPE;
	size_t size = strlen(raw->text);
	if (size > LIMIT_TEXT_VALUE || !text_is_clean(raw->text, size))
		return TROUBLE_TYPE;
	if (!is_choice(p, raw->text))
		return TROUBLE_RANGE;
	*ret = value_text(raw->text, size);
	return TROUBLE_NONE;
}

static enum trouble show_time(const struct point *p, const struct value *raw, struct value *ret)
{
	(void)p;
	int64_t at = raw->time, seconds;
	if (raw->type == VALUE_TEXT && text_parse_utc(raw->text, strlen(raw->text), &at) < 0)
		return TROUBLE_TYPE;
	if (raw->type == VALUE_NUMBER) {
		if (decimal_integer(raw->number, &seconds) < 0 || seconds > 253402300799 || seconds < -62167219200)
			return TROUBLE_TYPE;
		at = seconds * 1000;
	}
	if (raw->type == VALUE_NONE || raw->type == VALUE_BOOL || !text_utc_fits(at))
		return TROUBLE_TYPE;
	*ret = value_time(at);
	return TROUBLE_NONE;
}

static enum trouble (*const show_as[])(const struct point *p, const struct value *raw, struct value *ret) = {
	[VALUE_BOOL] = show_bool,
	[VALUE_NUMBER] = show_number,
	[VALUE_TEXT] = show_text,
	[VALUE_TIME] = show_time,
};

int point_to_shown(const struct point *p, const struct value *raw, struct value *ret_shown, enum trouble *ret_why)
{
	enum trouble why = TROUBLE_NO_VALUE;
	if (raw->type != VALUE_NONE && !point_is_nan(p, raw))
		why = p->n_words ? show_word(p, raw, ret_shown) : show_as[shown_types[p->type]](p, raw, ret_shown);
	if (why == TROUBLE_NONE)
		return 0;
	*ret_why = why;
	return -1;
}

static int refuse_word(const struct point *p, struct err *e)
{
	struct text list = { 0 };
	for (size_t i = 0; i < p->n_words; i++)
		text_addf(&list, "%s%s", i ? ", " : "", p->words[i].text);
	for (size_t i = 0; i < p->n_choices; i++)
		text_addf(&list, "%s%s", i ? ", " : "", p->choices[i].text);
	err_set(e, "must be one of: %s", list.data);
	text_free(&list);
	return -1;
}

static int raw_of_word(const struct point *p, const struct value *shown, struct value *ret, struct err *e)
{
	for (size_t i = 0; shown->type == VALUE_TEXT && i < p->n_words; i++) {
		if (text_same_word(p->words[i].text, shown->text)) {
			*ret = value_number(p->words[i].raw);
			return 0;
		}
	}
	return refuse_word(p, e);
}

static int refuse_range(const struct point *p, struct err *e)
{
	char least[DECIMAL_ROOM], most[DECIMAL_ROOM];
	decimal_print(p->min, least);
	decimal_print(p->max, most);
	if (p->has_min && p->has_max)
		return err_set(e, "must be from %s to %s", least, most);
	return p->has_min ? err_set(e, "must be at least %s", least) : err_set(e, "must be at most %s", most);
}

static int raw_of_number(const struct point *p, const struct value *shown, struct value *ret, struct err *e)
{
	struct decimal raw = shown->number;
	int64_t integer;
	uint64_t natural;
	if (out_of_range(p, raw))
		return refuse_range(p, e);
	if (p->has_offset)
		raw = decimal_subtract(raw, p->offset);
	if (p->has_scale)
		raw = decimal_divide(raw, p->scale);
	if (bounds[p->type].whole) {
		char step[DECIMAL_ROOM];
		decimal_print(p->has_scale ? p->scale : decimal_of(1), step);
		if (decimal_integer(raw, &integer) < 0 && decimal_unsigned(raw, &natural) < 0)
			return err_set(e, "must be a multiple of %s%s", step, p->has_offset ? " from the offset" : "");
		if (decimal_compare(raw, bounds[p->type].least) < 0 || decimal_compare(raw, bounds[p->type].most) > 0)
			return err_set(e, "does not fit into %s", type_word(p->type));
	}
	*ret = value_number(raw);
	return 0;
}

/* Of what is shown, not of what is on the wire: 40.5 is right for an int16 with a scale of 0.1. */
static int refuse_type(const struct point *p, struct err *e)
{
	static const char *const shown[] = { [VALUE_BOOL] = "true or false",
					     [VALUE_NUMBER] = "a number, as 21 or 21.5",
					     [VALUE_TEXT] = "text",
					     [VALUE_TIME] = "a time, as 2026-01-31T12:00:00Z" };
	return err_set(e, "must be %s", shown[shown_types[p->type]]);
}

int point_to_raw(const struct point *p, const struct value *shown, struct value *ret_raw, struct err *e)
{
	if (!(p->access & ACCESS_WRITE))
		return err_set(e, "is read-only");
	if (p->n_words)
		return raw_of_word(p, shown, ret_raw, e);
	if (shown->type != shown_types[p->type])
		return refuse_type(p, e);
	if (shown->type == VALUE_NUMBER)
		return raw_of_number(p, shown, ret_raw, e);
	if (shown->type == VALUE_TEXT) {
		size_t size = strlen(shown->text);
		if (size > LIMIT_TEXT_VALUE || !text_is_clean(shown->text, size))
			return err_set(e, "must be at most %d bytes of text without control characters",
				       LIMIT_TEXT_VALUE);
		if (!is_choice(p, shown->text))
			return refuse_word(p, e);
	}
	*ret_raw = value_copy(shown);
	return 0;
}

static int parse_bool(const char *text, size_t size, struct value *ret)
{
	static const struct {
		const char *word;
		bool yes;
	} words[] = { { "true", true },   { "1", true },  { "on", true },   { "yes", true },
		      { "false", false }, { "0", false }, { "off", false }, { "no", false } };
	char word[8];
	text_quote(word, sizeof(word), text, size);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].word) == size && text_same_word(word, words[i].word)) {
			*ret = value_bool(words[i].yes);
			return 0;
		}
	}
	return -1;
}

int point_parse(const struct point *p, const char *text, size_t size, struct value *ret_shown, struct err *e)
{
	struct value v = { .type = point_value_type(p) };
	int bad = -1;
	if (v.type == VALUE_BOOL)
		bad = parse_bool(text, size, &v);
	else if (v.type == VALUE_NUMBER)
		bad = decimal_parse(text, size, &v.number);
	else if (v.type == VALUE_TIME)
		bad = text_parse_utc(text, size, &v.time);
	else if (size <= LIMIT_TEXT_VALUE && text_is_clean(text, size)) {
		v = value_text(text, size);
		bad = 0;
	}
	if (bad)
		return refuse_type(p, e);
	*ret_shown = v;
	return 0;
}
