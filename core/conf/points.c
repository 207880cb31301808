#include "core/conf/points.h"

#include "core/base/mem.h"
#include "core/conf/ident.h"
#include "core/conf/nearest.h"
#include "core/conf/rows.h"
#include "core/conf/template.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct check {
	const struct build *b;
	const struct file_node *node; /* where its id stands */
	struct fill_part parts[FILL_PARTS];
	size_t n_parts;
	const struct protocol *protocol;
	const struct points *from;
	struct map *ids; /* of this device: id -> struct point */
};

void points_default(struct point *p, const struct device *d, const struct protocol *protocol)
{
	setting_defaults(rows_point, p);
	p->poll_ms = protocol->poll_ms;
	p->stale_ms = d->stale_ms;
	p->history_ms = d->history_ms;
}

int64_t points_stale(const struct point *p)
{
	return p->poll_ms > 0 ? 3 * p->poll_ms + 1000 : 0;
}

static int check_id(const struct check *c, struct point *p, struct err *e)
{
	const struct point *first = map_find(c->ids, p->id);
	if (ident_check(p->id, e) < 0)
		return err_wrap(e, "id");
	if (first)
		return err_set(e, "id: the point at %s:%d has it already", first->file, first->line);
	map_put(c->ids, p->id, p);
	return 0;
}

static int check_type(const struct check *c, struct point *p, struct err *e)
{
	if (p->type > TYPE_TIME && !c->protocol->wire_types)
		return err_set(e, "type: '%s' is for Modbus registers; here bool, int, real, text or time",
			       type_word(p->type));
	return 0;
}

static bool is_number(const struct point *p)
{
	return point_value_type(p) == VALUE_NUMBER;
}

static int check_numbers(const struct check *c, struct point *p, struct err *e)
{
	(void)c;
	const char *key = p->has_scale       ? "scale"
			  : p->has_offset    ? "offset"
			  : p->has_min       ? "min"
			  : p->has_max       ? "max"
			  : p->has_deadband  ? "deadband"
			  : p->decimals >= 0 ? "decimals"
					     : NULL;
	if (key && p->n_words)
		return err_set(e, "%s: a point with words shows words, not numbers", key);
	if (key && !is_number(p))
		return err_set(e, "%s: only numbers have it, and the type is '%s'", key, type_word(p->type));
	return 0;
}

static int check_scale(const struct check *c, struct point *p, struct err *e)
{
	(void)c;
	if (p->has_scale && p->scale.digits == 0)
		return err_set(e, "scale: 0 would make every value the same");
	if (p->has_deadband && p->deadband.negative)
		return err_set(e, "deadband: it cannot be negative");
	if (p->has_min && p->has_max && decimal_compare(p->min, p->max) > 0)
		return err_set(e, "min: it is greater than max");
	return 0;
}

static int check_counter(const struct check *c, struct point *p, struct err *e)
{
	(void)c;
	uint64_t modulus;
	if (p->max_interval_ms && p->max_interval_ms < p->min_interval_ms)
		return err_set(e, "max_interval: it is shorter than min_interval (%lld ms)",
			       (long long)p->min_interval_ms);
	if (!p->has_wrap)
		return 0;
	if (p->kind != KIND_COUNTER)
		return err_set(e, "wrap: only a counter has it; add kind = \"counter\"");
	if (!is_number(p) || (p->access & ACCESS_WRITE))
		return err_set(e, "wrap: it is for numbers that are only read");
	if (decimal_unsigned(p->wrap, &modulus) < 0 || modulus < 2 || modulus > INT64_MAX)
		return err_set(e, "wrap: must be a whole number of 2 or more, the number of raw readings there are");
	return 0;
}

static int check_words(const struct check *c, struct point *p, struct err *e)
{
	(void)c;
	if (p->n_words && (p->type == TYPE_TEXT || p->type == TYPE_TIME || p->type == TYPE_STRING))
		return err_set(e, "words: they are for numbers, and the type is '%s'", type_word(p->type));
	for (size_t i = 0; i < p->n_words; i++)
		for (size_t k = 0; k < i; k++) {
			if (decimal_compare(p->words[i].raw, p->words[k].raw) == 0)
				return err_set(e, "words: '%s' and '%s' have the same raw value", p->words[k].text,
					       p->words[i].text);
			if (text_same_word(p->words[i].text, p->words[k].text))
				return err_set(e, "words: '%s' stands there twice", p->words[i].text);
		}
	return 0;
}

