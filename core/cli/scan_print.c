#include "core/cli/scan_print.h"

#include "core/base/json.h"
#include "core/base/mem.h"
#include "core/conf/scalar.h"

#include <string.h>

static void print_where(const struct cli *c, const struct scan_bus *b)
{
	if (b->serial)
		fprintf(c->out, "# %s, %lld baud, %s: ", b->serial->device, (long long)b->serial->baud,
			mbaddress_mode_words[b->serial->mode]);
	else
		fprintf(c->out, "# %s port %lld: ", b->tcp->host, (long long)b->tcp->port);
}

static void print_seen(const struct cli *c, const struct scan_bus *b, const struct scan_seen *s)
{
	const struct mbscan_found *f = s->found;
	fprintf(c->out, "# unit %u: %s%s", f->unit, f->who, *f->who ? "; " : "");
	if (s->device) {
		fprintf(c->out, "is device '%s' of %s\n", s->device->id, c->conf);
	} else if (s->fit.template) {
		fprintf(c->out, "like %s: %s, %zu of %zu points have a value", s->fit.template, s->fit.seen,
			s->fit.n_values, s->fit.n_points);
		fprintf(c->out, "%s%s\n", s->fit.others ? "; also like " : "", s->fit.others ? s->fit.others : "");
		cli_suggest(c, "read unit-%u.%s", f->unit, s->fit.point);
	} else {
		fprintf(c->out, "answers, but no template fits");
		if (f->exception)
			fprintf(c->out, " (it refuses holding register 0: exception %u, %s)", f->exception,
				mbframe_exception_word(f->exception));
		fprintf(c->out, ". With its bus in the configuration, look at its registers:\n");
		cli_suggest(c, "peek %s %u holding 0 20", b->bus->id, f->unit);
		cli_suggest(c, "peek %s %u input 0 20", b->bus->id, f->unit);
	}
}

static void add_device(const struct scan_bus *b, const struct scan_seen *s, struct text *to)
{
	if (!s->fit.template || s->device)
		return;
	text_addf(to, "%s\n  { id = \"unit-%u\"; bus = \"%s\"; unit_id = %u;", to->size ? "," : "", s->found->unit,
		  b->bus->id, s->found->unit);
	char *name = *s->found->who ? mem_text(s->found->who) : mem_format("Unit %u", s->found->unit);
	scalar_put(to, "name", name);
	scalar_put(to, "template", s->fit.template);
	text_add(to, " }");
	mem_free(name);
}

static void print_bus(const struct cli *c, const struct scan_bus *b)
{
	struct text bus = { 0 };
	scan_bus_print(b, &bus);
	if (b->configured)
		fprintf(c->out, "# its bus: %s\n", bus.data);
	else
		fprintf(c->out, "buses = (\n  %s\n);\n", bus.data);
	text_free(&bus);
}

static void print_text(const struct cli *c, const struct scan_bus *b, const struct mbscan *s,
		       const struct scan_seen *seen)
{
	struct text devices = { 0 };
	print_where(c, b);
	fprintf(c->out, "%zu unit%s answer%s%s\n", s->n_found, s->n_found == 1 ? "" : "s", s->n_found == 1 ? "s" : "",
		s->stopped ? "; stopped before the end" : "");
	if (s->any)
		fprintf(c->out, "# It does not look at the number of the unit: any will do.\n");
	for (size_t i = 0; i < s->n_found; i++)
		print_seen(c, b, &seen[i]);
	print_bus(c, b);
	for (size_t i = 0; i < s->n_found; i++)
		add_device(b, &seen[i], &devices);
	if (devices.size)
		fprintf(c->out, "devices = (%s\n);\n", devices.data);
	text_free(&devices);
}

static void put_unit(struct text *to, const struct scan_seen *s)
{
	json_begin(to, NULL, '{');
	json_put_number(to, "unit", s->found->unit);
	json_put_number(to, "exception", s->found->exception);
	json_put(to, "identity", *s->found->who ? s->found->who : NULL);
	json_put(to, "template", s->fit.template);
	json_put(to, "device", s->device ? s->device->id : NULL);
	json_end(to, '}');
}

static void print_json(const struct cli *c, const struct scan_bus *b, const struct mbscan *s,
		       const struct scan_seen *seen)
{
	struct text t = { 0 };
	json_begin(&t, NULL, '{');
	json_put_bool(&t, "stopped", s->stopped);
	json_put_bool(&t, "any_unit", s->any);
	if (b->serial) {
		json_put_number(&t, "baud", b->serial->baud);
		json_put(&t, "mode", mbaddress_mode_words[b->serial->mode]);
	}
	json_begin(&t, "units", '[');
	for (size_t i = 0; i < s->n_found; i++)
		put_unit(&t, &seen[i]);
	json_end(&t, ']');
	json_end(&t, '}');
	fprintf(c->out, "%s\n", t.data);
	text_free(&t);
}

void scan_print(const struct cli *c, const struct scan_bus *b, const struct mbscan *s, const struct scan_seen *seen)
{
	(c->json ? print_json : print_text)(c, b, s, seen);
}
