#include "bridges/compose.h"

#include <string.h>

static void add_bare(const struct compose_rule *rule, enum type type, const struct value *raw, struct text *to)
{
	char room[DECIMAL_ROOM];
	bool yes = raw->type == VALUE_BOOL ? raw->yes : raw->type == VALUE_NUMBER && raw->number.digits != 0;
	if (type == TYPE_BOOL)
		text_add(to, yes ? rule->on : rule->off);
	else
		text_add(to, value_print(raw, room));
}

void compose_quoted(const char *bare, size_t size, struct text *to)
{
	static const char bytes[] = "\b\f\n\r\t\"\\", codes[] = "bfnrt\"\\";
	text_add(to, "\"");
	for (const char *end = bare + size; bare < end; bare++) {
		const char *code = *bare ? strchr(bytes, *bare) : NULL;
		if (code)
			text_addf(to, "\\%c", codes[code - bytes]);
		else if ((unsigned char)*bare < 0x20)
			text_addf(to, "\\u%04x", (unsigned)*bare);
		else
			text_add_n(to, bare, 1);
	}
	text_add(to, "\"");
}

static bool is_json(enum type type, const char *bare)
{
	struct decimal number;
	if (type == TYPE_TEXT || type == TYPE_TIME)
		return false;
	if (strcmp(bare, "true") == 0 || strcmp(bare, "false") == 0)
		return true;
	bool leading_zero = bare[0] == '0' && bare[1] >= '0' && bare[1] <= '9';
	return *bare != '+' && !leading_zero && decimal_parse(bare, strlen(bare), &number) == 0;
}

static void add_json(const struct compose_rule *rule, enum type type, const struct value *raw, struct text *to)
{
	struct text bare = { 0 };
	text_reserve(&bare, 16);
	text_clear(&bare);
	add_bare(rule, type, raw, &bare);
	if (is_json(type, bare.data))
		text_add_n(to, bare.data, bare.size);
	else
		compose_quoted(bare.data, bare.size, to);
	text_free(&bare);
}

static const struct placeholder {
	const char *word;
	void (*add)(const struct compose_rule *rule, enum type type, const struct value *raw, struct text *to);
} placeholders[] = { { "${value}", add_json }, { "${raw}", add_bare } };

static const struct placeholder *placeholder_at(const char *at)
{
	for (size_t i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++)
		if (text_begins(at, placeholders[i].word))
			return &placeholders[i];
	return NULL;
}

int compose_check(const struct compose_rule *rule, enum type type, struct err *e)
{
	size_t n = 0;
	bool bare = false;
	for (const char *at = strstr(rule->template, "${"); at; at = strstr(at + 2, "${")) {
		const struct placeholder *p = placeholder_at(at);
		if (!p)
			return err_set(e, "'%.20s' is neither ${value} nor ${raw}", at);
		bare |= p->add == add_bare;
		n++;
	}
	if (n == 0)
		return err_set(e, "has neither ${value} nor ${raw}: the value would not be in it");
	if (bare && type == TYPE_TEXT && strpbrk(rule->template, "\"[") != NULL)
		return err_set(e, "a text in JSON needs ${value} (with its own quotes) instead of ${raw}");
	return 0;
}

void compose_payload(const struct compose_rule *rule, enum type type, const struct value *raw, struct text *to)
{
	const char *at = rule->template;
	while (*at) {
		const char *mark = strstr(at, "${");
		const struct placeholder *p = mark ? placeholder_at(mark) : NULL;
		size_t plain = mark ? (size_t)(mark - at) : strlen(at);
		text_add_n(to, at, plain);
		at += plain;
		if (p) {
			p->add(rule, type, raw, to);
			at += strlen(p->word);
		} else if (mark) {
			text_add_n(to, at++, 1);
		}
	}
}
