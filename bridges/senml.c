#include "bridges/senml.h"

#include "bridges/literal.h"
#include "core/model/decimal.h"

enum { VERSION = 10 };                           /* of RFC 8428 */
static const int64_t RELATIVE_BELOW = 1LL << 28; /* seconds; section 4.5.3 */

enum kind { KIND_TEXT, KIND_NUMBER, KIND_BOOL };
enum label { BN, BT, BU, BV, BS, BVER, N, U, V, VS, VB, VD, S, T, UT, LABELS };

static const struct {
	const char *word, *number;
	enum kind kind;
} labels[] = {
	[BN] = { "bn", "-2", KIND_TEXT },       [BT] = { "bt", "-3", KIND_NUMBER }, [BU] = { "bu", "-4", KIND_TEXT },
	[BV] = { "bv", "-5", KIND_NUMBER },     [BS] = { "bs", "-6", KIND_NUMBER }, [N] = { "n", "0", KIND_TEXT },
	[BVER] = { "bver", "-1", KIND_NUMBER }, [U] = { "u", "1", KIND_TEXT },      [V] = { "v", "2", KIND_NUMBER },
	[VS] = { "vs", "3", KIND_TEXT },        [VB] = { "vb", "4", KIND_BOOL },    [S] = { "s", "5", KIND_NUMBER },
	[T] = { "t", "6", KIND_NUMBER },        [UT] = { "ut", "7", KIND_NUMBER },  [VD] = { "vd", "8", KIND_TEXT },
};

/* What one object says; base fields stay for those behind it. */
struct fields {
	struct literal at[LABELS]; /* size 0: not there */
};

struct search {
	const char *wanted;
	int64_t now_ms;
	bool found, future;
	struct senml_record best;
	struct err *e;
};

static bool is_kind(struct literal l, enum kind kind)
{
	char c = *l.at;
	if (kind == KIND_TEXT)
		return literal_is_text(l);
	if (kind == KIND_BOOL)
		return c == 't' || c == 'f';
	return c == '-' || (c >= '0' && c <= '9');
}

static bool is_word(const struct text *t, const char *word)
{
	return t->size == strlen(word) && memcmp(t->data, word, t->size) == 0;
}

/* A label that ends in '_' must be understood, or the pack must not be used (section 4.4). */
static int take_field(struct fields *f, const struct text *key, struct literal value, struct err *e)
{
	for (size_t i = 0; i < LABELS; i++) {
		if (!is_word(key, labels[i].word) && !is_word(key, labels[i].number))
			continue;
		if (!is_kind(value, labels[i].kind))
			return err_set(e, "is no SenML: '%s' is of another type", labels[i].word);
		if (f->at[i].size)
			return err_set(e, "is no SenML: '%s' is there twice", labels[i].word);
		f->at[i] = value;
		return 0;
	}
	if (key->size && key->data[key->size - 1] == '_')
		return err_set(e, "is SenML with a label that must be understood, and is not");
	return 0;
}

static int take_fields(struct literal record, struct fields *ret, struct err *e)
{
	struct literal_walk w = literal_walk(record);
	struct literal label, value;
	struct text key = { 0 };
	int status = w.object ? 0 : err_set(e, "is no SenML: a record is not an object");
	while (status == 0 && literal_next(&w, &label, &value)) {
		text_reserve(&key, label.size);
		text_clear(&key);
		literal_text(label, &key);
		status = take_field(ret, &key, value, e);
	}
	text_free(&key);
	return status;
}

static struct decimal number_of(struct literal l)
{
	struct decimal d = { 0 };
	if (l.size)
		(void)decimal_parse(l.at, l.size, &d);
	return d;
}

static void add_text(struct literal l, struct text *to)
{
	if (l.size)
		literal_text(l, to);
}

static int resolve_time(const struct fields *f, int64_t now_ms, int64_t *ret, struct err *e)
{
	struct decimal s = decimal_add(number_of(f->at[BT]), number_of(f->at[T]));
	bool relative = decimal_compare(s, decimal_of(RELATIVE_BELOW)) < 0;
	int64_t ms;
	if (decimal_compare(s, decimal_of(-RELATIVE_BELOW * 1000)) < 0 ||
	    decimal_compare(s, decimal_of(RELATIVE_BELOW * 1000)) > 0 ||
	    decimal_integer(decimal_round(decimal_multiply(s, decimal_of(1000)), 0), &ms) < 0)
		return err_set(e, "is SenML with an impossible time");
	*ret = relative ? now_ms + ms : ms;
	return text_utc_fits(*ret) ? 0 : err_set(e, "is SenML with an impossible time");
}

