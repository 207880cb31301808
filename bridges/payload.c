#include "bridges/payload.h"

#include "bridges/pointer.h"
#include "core/base/limits.h"

#include <jansson.h>
#include <string.h>

/* One value of a payload before anybody knows what it should be. */
struct scalar {
	enum { SCALAR_BARE, SCALAR_TEXT, SCALAR_NUMBER, SCALAR_WORD, SCALAR_NULL, SCALAR_TREE } kind;
	const char *at;
	size_t size;
};

struct payload payload_of(const void *bytes, size_t size)
{
	return (struct payload){ .bytes = bytes, .size = size };
}

/* Integers are read as reals here only because jansson refuses those above 63 bits; nobody looks at its numbers. */
static void check_json(struct payload *p)
{
	json_error_t error;
	size_t flags = JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL;
	json_t *root = json_loadb(p->bytes, p->size, flags, &error);
	p->checked = root ? 1 : -1;
	if (!root)
		err_set(&p->why, "is not JSON (line %d, column %d)", error.line, error.column);
	json_decref(root);
}

static int check_bytes(struct payload *p, bool json)
{
	if (p->size > LIMIT_PAYLOAD)
		return err_set(&p->why, "has %zu bytes, more than %d", p->size, LIMIT_PAYLOAD);
	if (!json)
		return text_is_clean(p->bytes, p->size) ? 0 : err_set(&p->why, "is not clean UTF-8");
	if (!p->checked)
		check_json(p);
	return p->checked > 0 ? 0 : -1;
}

int payload_check_json(struct payload *p, struct err *e)
{
	return check_bytes(p, true) < 0 ? err_set(e, "%s", p->why.text) : 0;
}

static struct scalar scalar_of(struct literal l, struct text *room)
{
	struct scalar s = { SCALAR_NUMBER, l.at, l.size };
	if (literal_is_tree(l)) {
		s.kind = SCALAR_TREE;
	} else if (literal_is_text(l)) {
		text_reserve(room, l.size);
		literal_text(l, room);
		s = (struct scalar){ SCALAR_TEXT, room->data, room->size };
	} else if (*l.at == 't' || *l.at == 'f') {
		s.kind = SCALAR_WORD;
	} else if (*l.at == 'n') {
		s.kind = SCALAR_NULL;
	}
	return s;
}

