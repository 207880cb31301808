#include "bridges/leaves.h"

#include "bridges/literal.h"
#include "bridges/payload.h"
#include "bridges/senml.h"
#include "core/base/limits.h"
#include "core/base/mem.h"

#include <string.h>

enum { DEEPEST = 6, SEEN_ROOM = 60, UNIT_MOST = 64 /* what a configuration takes */ };

/* The words that devices have for true and false. */
static const struct {
	const char *on, *off;
} switches[] = {
	{ "true", "false" },  { "ON", "OFF" },      { "on", "off" },     { "On", "Off" },           { "yes", "no" },
	{ "open", "closed" }, { "OPEN", "CLOSED" }, { "True", "False" }, { "enabled", "disabled" },
};

/* SenML's registered units (RFC 8428 section 12.1) that people write in another way. */
static const struct {
	const char *senml, *people;
} units[] = {
	{ "Cel", "°C" },  { "%RH", "%" },       { "%EL", "%" },     { "m2", "m²" },     { "m3", "m³" },
	{ "l/s", "l/s" }, { "W/m2", "W/m²" },   { "m/s2", "m/s²" }, { "m3/s", "m³/s" }, { "deg", "°" },
	{ "Ohm", "Ω" },   { "kg/m3", "kg/m³" }, { "/", "" },
};

struct search {
	struct leaves *leaves;
	struct text pointer;
};

static bool is_word(const char *at, size_t size, const char *word)
{
	return strlen(word) == size && memcmp(at, word, size) == 0;
}

static bool is_switch(const char *at, size_t size, struct leaf *ret)
{
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
		if (is_word(at, size, switches[i].on) || is_word(at, size, switches[i].off)) {
			ret->type = TYPE_BOOL;
			ret->on = i ? switches[i].on : NULL;
			ret->off = i ? switches[i].off : NULL;
			return true;
		}
	return false;
}

/* What a text may be beside a text. bare: not in quotes, so that a number is one. */
static void judge_text(const char *at, size_t size, bool bare, struct leaf *ret)
{
	struct decimal number;
	int64_t utc_ms;
	ret->type = TYPE_TEXT;
	if (is_switch(at, size, ret))
		return;
	if (decimal_parse(at, size, &number) == 0)
		ret->type = TYPE_REAL; /* also in quotes: payload.h takes its digits */
	else if (!bare && text_parse_utc(at, size, &utc_ms) == 0)
		ret->type = TYPE_TIME;
}

static void add(struct search *s, struct leaf *take)
{
	struct leaves *l = s->leaves;
	l->list = mem_resize(l->list, (l->n + 1) * sizeof(*l->list));
	l->list[l->n++] = *take;
}

static char *seen(const char *at, size_t size)
{
	char room[SEEN_ROOM];
	return mem_text(text_quote(room, sizeof(room), at, size));
}

/* What no point could take is no value: it is too long, or has characters that nobody may send on. */
static bool judge_string(struct literal l, struct leaf *ret)
{
	struct text room = { 0 };
	text_add(&room, "");
	literal_text(l, &room);
	bool fits = room.size <= LIMIT_TEXT_VALUE && text_is_clean(room.data, room.size);
	if (fits) {
		judge_text(room.data, room.size, false, ret);
		ret->seen = seen(room.data, room.size);
	}
	text_free(&room);
	return fits;
}

/* Type and text of a JSON value; false: there is no value in it. */
static bool judge(struct literal l, struct leaf *ret)
{
	struct decimal number;
	bool word = *l.at == 't' || *l.at == 'f';
	if (literal_is_text(l))
		return judge_string(l, ret);
	if (literal_is_tree(l) || (!word && decimal_parse(l.at, l.size, &number) < 0)) /* null, 2e-4040 */
		return false;
	ret->type = word ? TYPE_BOOL : TYPE_REAL;
	ret->seen = seen(l.at, l.size);
	return true;
}

static void add_step(struct text *pointer, const char *at, size_t size)
{
	text_add(pointer, "/");
	for (; size; at++, size--)
		if (*at == '~' || *at == '/')
			text_add(pointer, *at == '~' ? "~0" : "~1");
		else
			text_add_n(pointer, at, 1);
}

static void take_tree(struct search *s, struct literal tree, int depth);