static int resolve_value(const struct fields *f, struct text *to, struct err *e)
{
	static const enum label kinds[] = { V, VS, VB, VD };
	char room[DECIMAL_ROOM];
	int n = 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct literal l = f->at[kinds[i]];
		if (l.size && n++)
			return err_set(e, "is no SenML: a record has two values");
		text_add_n(to, l.size ? l.at : "", l.size);
	}
	if (f->at[V].size && f->at[BV].size) {
		text_clear(to);
		decimal_print(decimal_add(number_of(f->at[BV]), number_of(f->at[V])), room);
		text_add(to, room);
	}
	return 0;
}

static int resolve(const struct fields *f, int64_t now_ms, struct senml_record *ret, struct err *e)
{
	text_add(&ret->name, "");
	text_add(&ret->unit, "");
	add_text(f->at[BN], &ret->name);
	add_text(f->at[N], &ret->name);
	add_text(f->at[U].size ? f->at[U] : f->at[BU], &ret->unit);
	if (resolve_time(f, now_ms, &ret->utc_ms, e) < 0)
		return -1;
	return resolve_value(f, &ret->value, e);
}

/* What is now, or was, goes before what will be. */
static bool is_better(const struct search *s, const struct senml_record *r)
{
	bool future = r->utc_ms > s->now_ms;
	if (!s->found || future != s->future)
		return !s->found || s->future;
	return future ? r->utc_ms < s->best.utc_ms : r->utc_ms >= s->best.utc_ms;
}

static int consider(void *ctx, struct senml_record *r)
{
	struct search *s = ctx;
	if (s->wanted && !is_word(&r->name, s->wanted))
		return 0;
	if (!s->wanted && s->found && !is_word(&r->name, s->best.name.data))
		return err_set(s->e, "is SenML with values of several names; say with record = \"...\" which one");
	if (is_better(s, r)) {
		struct senml_record old = s->best;
		s->best = *r;
		s->future = r->utc_ms > s->now_ms;
		s->found = true;
		*r = old;
	}
	return 0;
}

/* 1: there is nothing more. */
static int next_record(struct literal_walk *w, struct fields *base, int64_t now_ms, struct senml_record *ret,
		       struct err *e)
{
	struct literal none, record;
	if (!literal_next(w, &none, &record))
		return 1;
	struct fields f = { 0 };
	if (take_fields(record, &f, e) < 0)
		return -1;
	for (enum label i = BN; i <= BVER; i++) {
		if (f.at[i].size)
			base->at[i] = f.at[i];
		f.at[i] = base->at[i];
	}
	if (decimal_compare(number_of(f.at[BVER]), decimal_of(VERSION)) > 0)
		return err_set(e, "is SenML of a newer version");
	return resolve(&f, now_ms, ret, e);
}

int senml_each(const char *json, size_t size, int64_t now_ms, int (*fn)(void *ctx, struct senml_record *r), void *ctx,
	       struct err *e)
{
	struct fields base = { 0 };
	struct literal pack;
	int status = 0;
	if (!literal_root(json, size, &pack) || *pack.at != '[')
		return err_set(e, "is no SenML: it is not a list of records");
	struct literal_walk w = literal_walk(pack);
	while (status == 0) {
		struct senml_record r = { 0 };
		status = next_record(&w, &base, now_ms, &r, e);
		if (status == 0 && r.value.size)
			status = fn(ctx, &r);
		senml_free(&r);
	}
	return status < 0 ? -1 : 0;
}

int senml_find(const char *json, size_t size, const char *name, int64_t now_ms, struct senml_record *ret, struct err *e)
{
	struct search s = { .wanted = name, .now_ms = now_ms, .e = e };
	int status = senml_each(json, size, now_ms, consider, &s, e);
	if (status == 0 && s.found) {
		*ret = s.best;
		ret->utc_ms = s.future ? now_ms : ret->utc_ms;
		return 0;
	}
	senml_free(&s.best);
	if (status < 0)
		return -1;
	err_set(e, "has no SenML record%s%s with a value", name ? " named " : "", name ? name : "");
	return 1;
}

void senml_free(struct senml_record *r)
{
	text_free(&r->name);
	text_free(&r->unit);
	text_free(&r->value);
}
