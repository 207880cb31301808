#include "core/conf/fill.h"

#include "core/base/mem.h"
#include "core/conf/filler.h"
#include "core/conf/nearest.h"
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

/* A group may have rows in several layers; its members are looked up in all of them. */
static void fill_group(const struct fill *f, const struct file_node *n, const struct fill_layer *layers,
		       size_t n_layers)
{
	struct fill_layer inner[FILL_LAYERS];
	size_t n_inner = 0;
	char path[FILL_PATH];
	snprintf(path, sizeof(path), "%s%s.", f->path, file_key(n));
	for (size_t i = 0; i < n_layers; i++) {
		const struct setting *row = setting_find(layers[i].rows, file_key(n));
		if (!row)
			continue;
		must(row->type == SETTING_GROUP);
		mark_given(row, layers[i].filled);
		inner[n_inner++] = (struct fill_layer){ row->rows, place_of(row, layers[i].filled) };
	}
	const struct fill inside = { f->c, f->subject, f->block, path };
	fill_block(&inside, n, inner, n_inner);
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
	if (secret_read(file_text(n), file_name(n), &secret, &e) < 0)
		fill_fault(f, n, file_key(n), "%s", e.text);
	char **place = place_of(row, filled);
	if (*place)
		fill_fault(f, n, file_key(n), "give either %s or %s", row->key, file_key(n));
	if (!secret || *place) {
		secret_free(secret);
		return;
	}
	*place = secret;
	if (row->file)
		*(char **)(void *)((char *)filled + row->file) = mem_text(file_text(n));
}

static void say_unknown(const struct fill *f, const struct file_node *n, const struct fill_layer *layers,
			size_t n_layers)
{
	const char *nearest = NULL, *key = file_key(n);
	size_t best = SIZE_MAX;
	for (size_t i = 0; i < n_layers; i++) {
		const char *near = setting_nearest(layers[i].rows, key);
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

static void fill_member(const struct fill *f, const struct file_node *n, const struct fill_layer *layers,
			size_t n_layers)
{
	for (size_t i = 0; i < n_layers; i++) {
		const struct setting *row = setting_find(layers[i].rows, file_key(n));
		const struct setting *secret = row ? NULL : find_secret(layers[i].rows, file_key(n));
		if (secret)
			fill_secret_file(f, n, secret, layers[i].filled);
		else if (row && row->type == SETTING_GROUP && file_kind(n) == FILE_GROUP)
			fill_group(f, n, layers, n_layers);
		else if (row)
			filler_take(f, n, row, layers[i].filled);
		if (row || secret)
			return;
	}
	say_unknown(f, n, layers, n_layers);
}

static void look_for_missing(const struct fill *f, const struct file_node *group, const struct setting *rows)
{
	for (; rows && rows->key; rows++) {
		char with_file[FILL_PATH];
		snprintf(with_file, sizeof(with_file), "%s%s", rows->key, file_suffix);
		bool secret = rows->type == SETTING_SECRET;
		if (!(rows->flags & SETTING_REQUIRED) || file_find(group, rows->key) ||
		    (secret && file_find(group, with_file)))
			continue;
		fill_fault(f, group, NULL, "'%s%s%s' is missing: %s", f->path, rows->key, secret ? file_suffix : "",
			   rows->help);
	}
}

void fill_block(const struct fill *f, const struct file_node *group, const struct fill_layer *layers, size_t n)
{
	must(n <= FILL_LAYERS && file_kind(group) == FILE_GROUP);
	for (size_t i = 0; i < file_length(group); i++)
		fill_member(f, file_at(group, i), layers, n);
	for (size_t i = 0; i < n; i++)
		look_for_missing(f, group, layers[i].rows);
}
