#include "core/model/value.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/text.h"

#include <string.h>

struct value value_bool(bool yes)
{
	return (struct value){ .type = VALUE_BOOL, .yes = yes };
}

struct value value_number(struct decimal number)
{
	return (struct value){ .type = VALUE_NUMBER, .number = number };
}

struct value value_integer(int64_t integer)
{
	return value_number(decimal_of(integer));
}

struct value value_time(int64_t utc_ms)
{
	return (struct value){ .type = VALUE_TIME, .time = utc_ms };
}

struct value value_text(const char *text, size_t size)
{
	return (struct value){ .type = VALUE_TEXT, .text = mem_text_n(text, size) };
}

void value_free(struct value *v)
{
	if (v->type == VALUE_TEXT)
		mem_free(v->text);
	*v = (struct value){ 0 };
}

struct value value_take(struct value *from)
{
	struct value v = *from;
	*from = (struct value){ 0 };
	return v;
}

struct value value_copy(const struct value *from)
{
	return from->type == VALUE_TEXT ? value_text(from->text, strlen(from->text)) : *from;
}

bool value_same(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case VALUE_NONE:
		return true;
	case VALUE_BOOL:
		return a->yes == b->yes;
	case VALUE_NUMBER:
		return decimal_compare(a->number, b->number) == 0;
	case VALUE_TEXT:
		return strcmp(a->text, b->text) == 0;
	case VALUE_TIME:
		return a->time == b->time;
	}
	return false;
}

const char *value_print(const struct value *v, char ret[DECIMAL_ROOM])
{
	switch (v->type) {
	case VALUE_NONE:
		return "";
	case VALUE_BOOL:
		return v->yes ? "true" : "false";
	case VALUE_NUMBER:
		decimal_print(v->number, ret);
		return ret;
	case VALUE_TEXT:
		return v->text;
	case VALUE_TIME:
		text_utc(v->time, ret);
		return ret;
	}
	return "";
}

const char *quality_word(enum quality q)
{
	static const char *const words[] = {
		[QUALITY_UNKNOWN] = "unknown",
		[QUALITY_GOOD] = "good",
		[QUALITY_OLD] = "old",
		[QUALITY_BAD] = "bad",
	};
	return words[q];
}

const char *trouble_word(enum trouble t)
{
	static const char *const words[] = {
		[TROUBLE_NONE] = "no trouble",
		[TROUBLE_AWAY] = "cannot be reached",
		[TROUBLE_TIMEOUT] = "does not answer",
		[TROUBLE_REFUSED] = "the device refuses",
		[TROUBLE_GARBLED] = "the answer is garbled",
		[TROUBLE_TYPE] = "not a value of the configured type",
		[TROUBLE_RANGE] = "out of range",
		[TROUBLE_NO_VALUE] = "the device has no value",
	};
	return words[t];
}

void sample_free(struct sample *s)
{
	value_free(&s->value);
	*s = (struct sample){ 0 };
}

struct sample sample_take(struct sample *from)
{
	struct sample s = *from;
	*from = (struct sample){ 0 };
	return s;
}

struct sample sample_good(struct value take, int64_t utc_ms)
{
	return (struct sample){ .value = take, .quality = QUALITY_GOOD, .utc_ms = utc_ms };
}

struct sample sample_bad(enum trouble why, int64_t utc_ms)
{
	return (struct sample){ .quality = QUALITY_BAD, .trouble = why, .utc_ms = utc_ms };
}
