#include "core/conf/same.h"

#include "core/base/text.h"
#include "core/conf/rows.h"
#include "core/conf/scalar.h"

#include <string.h>

static bool same_texts(const struct setting *row, const void *a, const void *b)
{
	const char *const *one = a, *const *other = b;
	(void)row;
	return *one == *other || (*one && *other && strcmp(*one, *other) == 0);
}

static bool same_bytes(const struct setting *row, const void *a, const void *b)
{
	return memcmp(a, b, scalar_type(row->type)->size) == 0;
}

/* As written: 21.50 shows a digit more than 21.5. */
static bool same_decimals(const struct setting *row, const void *a, const void *b)
{
	const struct decimal *one = a, *other = b;
	(void)row;
	return one->negative == other->negative && one->digits == other->digits && one->exp10 == other->exp10;
}

static bool same_names(const struct setting *row, const void *a, const void *b)
{
	const struct names *one = a, *other = b;
	bool same = one->n == other->n;
	(void)row;
	for (size_t i = 0; same && i < one->n; i++)
		same = strcmp(one->list[i].language, other->list[i].language) == 0 &&
		       strcmp(one->list[i].text, other->list[i].text) == 0;
	return same;
}

static bool same_groups(const struct setting *row, const void *a, const void *b)
{
	return same_rows(row->rows, a, b);
}

static bool same_lists(const struct setting *row, const void *a, const void *b)
{
	struct setting_list one, other;
	memcpy(&one, a, sizeof(one));
	memcpy(&other, b, sizeof(other));
	bool same = one.n == other.n;
	for (size_t i = 0; same && i < one.n; i++)
		same = same_rows(row->rows, (const char *)one.elements + i * row->size,
				 (const char *)other.elements + i * row->size);
	return same;
}

static bool same_values(const struct setting *row, const void *a, const void *b)
{
	struct setting_values one, other;
	(void)row;
	memcpy(&one, a, sizeof(one));
	memcpy(&other, b, sizeof(other));
	bool same = one.n == other.n;
	for (size_t i = 0; same && i < one.n; i++)
		same = value_same(&one.list[i], &other.list[i]);
	return same;
}

/* NULL: it keeps nothing in the struct. */
static bool (*const sames[SETTING_TYPES])(const struct setting *row, const void *a, const void *b) = {
	[SETTING_TEXT] = same_texts,    [SETTING_BOOL] = same_bytes,       [SETTING_INT] = same_bytes,
	[SETTING_INT32] = same_bytes,   [SETTING_DECIMAL] = same_decimals, [SETTING_DURATION] = same_bytes,
	[SETTING_SIZE] = same_bytes,    [SETTING_WORD] = same_bytes,       [SETTING_SECRET] = same_texts,
	[SETTING_NAMES] = same_names,   [SETTING_GROUP] = same_groups,     [SETTING_LIST] = same_lists,
	[SETTING_VALUES] = same_values,
};

bool same_row(const struct setting *row, const void *a, const void *b)
{
	const char *one = a, *other = b;
	if ((row->flags & SETTING_GIVEN) && *(const bool *)(one + row->given) != *(const bool *)(other + row->given))
		return false;
	return !sames[row->type] || sames[row->type](row, one + row->offset, other + row->offset);
}

bool same_rows(const struct setting *rows, const void *a, const void *b)
{
	for (; rows && rows->key; rows++)
		if (!same_row(rows, a, b))
			return false;
	return true;
}

static bool same_patterns(const struct bus *a, const struct bus *b)
{
	bool same = a->n_patterns == b->n_patterns;
	for (size_t i = 0; same && i < a->n_patterns; i++)
		same = strcmp(a->patterns[i].text, b->patterns[i].text) == 0;
	return same;
}

bool same_bus(const struct bus *a, const struct bus *b, const struct protocol *protocol)
{
	return same_patterns(a, b) && strcmp(a->protocol, b->protocol) == 0 &&
	       same_rows(protocol->options, a->options, b->options);
}

static bool same_points(const struct point *a, const struct point *b, const struct protocol *protocol)
{
	return same_rows(rows_point, a, b) && same_rows(protocol->address, a->address, b->address);
}

bool same_device(const struct device *a, const struct device *b, const struct protocol *protocol)
{
	bool same = strcmp(a->bus->id, b->bus->id) == 0 && a->n_points == b->n_points &&
		    text_same(a->found, b->found) && same_rows(rows_device, a, b) &&
		    same_rows(protocol->device, a->options, b->options);
	for (size_t i = 0; same && i < a->n_points; i++)
		same = same_points(a->points[i], b->points[i], protocol);
	return same;
}

static bool is_label(const char *key)
{
	static const char *const labels[] = { "id",           "name",          "unit",  "kind",  "deadband",
					      "min_interval", "poll",          "stale", "thing", "jid",
					      "disable",      "password_file", "write", NULL };
	for (const char *const *at = labels; *at; at++)
		if (strcmp(*at, key) == 0)
			return true;
	return false;
}

bool same_sight(const struct point *a, const struct point *b, const struct protocol *protocol)
{
	for (const struct setting *row = rows_point; row->key; row++)
		if (!is_label(row->key) && !same_row(row, a, b))
			return false;
	return strcmp(a->device->bus->id, b->device->bus->id) == 0 &&
	       strcmp(a->device->bus->protocol, b->device->bus->protocol) == 0 &&
	       same_rows(protocol->device, a->device->options, b->device->options) &&
	       same_rows(protocol->address, a->address, b->address);
}
