#include "core/model/point.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/model/past.h"
#include "core/model/thing.h"

#include <stddef.h>
#include <string.h>

static const int64_t FRESH_LEAST_MS = 1000;

static const char *const type_words[TYPE_COUNT] = {
	"bool",   "int",   "real",   "text",    "time",    "int16", "uint16", "int32",
	"uint32", "int64", "uint64", "float32", "float64", "bcd16", "bcd32",  "string",
};

static const char *const kind_words[KIND_COUNT] = {
	"momentary", "counter", "peak", "status", "identity", "computed",
};

const char *type_word(enum type t)
{
	return type_words[t];
}

const char *kind_word(enum kind k)
{
	return kind_words[k];
}

void point_free(struct point *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_words; i++)
		mem_free(p->words[i].text);
	for (size_t i = 0; i < p->n_nan; i++)
		value_free(&p->nan[i]);
	mem_free(p->words);
	for (size_t i = 0; i < p->n_choices; i++)
		value_free(&p->choices[i]);
	mem_free(p->choices);
	mem_free(p->nan);
	names_free(&p->names);
	mem_free(p->id);
	mem_free(p->unit);
	mem_free(p->jid);
	mem_free(p->password_file);
	sample_free(&p->last);
	mem_free(p);
}

void point_inherit(struct point *p, struct point *was, bool same)
{
	const size_t state = offsetof(struct point, last);
	memcpy((char *)p + state, (char *)was + state, sizeof(*p) - state);
	memset((char *)was + state, 0, sizeof(*was) - state);
	p->listens = false;
	p->bus_data = NULL;
	if (same)
		return;
	sample_free(&p->last);
	p->last = (struct sample){ 0 };
	p->anew = false;
	p->taken_ms = 0;
	p->counter = (struct counter){ 0 }; /* another register has turned as often as it says */
}

static bool beyond_deadband(const struct point *p, const struct value *now)
{
	if (now->type != VALUE_NUMBER || p->last.value.type != VALUE_NUMBER || !p->has_deadband)
		return !value_same(now, &p->last.value);
	struct decimal step = decimal_subtract(now->number, p->told);
	step.negative = false;
	return step.digits && decimal_compare(step, p->deadband) >= 0;
}

/* Told again though nothing changed, and only of a sample that has just come: what nobody has seen again is not repeated.
 * Of a polled point so early that the next sample would come too late. */
static bool is_repeat_due(const struct point *p, int64_t now_ms)
{
	if (!p->max_interval_ms)
		return false;
	int64_t told = p->told_ms;
	if (p->thing && p->thing->spoke_ms > told)
		told = p->thing->spoke_ms; /* the thing speaks for all of its points */
	return now_ms - told + (p->listens ? 0 : p->poll_ms) >= p->max_interval_ms;
}

static bool went_back(const struct point *p, const struct value *now)
{
	return p->kind == KIND_COUNTER && now->type == VALUE_NUMBER && p->last.value.type == VALUE_NUMBER &&
	       decimal_compare(now->number, p->last.value.number) < 0;
}

static void keep(struct point *p, struct sample *take)
{
	sample_free(&p->last);
	p->last = sample_take(take);
}

/* What friends hear of is kept; and now and then what is still so, so that it is known to have been seen. */
static void remember(struct point *p, enum news news, bool after_gap, int64_t now_ms)
{
	struct past_ring *past = p->past;
	if (!past || (news == NEWS_NONE && past->added_ms && now_ms - past->added_ms < PAST_SEEN_MS))
		return;
	past_add(past, &p->last, after_gap ? PACK_AFTER_GAP : 0, now_ms);
}