static void take_member(struct search *s, const struct text *key, struct literal value, int depth)
{
	size_t before = s->pointer.size;
	struct leaf leaf = { 0 };
	add_step(&s->pointer, key->data, key->size);
	if (literal_is_tree(value)) {
		take_tree(s, value, depth + 1);
	} else if (s->leaves->n == LIMIT_LEAVES || memchr(key->data, '\0', key->size)) {
		s->leaves->more = true;
	} else if (judge(value, &leaf)) {
		leaf.pointer = mem_text(s->pointer.data);
		leaf.name = mem_text_n(key->data, key->size);
		add(s, &leaf);
	}
	s->pointer.size = before;
	s->pointer.data[before] = '\0';
}

static void take_tree(struct search *s, struct literal tree, int depth)
{
	struct literal_walk w = literal_walk(tree);
	struct literal label, value;
	struct text key = { 0 };
	s->leaves->more |= depth == DEEPEST;
	for (size_t i = 0; depth < DEEPEST && !s->leaves->more && literal_next(&w, &label, &value); i++) {
		text_clear(&key);
		text_add(&key, "");
		if (w.object)
			literal_text(label, &key);
		else
			text_addf(&key, "%zu", i);
		take_member(s, &key, value, depth);
	}
	text_free(&key);
}

static void take_json(struct search *s, const char *bytes, size_t size)
{
	struct literal root = { "", 0 };
	struct leaf leaf = { 0 };
	literal_root(bytes, size, &root);
	text_add(&s->pointer, "");
	if (literal_is_tree(root))
		take_tree(s, root, 0);
	else if (root.size && judge(root, &leaf))
		add(s, &leaf);
}

static const char *unit_of(const char *senml)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(units[i].senml, senml) == 0)
			return units[i].people;
	return senml;
}

/* What a base name and a name have between them. */
static const char *last_part(const char *name)
{
	const char *last = name;
	for (const char *at = name; *at; at++)
		if (strchr(":/;", *at) && at[1])
			last = at + 1;
	return last;
}

static int take_record(void *ctx, struct senml_record *r)
{
	struct search *s = ctx;
	struct leaf leaf = { 0 };
	for (size_t i = 0; i < s->leaves->n; i++) /* the same at another time */
		if (text_same(s->leaves->list[i].record, r->name.data))
			return 0;
	if (s->leaves->n == LIMIT_LEAVES) {
		s->leaves->more = true;
		return 1;
	}
	if (!judge((struct literal){ r->value.data, r->value.size }, &leaf))
		return 0;
	leaf.record = mem_text(r->name.data);
	leaf.name = r->name.size ? mem_text(last_part(r->name.data)) : NULL;
	const char *unit = unit_of(r->unit.data);
	leaf.unit = *unit && strlen(unit) <= UNIT_MOST ? mem_text(unit) : NULL;
	add(s, &leaf);
	return 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int take_text(struct search *s, const char *bytes, size_t size, struct err *e)
{
	struct leaf leaf = { 0 };
	if (size > LIMIT_TEXT_VALUE)
		return err_set(e, "is a text of %zu bytes, more than %d", size, LIMIT_TEXT_VALUE);
	if (!text_is_clean(bytes, size))
		return err_set(e, "is no text");
	for (; size && is_space(*bytes); bytes++)
		size--;
	while (size && is_space(bytes[size - 1]))
		size--;
	if (!size)
		return 0;
	judge_text(bytes, size, true, &leaf);
	leaf.seen = seen(bytes, size);
	add(s, &leaf);
	return 0;
}

static int take(struct search *s, const char *bytes, size_t size, enum leaves_kind kind, struct err *e)
{
	struct payload payload = payload_of(bytes, size);
	if (kind == LEAVES_TEXT)
		return take_text(s, bytes, size, e);
	if (payload_check_json(&payload, e) < 0)
		return -1;
	if (kind == LEAVES_SENML)
		return senml_each(bytes, size, 0, take_record, s, e);
	take_json(s, bytes, size);
	return 0;
}

int leaves_take(const char *bytes, size_t size, enum leaves_kind kind, struct leaves *ret, struct err *e)
{
	struct leaves found = { 0 };
	struct search s = { .leaves = &found };
	int bad = take(&s, bytes, size, kind, e);
	if (!bad && !found.n)
		bad = err_set(e, found.more ? "is nested too deep" : "has no value in it");
	text_free(&s.pointer);
	if (bad)
		leaves_free(&found);
	else
		*ret = found;
	return bad;
}

void leaves_free(struct leaves *l)
{
	for (size_t i = 0; i < l->n; i++) {
		mem_free(l->list[i].pointer);
		mem_free(l->list[i].record);
		mem_free(l->list[i].name);
		mem_free(l->list[i].unit);
		mem_free(l->list[i].seen);
	}
	mem_free(l->list);
	*l = (struct leaves){ 0 };
}
