#include "core/conf/filler.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/conf/repeat.h"
#include "core/conf/secret.h"
#include "core/model/names.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void *place_of(const struct setting *row, void *filled)
{
	return (char *)filled + row->offset;
}

static const char *const kinds_said[] = { "a group { }", "a list", "true or false", "a number", "a number", "a text" };

const char *filler_kind(const struct file_node *n)
{
	return kinds_said[file_kind(n)];
}

/* What each type of row takes, and how that is said. */
static const struct {
	unsigned kinds;
	const char *said;
} accepted[SETTING_TYPES] = {
	[SETTING_TEXT] = { 1 << FILE_TEXT, "a text in quotes" },
	[SETTING_BOOL] = { 1 << FILE_BOOL, "true or false" },
	[SETTING_INT] = { 1 << FILE_INTEGER, "a whole number" },
	[SETTING_INT32] = { 1 << FILE_INTEGER, "a whole number" },
	[SETTING_DECIMAL] = { 1 << FILE_INTEGER | 1 << FILE_REAL | 1 << FILE_TEXT, "a number" },
	[SETTING_DURATION] = { 1 << FILE_TEXT, "a duration in quotes, as \"5s\"" },
	[SETTING_SIZE] = { 1 << FILE_TEXT, "a size in quotes, as \"64KiB\"" },
	[SETTING_WORD] = { 1 << FILE_TEXT, "a word in quotes" },
	[SETTING_SECRET] = { 1 << FILE_TEXT, "a text in quotes" },
	[SETTING_NAMES] = { 1 << FILE_TEXT | 1 << FILE_GROUP, "a text, or { en = \"...\"; de = \"...\"; }" },
	[SETTING_GROUP] = { 1 << FILE_GROUP, "a group { ... }" },
	[SETTING_LIST] = { 1 << FILE_LIST, "a list ( { ... }, { ... } )" },
	[SETTING_VALUES] = { ~(1U << FILE_GROUP), "a list of values ( 1, 2 )" },
	[SETTING_BLOCKS] = { 1 << FILE_LIST, "a list ( { ... }, { ... } )" },
	[SETTING_LATER] = { ~0U, "there" },
};

static bool accepts(const struct fill *f, const struct setting *row, const struct file_node *n)
{
	unsigned kinds = accepted[row->type].kinds;
	bool integer = row->type == SETTING_INT || row->type == SETTING_INT32;
	if (integer &&
	    (row->words || (f->mark && file_kind(n) == FILE_TEXT && repeat_is_in(file_text(n), f->mark->mark))))
		kinds |= 1 << FILE_TEXT;
	return kinds & (1U << file_kind(n));
}

/* The text of a plain value, as setting_parse takes it. */
static const char *text_of(const struct file_node *n, char room[DECIMAL_ROOM])
{
	struct decimal d = { 0 };
	switch (file_kind(n)) {
	case FILE_BOOL:
		return file_bool(n) ? "true" : "false";
	case FILE_INTEGER:
		snprintf(room, DECIMAL_ROOM, "%" PRId64, file_integer(n));
		return room;
	case FILE_REAL:
		if (!decimal_of_double(file_real(n), &d))
			return "infinity";
		decimal_print(d, room);
		return room;
	default:
		return file_text(n);
	}
}

static void fill_scalar(const struct fill *f, const struct file_node *n, const struct setting *row, void *filled)
{
	struct err e;
	char room[DECIMAL_ROOM];
	char *text = repeat_text(text_of(n, room), f->mark);
	if (setting_parse(row, text, filled, &e) < 0)
		fill_fault(f, n, row->key, "%s", e.text);
	mem_free(text);
}

static bool is_language(const char *key)
{
	for (const char *at = key; *at; at++)
		if (!isalnum((unsigned char)*at) && *at != '-')
			return false;
	return strlen(key) >= 2 && strlen(key) <= 35;
}

static void add_name(const struct fill *f, const struct file_node *n, const char *language, struct names *names)
{
	char *text = file_kind(n) == FILE_TEXT ? repeat_text(file_text(n), f->mark) : NULL;
	if (!text)
		fill_fault(f, n, language, "must be a text in quotes");
	else if (!*text || strlen(text) > LIMIT_NAME || !text_is_clean(text, strlen(text)))
		fill_fault(f, n, "name", "must be UTF-8 text of 1 to %d bytes", LIMIT_NAME);
	else
		names_add(names, language, text);
	mem_free(text);
}

static void fill_names(const struct fill *f, const struct file_node *n, const struct setting *row, void *filled)
{
	struct names *names = place_of(row, filled);
	names_free(names);
	if (file_kind(n) == FILE_TEXT) {
		add_name(f, n, "", names);
		return;
	}
	for (size_t i = 0; i < file_length(n); i++) {
		const struct file_node *one = file_at(n, i);
		if (is_language(file_key(one)))
			add_name(f, one, file_key(one), names);
		else
			fill_fault(f, one, row->key, "'%.40s' is no language: en, de, pt-BR, ...", file_key(one));
	}
	if (names->n == 0)
		fill_fault(f, n, row->key, "has no name in it");
}