static enum news take_good(struct point *p, struct sample *shown, int64_t now_ms)
{
	enum news news = NEWS_NONE;
	p->anew = p->anew || went_back(p, &shown->value);
	if (p->last.quality != QUALITY_GOOD)
		news = NEWS_QUALITY;
	else if (p->anew || beyond_deadband(p, &shown->value) || is_repeat_due(p, now_ms))
		news = NEWS_VALUE;
	if (news != NEWS_NONE && shown->value.type == VALUE_NUMBER)
		p->told = shown->value.number;
	if (news != NEWS_NONE)
		p->told_ms = now_ms;
	bool after_gap = p->past && p->past->next && p->last.quality != QUALITY_GOOD;
	if (p->past && p->anew)
		past_add(p->past, &p->last, PACK_END, now_ms);
	keep(p, shown);
	p->taken_ms = now_ms;
	remember(p, news, after_gap, now_ms);
	return news;
}

static enum news take_old(struct point *p, struct sample *shown, int64_t now_ms)
{
	if (p->last.quality == QUALITY_GOOD) {
		sample_free(shown);
		return NEWS_NONE;
	}
	bool changed = p->last.quality != QUALITY_OLD || !value_same(&p->last.value, &shown->value);
	keep(p, shown);
	if (changed && p->past)
		past_add(p->past, &p->last, 0, now_ms);
	return changed ? NEWS_QUALITY : NEWS_NONE;
}

static enum news take_bad(struct point *p, enum trouble why)
{
	if (p->last.quality == QUALITY_BAD && p->last.trouble == why)
		return NEWS_NONE;
	p->last.quality = QUALITY_BAD;
	p->last.trouble = why;
	return NEWS_QUALITY;
}

/* The reading of a counter that wraps becomes its total. */
static int count(struct point *p, struct value *raw, int64_t now_ms, enum trouble *ret_why)
{
	struct value reading;
	uint64_t number, modulus;
	if (point_to_shown(p, raw, &reading, ret_why) < 0)
		return -1;
	if (decimal_unsigned(p->wrap, &modulus) < 0 || decimal_unsigned(raw->number, &number) < 0 || number >= modulus) {
		*ret_why = TROUBLE_RANGE;
		return -1;
	}
	p->anew = counter_take(&p->counter, modulus, number, now_ms) == COUNTER_ANEW;
	raw->number = decimal_of_unsigned(counter_total(&p->counter, modulus));
	return 0;
}

static int show(struct point *p, struct value *raw, int64_t now_ms, struct value *ret, enum trouble *ret_why)
{
	p->anew = false;
	if (p->has_wrap && count(p, raw, now_ms, ret_why) < 0)
		return -1;
	return point_to_shown(p, raw, ret, ret_why);
}

enum news point_take(struct point *p, struct sample *raw, int64_t now_ms)
{
	struct sample shown = { .quality = raw->quality, .utc_ms = raw->utc_ms };
	enum trouble why = raw->trouble;
	bool seen = raw->quality == QUALITY_GOOD || raw->quality == QUALITY_OLD;
	bool said = raw->quality != QUALITY_UNKNOWN;
	if (p->has_wrap && raw->quality == QUALITY_OLD)
		seen = said = false; /* at which turn it was nobody knows */
	if (seen && show(p, &raw->value, now_ms, &shown.value, &why) < 0)
		seen = false;
	sample_free(raw);
	if (!seen)
		return said ? take_bad(p, why) : NEWS_NONE;
	return shown.quality == QUALITY_GOOD ? take_good(p, &shown, now_ms) : take_old(p, &shown, now_ms);
}

int64_t point_age_due(const struct point *p)
{
	return p->stale_ms && p->last.quality == QUALITY_GOOD ? p->taken_ms + p->stale_ms : 0;
}

enum news point_age(struct point *p, int64_t now_ms)
{
	int64_t due = point_age_due(p);
	if (due == 0 || now_ms < due)
		return NEWS_NONE;
	p->last.quality = QUALITY_OLD;
	return NEWS_QUALITY;
}

bool point_is_fresh(const struct point *p, int64_t now_ms)
{
	if (p->last.quality != QUALITY_GOOD)
		return false;
	if (p->poll_ms == 0)
		return true;
	if (p->written_ms && p->written_ms >= p->taken_ms) /* seen before it was written: no longer new */
		return false;
	int64_t young = p->poll_ms > FRESH_LEAST_MS ? p->poll_ms : FRESH_LEAST_MS;
	return now_ms - p->taken_ms <= young;
}
