#include "core/cli/scan_fit.h"

#include "core/base/mem.h"
#include "core/cli/direct.h"

#include <string.h>

struct trial { /* one candidate as a device */
	const struct candidate *by;
	struct device *device;
	struct point *probe;
	bool plausible;
	size_t n_points, n_values;
};

/* The bus and, on it, one device for each candidate. */
static int make_site(struct conf *conf, const struct cli *c, const struct scan_bus *b, uint8_t unit,
		     const struct candidate *list, size_t n)
{
	struct text text = { 0 };
	text_add(&text, "buses = ( ");
	scan_bus_print(b, &text);
	text_add(&text, " );\ndevices = (");
	for (size_t i = 0; i < n; i++)
		text_addf(&text, "%s\n{ id = \"try-%zu\"; bus = \"%s\"; unit_id = %u; template = \"%s\"; }",
			  i ? "," : "", i, b->bus->id, unit, list[i].template);
	text_add(&text, " );\n");
	int result = conf_parse(conf, c->conf, text.data, b->protocols);
	text_free(&text);
	return result;
}

static struct point *point_of(const struct device *d, const char *id)
{
	for (size_t i = 0; i < d->n_points; i++)
		if (strcmp(d->points[i]->id, id) == 0 && !d->points[i]->disabled)
			return d->points[i];
	return NULL;
}

static bool has_value(const struct point *p)
{
	return p->last.quality == QUALITY_GOOD;
}

static bool is_plausible(const struct trial *t)
{
	const struct value *v = &t->probe->last.value;
	return has_value(t->probe) && v->type == VALUE_NUMBER && decimal_compare(v->number, t->by->min) >= 0 &&
	       decimal_compare(v->number, t->by->max) <= 0;
}

/* All at once: the driver reads together what can be read together. A point that is not read has no value then. */
static int read_points(const struct cli *c, struct conf *conf, struct point **points, size_t n, struct err *e)
{
	struct direct_answer *answers = mem_array(n, sizeof(*answers));
	int result = n ? direct_ask(c, conf->house->buses[0], points, n, NULL, answers, e) : 0;
	mem_free(answers);
	return result;
}

static int read_probes(const struct cli *c, struct conf *conf, struct trial *trials, size_t n, struct err *e)
{
	struct point **points = mem_array(n, sizeof(*points));
	size_t n_points = 0;
	for (size_t i = 0; i < n; i++)
		if (trials[i].probe)
			points[n_points++] = trials[i].probe;
	int result = read_points(c, conf, points, n_points, e);
	for (size_t i = 0; i < n && result == 0; i++)
		trials[i].plausible = trials[i].probe && is_plausible(&trials[i]);
	mem_free(points);
	return result;
}

static bool is_counted(const struct point *p)
{
	return !p->disabled && (p->access & ACCESS_READ);
}

static int count_values(const struct cli *c, struct conf *conf, struct trial *t, struct err *e)
{
	const struct device *d = t->device;
	struct point **points = mem_array(d->n_points, sizeof(*points));
	for (size_t i = 0; i < d->n_points; i++)
		if (is_counted(d->points[i]))
			points[t->n_points++] = d->points[i];
	int result = read_points(c, conf, points, t->n_points, e);
	for (size_t i = 0; i < t->n_points; i++)
		t->n_values += has_value(points[i]);
	mem_free(points);
	return result;
}

/* The devices of a family have the same registers, the smaller ones fewer of them. */
static bool is_better(const struct trial *t, const struct trial *best)
{
	size_t missing = t->n_points - t->n_values, best_missing = best->n_points - best->n_values;
	return missing != best_missing ? missing < best_missing : t->n_values > best->n_values;
}

static char *describe(const struct point *p)
{
	char room[DECIMAL_ROOM];
	const char *name = names_find(&p->names, "en");
	return mem_format("%s is %s%s%s", name ? name : p->id, value_print(&p->last.value, room), p->unit ? " " : "",
			  p->unit ? p->unit : "");
}

static void say(const struct trial *trials, size_t n, const struct trial *best, struct scan_fit *ret)
{
	struct text others = { 0 };
	for (size_t i = 0; i < n; i++)
		if (trials[i].plausible && &trials[i] != best)
			text_addf(&others, "%s%s", others.size ? ", " : "", trials[i].by->template);
	*ret = (struct scan_fit){ mem_text(best->by->template),
				  mem_text(best->probe->id),
				  describe(best->probe),
				  best->n_points,
				  best->n_values,
				  others.data };
}

static int try_all(const struct cli *c, struct conf *conf, struct trial *trials, size_t n, struct scan_fit *ret,
		   struct err *e)
{
	const struct trial *best = NULL;
	if (read_probes(c, conf, trials, n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!trials[i].plausible)
			continue;
		if (count_values(c, conf, &trials[i], e) < 0)
			return -1;
		bool like = 2 * trials[i].n_values >= trials[i].n_points; /* else something else has that value there */
		trials[i].plausible = like;
		if (like && (!best || is_better(&trials[i], best)))
			best = &trials[i];
	}
	if (best)
		say(trials, n, best, ret);
	return 0;
}

int scan_fit_find(const struct cli *c, const struct scan_bus *b, uint8_t unit, const struct candidate *list, size_t n,
		  struct scan_fit *ret, struct err *e)
{
	struct conf conf;
	int result = 0;
	*ret = (struct scan_fit){ 0 };
	struct trial *trials = mem_array(n, sizeof(*trials));
	if (make_site(&conf, c, b, unit, list, n) < 0)
		result = err_set(e, "%s", conf.errors.data);
	for (size_t i = 0; result == 0 && i < n; i++) {
		struct device *d = conf.house->devices[i];
		trials[i] = (struct trial){ &list[i], d, d->broken ? NULL : point_of(d, list[i].point), false, 0, 0 };
	}
	if (result == 0 && n)
		result = try_all(c, &conf, trials, n, ret, e);
	mem_free(trials);
	conf_free(&conf);
	return result;
}

void scan_fit_free(struct scan_fit *f)
{
	mem_free(f->template);
	mem_free(f->point);
	mem_free(f->seen);
	mem_free(f->others);
}