static void fill_list(const struct fill *f, const struct file_node *n, const struct setting *row, void *filled)
{
	struct setting_list list = { mem_array(file_length(n), row->size), file_length(n) };
	for (size_t i = 0; i < list.n; i++) {
		const struct file_node *one = file_at(n, i);
		char path[FILL_PATH];
		snprintf(path, sizeof(path), "%s%s[%zu].", f->path, row->key, i);
		const struct fill inside = { f->c, f->subject, f->block, path, f->mark };
		const struct fill_layer layer = { row->rows, (char *)list.elements + i * row->size };
		setting_defaults(layer.rows, layer.filled);
		if (file_kind(one) == FILE_GROUP)
			fill_block(&inside, one, &layer, 1);
		else
			fill_fault(f, one, row->key, "its members are groups { ... }, not %s", filler_kind(one));
	}
	memcpy(place_of(row, filled), &list, sizeof(list));
}

static struct value value_of(const struct file_node *n)
{
	char room[DECIMAL_ROOM];
	struct decimal d;
	const char *text = text_of(n, room);
	if (file_kind(n) == FILE_BOOL)
		return value_bool(file_bool(n));
	if (file_kind(n) != FILE_TEXT && decimal_parse(text, strlen(text), &d) == 0)
		return value_number(d);
	return value_text(text, strlen(text));
}

static void fill_values(const struct fill *f, const struct file_node *n, const struct setting *row, void *filled)
{
	bool many = file_kind(n) == FILE_LIST;
	size_t size = many ? file_length(n) : 1;
	struct setting_values values = { mem_array(size, sizeof(*values.list)), 0 };
	for (size_t i = 0; i < size; i++) {
		const struct file_node *one = many ? file_at(n, i) : n;
		if (file_kind(one) == FILE_GROUP || file_kind(one) == FILE_LIST)
			fill_fault(f, one, row->key, "its members are plain values, not %s", filler_kind(one));
		else
			values.list[values.n++] = value_of(one);
	}
	memcpy(place_of(row, filled), &values, sizeof(values));
}

static void fill_secret(const struct fill *f, const struct file_node *n, const struct setting *row, void *filled)
{
	const char *const *place = place_of(row, filled);
	if (*place) {
		fill_fault(f, n, row->key, "give either %s or %s_file", row->key, row->key);
		return;
	}
	fill_scalar(f, n, row, filled);
	if (secret_is_open(file_name(n)))
		fault_warn(f->c, file_name(n), file_line(n),
			   "%s%s%s%s: everybody on this machine can read it here - use %s%s%s, or chmod o-r",
			   f->subject, *f->subject ? ": " : "", f->path, row->key, f->path, row->key, "_file");
	if (strcmp(file_text(n), "***") == 0)
		fault_warn(f->c, file_name(n), file_line(n),
			   "%s%s%s%s: *** is what show-config prints instead of a secret", f->subject,
			   *f->subject ? ": " : "", f->path, row->key);
}

static void fill_nothing(const struct fill *f, const struct file_node *n, const struct setting *row, void *filled)
{
	(void)f;
	(void)n;
	(void)row;
	(void)filled;
}

static void (*const fills[SETTING_TYPES])(const struct fill *f, const struct file_node *n, const struct setting *row,
					  void *filled) = {
	[SETTING_SECRET] = fill_secret, [SETTING_NAMES] = fill_names,    [SETTING_LIST] = fill_list,
	[SETTING_VALUES] = fill_values, [SETTING_BLOCKS] = fill_nothing, [SETTING_LATER] = fill_nothing,
};

static bool lacks(const struct fill *f, const struct file_node *n, const char *mark)
{
	return !repeat_knows(f->mark, mark) && file_kind(n) == FILE_TEXT && repeat_is_in(file_text(n), mark);
}

void filler_take(const struct fill *f, const struct file_node *n, const struct setting *row, void *filled)
{
	if (!accepts(f, row, n)) {
		fill_fault(f, n, row->key, "must be %s, not %s", accepted[row->type].said, filler_kind(n));
		return;
	}
	if (lacks(f, n, repeat_level)) {
		fill_fault(f, n, row->key, "${level} means nothing here: it must be in the id of the device, too");
		return;
	}
	if (lacks(f, n, repeat_unit)) {
		fill_fault(f, n, row->key, "${unit} means nothing here: say units = \"...\" of the device");
		return;
	}
	if (row->flags & SETTING_GIVEN)
		*((bool *)filled + row->given) = true;
	if (fills[row->type])
		fills[row->type](f, n, row, filled);
	else
		fill_scalar(f, n, row, filled);
}
