#include "core/conf/candidate.h"

#include "core/base/mem.h"
#include "core/conf/template.h"

#include <stdlib.h>
#include <string.h>

struct search {
	struct build build;
	const struct protocol *protocol;
	struct candidate *list;
	size_t n;
};

static bool is_there(const struct search *g, const char *name)
{
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->list[i].template, name) == 0)
			return true;
	return false;
}

static void add(void *ctx, const char *name)
{
	struct search *g = ctx;
	const struct template *t = is_there(g, name) ? NULL : template_try(&g->build, name, g->protocol);
	if (!t || !t->head.has_probe)
		return;
	g->list = mem_resize(g->list, (g->n + 1) * sizeof(*g->list));
	g->list[g->n++] = (struct candidate){ mem_text(name), mem_text(t->head.probe.point), t->head.probe.min,
					      t->head.probe.max };
}

static int by_name(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	return strcmp(x->template, y->template);
}

size_t candidate_list(const char *file, const struct protocol *protocol, struct candidate **ret)
{
	struct conf said = { 0 }; /* mistakes in templates that nobody asked for */
	struct search g = { .build = { .c = &said, .main_file = file }, .protocol = protocol };
	template_each(&g.build, add, &g);
	build_end(&g.build);
	conf_free(&said);
	if (g.n)
		qsort(g.list, g.n, sizeof(*g.list), by_name);
	*ret = g.list;
	return g.n;
}

void candidate_free(struct candidate *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		mem_free(list[i].template);
		mem_free(list[i].point);
	}
	mem_free(list);
}
