#include "core/model/point.h"

#include "core/base/err.h"
#include "core/base/mem.h"

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
	mem_free(p->nan);
	names_free(&p->names);
	mem_free(p->id);
	mem_free(p->unit);
	mem_free(p->jid);
	mem_free(p->password_file);
	sample_free(&p->last);
	mem_free(p);
}

static bool beyond_deadband(const struct point *p, const struct value *now)
{
	if (now->type != VALUE_NUMBER || p->last.value.type != VALUE_NUMBER || !p->has_deadband)
		return !value_same(now, &p->last.value);
	struct decimal step = decimal_subtract(now->number, p->told);
	step.negative = false;
	return step.digits && decimal_compare(step, p->deadband) >= 0;
}

static void keep(struct point *p, struct sample *take)
{
	sample_free(&p->last);
	p->last = sample_take(take);
}

static enum news take_good(struct point *p, struct sample *shown, int64_t now_ms)
{
	enum news news = NEWS_NONE;
	if (p->last.quality != QUALITY_GOOD)
		news = NEWS_QUALITY;
	else if (beyond_deadband(p, &shown->value))
		news = NEWS_VALUE;
	if (news != NEWS_NONE && shown->value.type == VALUE_NUMBER)
		p->told = shown->value.number;
	keep(p, shown);
	p->taken_ms = now_ms;
	return news;
}

static enum news take_old(struct point *p, struct sample *shown)
{
	if (p->last.quality == QUALITY_GOOD) {
		sample_free(shown);
		return NEWS_NONE;
	}
	bool changed = p->last.quality != QUALITY_OLD || !value_same(&p->last.value, &shown->value);
	keep(p, shown);
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

enum news point_take(struct point *p, struct sample *raw, int64_t now_ms)
{
	struct sample shown = { .quality = raw->quality, .utc_ms = raw->utc_ms };
	enum trouble why = raw->trouble;
	bool seen = raw->quality == QUALITY_GOOD || raw->quality == QUALITY_OLD;
	if (seen && point_to_shown(p, &raw->value, &shown.value, &why) < 0)
		seen = false;
	bool said = raw->quality != QUALITY_UNKNOWN;
	sample_free(raw);
	if (!seen)
		return said ? take_bad(p, why) : NEWS_NONE;
	return shown.quality == QUALITY_GOOD ? take_good(p, &shown, now_ms) : take_old(p, &shown);
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
