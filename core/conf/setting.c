#include "core/conf/setting.h"

#include "core/base/mem.h"
#include "core/conf/nearest.h"
#include "core/conf/scalar.h"
#include "core/model/names.h"

#include <stddef.h>
#include <string.h>

/* In front of a struct made by setting_new, so that it can be freed by whoever holds only the pointer. */
struct header {
	const struct setting *rows;
	_Alignas(max_align_t) char filled[];
};

static void *place_of(const struct setting *row, void *filled)
{
	return (char *)filled + row->offset;
}

static const void *const_place_of(const struct setting *row, const void *filled)
{
	return (const char *)filled + row->offset;
}

void *setting_new(const struct setting *rows, size_t size)
{
	if (size == 0)
		return NULL;
	struct header *h = mem_new(sizeof(*h) + size);
	h->rows = rows;
	setting_defaults(rows, h->filled);
	return h->filled;
}

void setting_drop(void *filled)
{
	if (!filled)
		return;
	struct header *h = (struct header *)(void *)((char *)filled - offsetof(struct header, filled));
	setting_free(h->rows, filled);
	mem_free(h);
}

static void default_of(const struct setting *row, void *filled)
{
	if (row->type == SETTING_GROUP)
		setting_defaults(row->rows, place_of(row, filled));
	else if (row->fallback)
		must(setting_parse(row, row->fallback, filled, NULL) == 0);
}

void setting_defaults(const struct setting *rows, void *filled)
{
	for (; rows && rows->key; rows++)
		default_of(rows, filled);
}

static void free_text(const struct setting *row, void *at)
{
	(void)row;
	char **place = at;
	mem_free(*place);
	*place = NULL;
}

static void free_secret(const struct setting *row, void *at)
{
	char **place = at;
	if (*place)
		explicit_bzero(*place, strlen(*place));
	free_text(row, at);
}

static void free_names(const struct setting *row, void *at)
{
	(void)row;
	names_free(at);
}

static void free_group(const struct setting *row, void *at)
{
	setting_free(row->rows, at);
}

static void free_list(const struct setting *row, void *at)
{
	struct setting_list list;
	memcpy(&list, at, sizeof(list));
	for (size_t i = 0; i < list.n; i++)
		setting_free(row->rows, (char *)list.elements + i * row->size);
	mem_free(list.elements);
	memset(at, 0, sizeof(list));
}

static void free_values(const struct setting *row, void *at)
{
	(void)row;
	struct setting_values values;
	memcpy(&values, at, sizeof(values));
	for (size_t i = 0; i < values.n; i++)
		value_free(&values.list[i]);
	mem_free(values.list);
	memset(at, 0, sizeof(values));
}

static void (*const frees[SETTING_TYPES])(const struct setting *row, void *at) = {
	[SETTING_TEXT] = free_text,   [SETTING_SECRET] = free_secret, [SETTING_NAMES] = free_names,
	[SETTING_GROUP] = free_group, [SETTING_LIST] = free_list,     [SETTING_VALUES] = free_values,
};

void setting_free(const struct setting *rows, void *filled)
{
	for (; rows && rows->key; rows++) {
		if (frees[rows->type])
			frees[rows->type](rows, place_of(rows, filled));
		if (rows->type == SETTING_SECRET && rows->file)
			free_text(rows, (char *)filled + rows->file);
	}
}

int setting_parse(const struct setting *row, const char *text, void *filled, struct err *e)
{
	const struct scalar_type *type = scalar_type(row->type);
	must(type->parse);
	return type->parse(row, text, place_of(row, filled), e);
}

static bool print_names(const struct names *names, struct text *to)
{
	if (names->n == 1 && !*names->list[0].language) {
		scalar_quote(to, names->list[0].text);
		return true;
	}
	if (names->n == 0)
		return false;
	text_add(to, "{");
	for (size_t i = 0; i < names->n; i++) {
		text_addf(to, " %s = ", names->list[i].language);
		scalar_quote(to, names->list[i].text);
		text_add(to, ";");
	}
	text_add(to, " }");
	return true;
}

static void print_value(const struct value *v, struct text *to)
{
	char room[DECIMAL_ROOM];
	if (v->type == VALUE_NUMBER)
		scalar_print_decimal(v->number, to);
	else if (v->type == VALUE_TEXT)
		scalar_quote(to, v->text);
	else
		text_add(to, value_print(v, room));
}

static bool print_values(const void *at, struct text *to)
{
	struct setting_values values;
	memcpy(&values, at, sizeof(values));
	if (values.n == 0)
		return false;
	for (size_t i = 0; i < values.n; i++) {
		text_add(to, i > 0 ? ", " : "( ");
		print_value(&values.list[i], to);
	}
	text_add(to, " )");
	return true;
}

/* A scalar that is zero, without a default and without a flag that says otherwise, was not given. */
static bool is_set(const struct setting *row, const void *filled)
{
	const char zero[sizeof(struct decimal)] = { 0 };
	if (row->fallback || (row->flags & (SETTING_REQUIRED | SETTING_ZERO)))
		return true;
	if (row->flags & SETTING_GIVEN)
		return *((const bool *)filled + row->given);
	return memcmp(const_place_of(row, filled), zero, scalar_type(row->type)->size) != 0;
}

bool setting_print(const struct setting *row, const void *filled, struct text *to)
{
	const void *at = const_place_of(row, filled);
	if (row->type == SETTING_NAMES)
		return print_names(at, to);
	if (row->type == SETTING_VALUES)
		return print_values(at, to);
	must(scalar_type(row->type)->print);
	return is_set(row, filled) && scalar_type(row->type)->print(row, at, to);
}

const struct setting *setting_find(const struct setting *rows, const char *key)
{
	for (; rows && rows->key; rows++)
		if (strcmp(rows->key, key) == 0)
			return rows;
	return NULL;
}

const char *setting_nearest(const struct setting *rows, const char *key)
{
	const char *nearest = NULL;
	size_t best = SIZE_MAX;
	for (; rows && rows->key; rows++)
		if (nearest_better(rows->key, key, &best))
			nearest = rows->key;
	return nearest;
}
