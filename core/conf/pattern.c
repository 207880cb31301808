#include "core/conf/pattern.h"

#include "core/base/mem.h"
#include "core/conf/devices.h"
#include "core/conf/ident.h"
#include "core/conf/rewrite.h"

#include <string.h>

enum { PATTERNS_MOST = 200 }; /* on one bus: each message is held against all */

bool pattern_is(const struct file_node *n)
{
	const char *id = file_text_of(n, "id");
	return id && repeat_is_in(id, repeat_level);
}

static struct pattern *find(const struct bus *bus, const char *id)
{
	for (size_t i = 0; i < bus->n_patterns; i++)
		if (strcmp(bus->patterns[i].id, id) == 0)
			return &bus->patterns[i];
	return NULL;
}

static int check_id(const char *id, struct err *e)
{
	char *sample = repeat_text(id, &(struct repeat_mark){ repeat_level, "x" });
	int bad = ident_check(sample, e);
	mem_free(sample);
	return bad;
}

/* Whatever its level will be: as a device whose level is the + of its topics. */
static int check(struct build *b, const struct file_node *n, size_t i, struct pattern *to, struct bus **ret_bus,
		 struct err *e)
{
	const struct repeat_mark plus = { repeat_level, "+" };
	struct device *d = devices_make(b, n, i, &plus, to->id);
	const struct protocol *protocol = d->bus ? build_protocol(b->protocols, d->bus->protocol) : NULL;
	int bad = check_id(to->id, e);
	*ret_bus = d->bus;
	if (!bad && file_find(n, "units"))
		bad = err_set(e, "units: there is a ${level} already");
	if (!bad && d->bus && find(d->bus, to->id))
		bad = err_set(e, "id: there is another such device");
	if (!bad && d->bus && d->bus->n_patterns == PATTERNS_MOST)
		bad = err_set(e, "id: more than %d devices with ${level} on one bus", PATTERNS_MOST);
	if (!bad && protocol && !protocol->filters)
		bad = err_set(e, "id: ${level} is for topics, and %s has none", protocol->name);
	if (!bad && protocol && !d->broken)
		bad = protocol->filters(d, &to->filters, &to->n_filters, e);
	house_free_device(b->c->house, d);
	return bad;
}

void pattern_build(struct build *b, const struct file_node *n, size_t i)
{
	size_t before = b->c->n_errors;
	struct pattern p = { .id = mem_text(file_text_of(n, "id")) };
	struct bus *bus = NULL;
	struct text block = { 0 };
	struct err e;
	if (check(b, n, i, &p, &bus, &e) < 0)
		fault_error(b->c, file_name(n), file_line(n), "device '%.60s': %s", p.id, e.text);
	if (b->c->n_errors > before) {
		b->c->n_broken++;
		mem_free(p.id);
		return;
	}
	rewrite_node(n, &block);
	p.text = block.data;
	bus->patterns = mem_resize(bus->patterns, (bus->n_patterns + 1) * sizeof(p));
	bus->patterns[bus->n_patterns++] = p;
}

bool pattern_is_found(const struct build *b, const struct file_node *n)
{
	return b->found && file_find(n, "like");
}

static void expand(struct build *b, const struct pattern *p, const char *name, const char *level, size_t i)
{
	char *text = mem_format("devices = ( %s );\n", p->text), *id = NULL;
	struct file *file = file_of_text(b->c, name, text);
	struct err e;
	if (file && ident_of_level(p->id, level, &id, &e) < 0)
		fault_error(b->c, name, 0, "device '%.60s': %s", p->id, e.text);
	else if (file)
		devices_build_level(b, file_at(file_find(file_root(file), "devices"), 0), i, level, id);
	file_free(file);
	mem_free(id);
	mem_free(text);
}

void pattern_expand(struct build *b, const struct file_node *n, size_t i)
{
	const char *like = file_text_of(n, "like"), *level = file_text_of(n, "level"), *on = file_text_of(n, "bus");
	const struct bus *bus = on ? house_find_bus(build_known(b), on) : NULL;
	const struct pattern *p = bus && like ? find(bus, like) : NULL;
	if (!p || !level)
		fault_error(b->c, file_name(n), 0, "there is no device '%.60s' any more", like ? like : "");
	else
		expand(b, p, file_name(n), level, i);
}
