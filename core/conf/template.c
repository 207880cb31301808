#include "core/conf/template.h"

#include "core/base/mem.h"
#include "core/conf/ident.h"
#include "core/conf/nearest.h"
#include "core/conf/rows.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char suffix[] = ".conf";

/* As libconfig's includes: beside the configuration file. */
static char *own_directory(const struct build *b)
{
	const char *slash = strrchr(b->main_file, '/');
	return mem_format("%.*stemplates.d", slash ? (int)(slash + 1 - b->main_file) : 0, b->main_file);
}

static void each_in(const char *directory, void (*fn)(void *ctx, const char *name), void *ctx)
{
	DIR *d = opendir(directory);
	struct dirent *entry;
	while (d && (entry = readdir(d))) {
		size_t n = strlen(entry->d_name);
		if (n <= strlen(suffix) || strcmp(entry->d_name + n - strlen(suffix), suffix) != 0)
			continue;
		char *stem = mem_text_n(entry->d_name, n - strlen(suffix));
		fn(ctx, stem);
		mem_free(stem);
	}
	if (d)
		closedir(d);
}

void template_each(const struct build *b, void (*fn)(void *ctx, const char *name), void *ctx)
{
	char *own = own_directory(b);
	each_in(own, fn, ctx);
	each_in(JIDGATE_TEMPLATES, fn, ctx);
	mem_free(own);
}

struct nearest {
	const char *name;
	size_t best;
	char *found;
};

static void look_near(void *ctx, const char *name)
{
	struct nearest *n = ctx;
	if (!nearest_better(name, n->name, &n->best))
		return;
	mem_free(n->found);
	n->found = mem_text(name);
}

static void say_absent(const struct build *b, const struct fill *f, const struct file_node *n, const char *name)
{
	struct nearest near = { .name = name, .best = SIZE_MAX };
	template_each(b, look_near, &near);
	fill_fault(f, n, "template", "there is no %.60s.conf in templates.d beside this file nor in %s%s%s%s", name,
		   JIDGATE_TEMPLATES, near.found ? " - did you mean '" : "", near.found ? near.found : "",
		   near.found ? "'?" : "");
	mem_free(near.found);
}

/* Where it is, or NULL. */
static char *place_of(const struct build *b, const char *name)
{
	char *own = own_directory(b);
	char *place = mem_format("%s/%s%s", own, name, suffix);
	mem_free(own);
	if (access(place, F_OK) == 0)
		return place;
	mem_free(place);
	place = mem_format("%s/%s%s", JIDGATE_TEMPLATES, name, suffix);
	if (access(place, F_OK) == 0)
		return place;
	mem_free(place);
	return NULL;
}

static bool speaks(const struct template *t, const struct protocol *protocol)
{
	const char *word = t->head.protocol, *rest = protocol->name + strlen(word);
	return text_begins(protocol->name, word) && (*rest == '\0' || *rest == '-');
}

static void check_probe(const struct fill *f, const struct template *t)
{
	const struct file_node *probe = file_find(file_root(t->file), "probe");
	const struct template_probe *p = &t->head.probe;
	if (!t->head.has_probe || !p->point)
		return;
	if (!template_point(t, p->point))
		fill_fault(f, probe, "probe.point", "there is no point '%.60s'", p->point);
	if (decimal_compare(p->min, p->max) > 0)
		fill_fault(f, probe, "probe.min", "it is greater than max");
}

static void check_points(const struct fill *f, const struct file_node *root)
{
	const struct file_node *points = file_find(root, "points"), *defaults = file_find(root, "defaults");
	if (points && file_kind(points) == FILE_LIST && file_length(points) == 0)
		fill_fault(f, points, "points", "there is none");
	if (defaults && file_kind(defaults) != FILE_GROUP)
		fill_fault(f, defaults, "defaults", "must be a group { ... }");
	else if (defaults && file_find(defaults, "id"))
		fill_fault(f, file_find(defaults, "id"), "defaults.id", "each point has its own");
}

static void check_template(struct build *b, struct template *t, const struct protocol *protocol)
{
	char subject[80];
	const struct file_node *root = file_root(t->file);
	snprintf(subject, sizeof(subject), "template '%.60s'", t->name);
	const struct fill f = { b->c, subject, subject, "", NULL };
	const struct fill_part part = { root, protocol->device };
	const struct fill_layer layer = { rows_template, &t->head };
	setting_defaults(rows_template, &t->head);
	size_t before = b->c->n_errors;
	fill_parts(&f, &part, 1, root, &layer, 1);
	if (t->head.name && strcmp(t->head.name, t->name) != 0)
		fill_fault(&f, file_find(root, "template"), "template", "must be '%s', as the file is called", t->name);
	check_points(&f, root);
	check_probe(&f, t);
	if (b->c->n_errors == before)
		return;
	file_free(t->file);
	t->file = NULL;
}

/* NULL: there is none. */
static struct template *get(struct build *b, const char *name, const struct protocol *protocol)
{
	struct template *t = map_find(&b->templates, name);
	char *place = t ? NULL : place_of(b, name);
	if (!place)
		return t;
	t = mem_new(sizeof(*t));
	t->name = mem_text(name);
	t->file = file_load(b->c, place);
	mem_free(place);
	if (t->file)
		check_template(b, t, protocol);
	map_put(&b->templates, t->name, t);
	return t;
}

const struct template *template_try(struct build *b, const char *name, const struct protocol *protocol)
{
	struct err e;
	const struct template *t = ident_check(name, &e) < 0 ? NULL : get(b, name, protocol);
	return t && t->file && speaks(t, protocol) ? t : NULL;
}

const struct template *template_find(struct build *b, const struct fill *f, const struct file_node *n,
				     const struct protocol *protocol)
{
	struct err e;
	const char *name = file_kind(n) == FILE_TEXT ? file_text(n) : NULL;
	if (!name)
		return NULL; /* its row says why */
	if (ident_check(name, &e) < 0) {
		fill_fault(f, n, "template", "%s", e.text);
		return NULL;
	}
	const struct template *t = get(b, name, protocol);
	if (!t) {
		say_absent(b, f, n, name);
		return NULL;
	}
	if (!t->file) {
		fill_fault(f, n, "template", "'%s' has mistakes in it", name);
		return NULL;
	}
	if (!speaks(t, protocol)) {
		fill_fault(f, n, "template", "'%s' is for %s, and the bus speaks %s", name, t->head.protocol,
			   protocol->name);
		return NULL;
	}
	return t;
}

const struct file_node *template_point(const struct template *t, const char *id)
{
	const struct file_node *points = file_find(file_root(t->file), "points");
	for (size_t i = 0; points && i < file_length(points); i++) {
		const char *there = file_text_of(file_at(points, i), "id");
		if (there && strcmp(there, id) == 0)
			return file_at(points, i);
	}
	return NULL;
}

void template_free_all(struct build *b)
{
	struct template *t;
	for (size_t at = 0; (t = map_next(&b->templates, &at));) {
		setting_free(rows_template, &t->head);
		file_free(t->file);
		mem_free(t->name);
		mem_free(t);
	}
	map_free(&b->templates);
}