static int check_choices(const struct check *c, struct point *p, struct err *e)
{
	(void)c;
	if (p->n_choices && p->type != TYPE_TEXT)
		return err_set(e, "choices: they are for texts, and the type is '%s'", type_word(p->type));
	for (size_t i = 0; i < p->n_choices; i++)
		if (p->choices[i].type != VALUE_TEXT || !*p->choices[i].text)
			return err_set(e, "choices: number %zu is no text", i + 1);
	return 0;
}

static int check_access(const struct check *c, struct point *p, struct err *e)
{
	bool writes = p->access & ACCESS_WRITE;
	/* Who makes a point of a template read-only need not say more. */
	if (!writes && file_find(c->parts[c->n_parts - 1].group, "write"))
		return err_set(e, "write: the point is read-only; add access = \"rw\"");
	if (writes && is_number(p) && !(p->has_min && p->has_max))
		return err_set(e, "access: a number that can be written needs min and max");
	if (writes && p->confirm == CONFIRM_RESPONSE && !c->protocol->responds)
		return err_set(e, "write.confirm: nobody answers a write on this bus; \"none\", \"state\" or \"readback\"");
	if (!(p->access & ACCESS_READ) && p->confirm != CONFIRM_NONE && p->confirm != CONFIRM_RESPONSE)
		return err_set(e,
			       "write.confirm: what cannot be read cannot be confirmed; \"none\", or access = \"rw\"");
	return 0;
}

static int check_jid(const struct check *c, struct point *p, struct err *e)
{
	bool gathered = p->device->gathering == GATHER_DEVICE;
	if (gathered && p->jid)
		return err_set(e, "jid: the device is one thing (things = \"device\"), its points have no JID");
	if (gathered && p->password_file)
		return err_set(e, "password_file: the device is one thing (things = \"device\"), it stands there");
	if (p->jid && ident_local(p->jid, e) < 0)
		return err_wrap(e, "jid");
	const struct conf_xmpp *x = &c->b->c->xmpp;
	if (x->given && x->mode == MODE_ACCOUNTS && !gathered && !p->hidden && !p->disabled && !p->password_file)
		return err_set(e, "'password_file' is missing: in accounts mode every thing logs in");
	return 0;
}

static int check_protocol(const struct check *c, struct point *p, struct err *e)
{
	return c->protocol->check ? c->protocol->check(p, e) : 0;
}

/* The driver's check comes last and only when all is well before. */
static int (*const checks[])(const struct check *c, struct point *p, struct err *e) = {
	check_id, check_type, check_numbers, check_scale, check_counter, check_words, check_choices, check_access, check_jid,
};

static void check_point(const struct fill *f, const struct check *c, struct point *p)
{
	struct err e;
	bool good = true;
	const struct file_node *last = c->parts[c->n_parts - 1].group; /* who said more than the others */
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		if (checks[i](c, p, &e) == 0)
			continue;
		fill_fault(f, last, NULL, "%s", e.text);
		good = false;
	}
	if (good && check_protocol(c, p, &e) < 0)
		fill_fault(f, last, NULL, "%s", e.text);
}

static void fill_point(const struct fill *f, struct check *c, struct point *p)
{
	size_t before = c->b->c->n_errors;
	points_default(p, p->device, c->protocol);
	p->address = setting_new(c->protocol->address, c->protocol->address_size);
	const struct fill_layer layers[] = { { rows_point, p }, { c->protocol->address, p->address } };
	fill_parts(f, c->parts, c->n_parts, c->node, layers, 2);
	if (c->b->c->n_errors == before)
		check_point(f, c, p);
	if (p->stale_ms < 0)
		p->stale_ms = points_stale(p);
	if (p->names.n == 0 && p->id)
		names_add(&p->names, "", p->id);
}

static void add_part(struct check *c, const struct file_node *group)
{
	if (group && file_kind(group) == FILE_GROUP)
		c->parts[c->n_parts++] = (struct fill_part){ group, NULL };
}

