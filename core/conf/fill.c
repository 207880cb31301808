#include "core/conf/fill.h"

#include "core/base/mem.h"
#include "core/conf/filler.h"
#include "core/conf/nearest.h"
#include "core/conf/repeat.h"
#include "core/conf/secret.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const char file_suffix[] = "_file";

void fill_fault(const struct fill *f, const struct file_node *at, const char *key, const char *format, ...)
{
	char sentence[400];
	va_list args;
	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	fault_error(f->c, file_name(at), file_line(at), "%s%s%s%s%s%s", f->subject, *f->subject ? ": " : "",
		    key ? f->path : "", key ? key : "", key ? ": " : "", sentence);
}

static void *place_of(const struct setting *row, void *filled)
{
	return (char *)filled + row->offset;
}

static void mark_given(const struct setting *row, void *filled)
{
	if (row->flags & SETTING_GIVEN)
		*((bool *)filled + row->given) = true;
}

struct work { /* what fill_parts was called with */
	const struct fill *f;
	const struct fill_part *parts;
	size_t n_parts;
	const struct fill_layer *layers;
	size_t n_layers;
};

static bool is_group(const struct file_node *n)
{
	return n && file_kind(n) == FILE_GROUP;
}

/* A group may have rows in several layers and members in several parts; each member is looked up in all layers. */
static void fill_group(const struct work *w, const struct file_node *n)
{
	const struct fill *f = w->f;
	struct fill_layer inner[FILL_LAYERS];
	struct fill_part parts[FILL_PARTS];
	size_t n_inner = 0, n_parts = 0;
	char path[FILL_PATH];
	snprintf(path, sizeof(path), "%s%s.", f->path, file_key(n));
	for (size_t i = 0; i < w->n_layers; i++) {
		const struct setting *row = setting_find(w->layers[i].rows, file_key(n));
		if (!row)
			continue;
		must(row->type == SETTING_GROUP);
		mark_given(row, w->layers[i].filled);
		inner[n_inner++] = (struct fill_layer){ row->rows, place_of(row, w->layers[i].filled) };
	}
	for (size_t i = 0; i < w->n_parts; i++) {
		const struct file_node *group = file_find(w->parts[i].group, file_key(n));
		if (is_group(group))
			parts[n_parts++] = (struct fill_part){ group, NULL };
	}
	const struct fill inside = { f->c, f->subject, f->block, path, f->mark };
	fill_parts(&inside, parts, n_parts, n, inner, n_inner);
}

/* The row of "secret" for "secret_file". */
static const struct setting *find_secret(const struct setting *rows, const char *key)
{
	char stem[FILL_PATH];
	size_t n = strlen(key), suffix = strlen(file_suffix);
	if (n <= suffix || n - suffix >= sizeof(stem) || strcmp(key + n - suffix, file_suffix) != 0)
		return NULL;
	snprintf(stem, sizeof(stem), "%.*s", (int)(n - suffix), key);
	const struct setting *row = setting_find(rows, stem);
	return row && row->type == SETTING_SECRET ? row : NULL;
}

static void fill_secret_file(const struct fill *f, const struct file_node *n, const struct setting *row, void *filled)
{
	struct err e;
	char *secret = NULL;
	if (file_kind(n) != FILE_TEXT) {
		fill_fault(f, n, file_key(n), "must be the name of a file in quotes, not %s", filler_kind(n));
		return;
	}
	char *name = repeat_text(file_text(n), f->mark);
	if (secret_read(name, file_name(n), &secret, &e) < 0)
		fill_fault(f, n, file_key(n), "%s", e.text);
	char **place = place_of(row, filled);
	if (*place)
		fill_fault(f, n, file_key(n), "give either %s or %s", row->key, file_key(n));
	if (!secret || *place) {
		secret_free(secret);
		mem_free(name);
		return;
	}
	*place = secret;
	if (row->file)
		*(char **)(void *)((char *)filled + row->file) = name;
	else
		mem_free(name);
}

static void say_unknown(const struct work *w, const struct file_node *n, const struct setting *others)
{
	const struct fill *f = w->f;
	const char *nearest = NULL, *key = file_key(n);
	size_t best = SIZE_MAX;
	for (size_t i = 0; i <= w->n_layers; i++) {
		const char *near = setting_nearest(i < w->n_layers ? w->layers[i].rows : others, key);
		if (near && nearest_better(near, key, &best))
			nearest = near;
	}
	struct text hint = { 0 };
	text_addf(&hint, "unknown key '%s%.60s'", f->path, key);
	if (*f->block)
		text_addf(&hint, " in %s", f->block);
	if (nearest)
		text_addf(&hint, " - did you mean '%s%s'?", f->path, nearest);
	fault_error(f->c, file_name(n), file_line(n), "%s", hint.data);
	text_free(&hint);
}

static void fill_member(const struct work *w, const struct file_node *n, const struct setting *others)
{
	for (size_t i = 0; i < w->n_layers; i++) {
		const struct fill_layer *l = &w->layers[i];
		const struct setting *row = setting_find(l->rows, file_key(n));
		const struct setting *secret = row ? NULL : find_secret(l->rows, file_key(n));
		if (secret)
			fill_secret_file(w->f, n, secret, l->filled);
		else if (row && row->type == SETTING_GROUP && is_group(n))
			fill_group(w, n);
		else if (row)
			filler_take(w->f, n, row, l->filled);
		if (row || secret)
			return;
	}
	if (!setting_find(others, file_key(n)) && !find_secret(others, file_key(n)))
		say_unknown(w, n, others);
}

/* Is the key in a later part? Of a group it is the last part that has one, which fills it from all. */
static bool is_said_later(const struct work *w, size_t part, const struct file_node *n)
{
	for (size_t i = part + 1; i < w->n_parts; i++)
		if (file_find(w->parts[i].group, file_key(n)))
			return true;
	return false;
}

static bool is_there(const struct fill_part *parts, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (file_find(parts[i].group, key))
			return true;
	return false;
}

static void look_for_missing(const struct work *w, const struct file_node *at, const struct setting *rows)
{
	for (; rows && rows->key; rows++) {
		char with_file[FILL_PATH];
		if (!(rows->flags & SETTING_REQUIRED) || is_there(w->parts, w->n_parts, rows->key))
			continue;
		snprintf(with_file, sizeof(with_file), "%s%s", rows->key, file_suffix);
		bool secret = rows->type == SETTING_SECRET;
		if (secret && is_there(w->parts, w->n_parts, with_file))
			continue;
		fill_fault(w->f, at, NULL, "'%s%s%s' is missing: %s", w->f->path, rows->key, secret ? file_suffix : "",
			   rows->help);
	}
}

void fill_parts(const struct fill *f, const struct fill_part *parts, size_t n_parts, const struct file_node *at,
		const struct fill_layer *layers, size_t n)
{
	must(n <= FILL_LAYERS && n_parts <= FILL_PARTS);
	const struct work w = { f, parts, n_parts, layers, n };
	for (size_t p = 0; p < n_parts; p++)
		for (size_t i = 0; i < file_length(parts[p].group); i++) {
			const struct file_node *member = file_at(parts[p].group, i);
			if (!is_said_later(&w, p, member))
				fill_member(&w, member, parts[p].others);
		}
	for (size_t i = 0; i < n; i++)
		look_for_missing(&w, at, layers[i].rows);
}

void fill_block(const struct fill *f, const struct file_node *group, const struct fill_layer *layers, size_t n)
{
	const struct fill_part part = { group, NULL };
	must(file_kind(group) == FILE_GROUP);
	fill_parts(f, &part, 1, group, layers, n);
}