static enum payload_result find(struct payload *p, const char *path, struct text *room, struct scalar *ret)
{
	struct literal l;
	if (p->size > 0 && check_bytes(p, path != NULL) < 0)
		return PAYLOAD_BAD;
	if (p->size == 0)
		*ret = (struct scalar){ path ? SCALAR_NULL : SCALAR_BARE, "", 0 };
	else if (!path)
		*ret = (struct scalar){ SCALAR_BARE, p->bytes, p->size };
	else if (pointer_find(p->bytes, p->size, path, &l))
		*ret = scalar_of(l, room);
	else
		return PAYLOAD_MISSING;
	return PAYLOAD_VALUE;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct scalar trimmed(struct scalar s)
{
	while (s.size && is_space(s.at[0]))
		s.at++, s.size--;
	while (s.size && is_space(s.at[s.size - 1]))
		s.size--;
	return s;
}

static bool is_word(const struct scalar *s, const char *word)
{
	return word && strlen(word) == s->size && memcmp(word, s->at, s->size) == 0;
}

static enum trouble take_bool(const struct payload_rule *rule, struct scalar s, struct value *ret, struct err *e)
{
	s = trimmed(s);
	if (is_word(&s, rule->on) || is_word(&s, rule->off)) {
		*ret = value_bool(is_word(&s, rule->on));
		return TROUBLE_NONE;
	}
	err_set(e, "is neither '%s' nor '%s'", rule->on, rule->off);
	return TROUBLE_TYPE;
}

static enum trouble take_number(const struct payload_rule *rule, struct scalar s, struct value *ret, struct err *e)
{
	(void)rule;
	struct decimal number;
	s = trimmed(s);
	if (s.kind != SCALAR_WORD && decimal_parse(s.at, s.size, &number) == 0) {
		*ret = value_number(number);
		return TROUBLE_NONE;
	}
	err_set(e, "is not a number");
	return TROUBLE_TYPE;
}

static enum trouble take_text(const struct payload_rule *rule, struct scalar s, struct value *ret, struct err *e)
{
	(void)rule;
	if (s.size > LIMIT_TEXT_VALUE)
		err_set(e, "is a text of %zu bytes, more than %d", s.size, LIMIT_TEXT_VALUE);
	else if (!text_is_clean(s.at, s.size))
		err_set(e, "is a text with forbidden characters");
	else {
		*ret = value_text(s.at, s.size);
		return TROUBLE_NONE;
	}
	return TROUBLE_GARBLED;
}

/* A number is left to the point: it takes it as seconds since 1970. */
static enum trouble take_time(const struct payload_rule *rule, struct scalar s, struct value *ret, struct err *e)
{
	int64_t utc_ms;
	s = trimmed(s);
	if (text_parse_utc(s.at, s.size, &utc_ms) == 0) {
		*ret = value_time(utc_ms);
		return TROUBLE_NONE;
	}
	if (s.kind != SCALAR_TEXT && take_number(rule, s, ret, NULL) == TROUBLE_NONE)
		return TROUBLE_NONE;
	err_set(e, "is not a time");
	return TROUBLE_TYPE;
}

static enum trouble (*const take_as[])(const struct payload_rule *, struct scalar, struct value *, struct err *) = {
	[TYPE_BOOL] = take_bool, [TYPE_INT] = take_number, [TYPE_REAL] = take_number,
	[TYPE_TEXT] = take_text, [TYPE_TIME] = take_time,
};

static bool is_nan(const struct point *p, struct scalar s)
{
	s = trimmed(s);
	for (size_t i = 0; i < p->n_nan; i++)
		if (p->nan[i].type == VALUE_TEXT && is_word(&s, p->nan[i].text))
			return true;
	return false;
}

static enum trouble judge(const struct payload_rule *rule, struct scalar s, struct value *ret, struct err *e)
{
	enum type type = rule->point->type;
	bool empty = trimmed(s).size == 0 && type != TYPE_TEXT;
	must(type < sizeof(take_as) / sizeof(take_as[0]));
	if (s.kind == SCALAR_NULL || empty || is_nan(rule->point, s)) {
		err_set(e, "has no value");
		return TROUBLE_NO_VALUE;
	}
	if (s.kind == SCALAR_TREE) {
		err_set(e, "is an object or a list, not a single value");
		return TROUBLE_TYPE;
	}
	return take_as[type](rule, s, ret, e);
}

enum payload_result payload_take(struct payload *p, const struct payload_rule *rule, struct value *ret,
				 enum trouble *ret_why, struct err *e)
{
	struct text room = { 0 };
	struct scalar s;
	enum payload_result found = find(p, rule->path, &room, &s);
	enum trouble why = TROUBLE_GARBLED;
	if (found == PAYLOAD_BAD)
		err_set(e, "%s", p->why.text);
	else if (found == PAYLOAD_VALUE)
		why = judge(rule, s, ret, e);
	text_free(&room);
	if (found == PAYLOAD_MISSING)
		return PAYLOAD_MISSING;
	if (why == TROUBLE_NONE)
		return PAYLOAD_VALUE;
	*ret_why = why;
	return PAYLOAD_BAD;
}

bool payload_word(struct payload *p, const char *path, struct text *to)
{
	struct text room = { 0 };
	struct scalar s;
	bool is_there = find(p, path, &room, &s) == PAYLOAD_VALUE && s.kind != SCALAR_TREE && s.kind != SCALAR_NULL;
	if (is_there) {
		s = trimmed(s);
		text_add_n(to, s.at, s.size);
	}
	text_free(&room);
	return is_there;
}