static void build_point(struct check *c, struct device *d, size_t i)
{
	char subject[160], name[80];
	const char *id = file_text_of(c->node, "id");
	if (id)
		snprintf(name, sizeof(name), "point '%.60s'", id);
	else
		snprintf(name, sizeof(name), "point %zu", i + 1);
	snprintf(subject, sizeof(subject), "device '%.60s': %s", d->id ? d->id : "", name);
	const struct fill f = { c->b->c, subject, name, "", c->from->mark };
	struct point *p = mem_new(sizeof(*p));
	p->device = d;
	p->file = house_file(c->b->c->house, file_name(c->node));
	p->line = file_line(c->node);
	d->points[d->n_points++] = p;
	fill_point(&f, c, p);
}

static bool is_point(const struct check *c, const struct device *d)
{
	if (file_kind(c->node) == FILE_GROUP)
		return true;
	fault_error(c->b->c, file_name(c->node), file_line(c->node),
		    "device '%.60s': a point is a group { id = ...; ... }", d->id ? d->id : "");
	return false;
}

static size_t length(const struct file_node *list)
{
	return list ? file_length(list) : 0;
}

static const struct file_node *find_override(const struct points *from, const char *id)
{
	for (size_t i = 0; id && i < length(from->override); i++)
		if (text_same(file_text_of(file_at(from->override, i), "id"), id))
			return file_at(from->override, i);
	return NULL;
}

/* A point that the template does not have and that is not complete was meant to be one that it has. */
static bool is_slip(const struct check *c, const struct device *d, const struct file_node *points)
{
	const char *id = file_text_of(c->node, "id"), *nearest = NULL;
	size_t best = SIZE_MAX;
	if (file_find(c->node, "type"))
		return false;
	for (size_t i = 0; i < file_length(points); i++) {
		const char *there = file_text_of(file_at(points, i), "id");
		if (there && nearest_better(there, id, &best))
			nearest = there;
	}
	fault_error(c->b->c, file_name(c->node), file_line(c->node),
		    "device '%.60s': override: template '%s' has no point '%.60s'%s%s%s; a point that is added needs a "
		    "'type'",
		    d->id ? d->id : "", c->from->template->name, id, nearest ? " - did you mean '" : "",
		    nearest ? nearest : "", nearest ? "'?" : "");
	return true;
}

/* What override has and the template has not. */
static void build_added(struct check *c, struct device *d, size_t i, const struct file_node *points)
{
	c->node = file_at(c->from->override, i);
	c->n_parts = 0;
	if (!is_point(c, d))
		return;
	const char *id = file_text_of(c->node, "id");
	const struct file_node *first = find_override(c->from, id);
	if (id && first != c->node)
		fault_error(c->b->c, file_name(c->node), file_line(c->node),
			    "device '%.60s': override: '%.60s' stands on line %d already", d->id ? d->id : "", id,
			    file_line(first));
	if (id && (first != c->node || template_point(c->from->template, id) || is_slip(c, d, points)))
		return;
	add_part(c, c->node);
	build_point(c, d, i);
}

static void build_template(struct check *c, struct device *d)
{
	const struct points *from = c->from;
	const struct file_node *root = file_root(from->template->file), *points = file_find(root, "points");
	d->points = mem_array(file_length(points) + length(from->override), sizeof(struct point *));
	for (size_t i = 0; i < file_length(points); i++) {
		c->node = file_at(points, i);
		c->n_parts = 0;
		if (!is_point(c, d))
			continue;
		add_part(c, file_find(root, "defaults"));
		add_part(c, c->node);
		add_part(c, find_override(from, file_text_of(c->node, "id")));
		build_point(c, d, i);
	}
	for (size_t i = 0; i < length(from->override); i++)
		build_added(c, d, i, points);
}

static void build_list(struct check *c, struct device *d, const struct file_node *list)
{
	d->points = mem_array(file_length(list), sizeof(struct point *));
	if (file_length(list) == 0)
		fault_error(c->b->c, file_name(list), file_line(list), "device '%.60s': points: there is none",
			    d->id ? d->id : "");
	for (size_t i = 0; i < file_length(list); i++) {
		c->node = file_at(list, i);
		c->n_parts = 0;
		add_part(c, c->node);
		if (is_point(c, d))
			build_point(c, d, i);
	}
}

void points_build(struct build *b, struct device *d, const struct protocol *protocol, const struct points *from)
{
	struct map ids = { 0 };
	struct check c = { .b = b, .protocol = protocol, .from = from, .ids = &ids };
	if (from->template)
		build_template(&c, d);
	else if (from->list)
		build_list(&c, d, from->list);
	map_free(&ids);
}
