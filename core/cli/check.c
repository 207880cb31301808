#include "core/cli/check.h"

#include "core/base/json.h"
#include "core/base/mem.h"
#include "core/conf/conf.h"
#include "core/drivers.h"
#include "core/xmpp/account.h"

#include <string.h>

struct counts {
	size_t buses, patterns, devices, points, things, broken;
};

static struct counts count(const struct conf *c)
{
	struct counts n = { 0 };
	const struct house *h = c->house;
	n.broken = c->n_broken;
	if (!h)
		return n;
	n.buses = h->n_buses;
	n.things = h->things.n;
	for (size_t i = 0; i < h->n_buses; i++)
		n.patterns += h->buses[i]->n_patterns;
	for (size_t i = 0; i < h->n_devices; i++) {
		const struct device *d = h->devices[i];
		n.devices += !d->broken;
		for (size_t k = 0; !d->broken && k < d->n_points; k++)
			n.points += !d->points[k]->disabled;
	}
	return n;
}

static void add_count(struct text *to, size_t n, const char *one, const char *many)
{
	text_addf(to, "%s%zu %s", to->size ? ", " : "", n, n == 1 ? one : many);
}

static const struct protocol *protocol_of(const struct protocol *const *protocols, const struct bus *bus)
{
	while (*protocols && strcmp((*protocols)->name, bus->protocol) != 0)
		protocols++;
	return *protocols;
}

static size_t points_of(const struct house *h, const struct bus *bus, struct point **ret)
{
	size_t n = 0;
	for (size_t i = 0; i < h->n_devices; i++) {
		const struct device *d = h->devices[i];
		if (d->broken || d->bus != bus)
			continue;
		for (size_t k = 0; k < d->n_points; k++)
			if (!d->points[k]->disabled)
				ret[n++] = d->points[k];
	}
	return n;
}

/* What polling each bus will cost; returns how many warnings are in it. */
static size_t plan(const struct conf *conf, const struct protocol *const *protocols, struct text *to)
{
	const struct house *h = conf->house;
	struct point **points = mem_array(count(conf).points, sizeof(*points));
	size_t warnings = 0;
	for (size_t i = 0; h && i < h->n_buses; i++) {
		const struct protocol *p = protocol_of(protocols, h->buses[i]);
		size_t n = points_of(h, h->buses[i], points);
		if (p && p->plan && n)
			warnings += p->plan(h->buses[i], points, n, to) == 1;
	}
	mem_free(points);
	return warnings;
}

static void print_text(const struct cli *c, const struct conf *conf, const struct text *plans, size_t n_warnings)
{
	struct counts n = count(conf);
	struct text line = { 0 };
	fputs(conf->errors.data ? conf->errors.data : "", c->err);
	fputs(plans->data ? plans->data : "", c->out);
	add_count(&line, n.buses, "bus", "buses");
	add_count(&line, n.devices, "device", "devices");
	if (n.patterns)
		add_count(&line, n.patterns, "device for each level", "devices for each level");
	add_count(&line, n.points, "point", "points");
	add_count(&line, n.things, "thing", "things");
	if (n.broken)
		add_count(&line, n.broken, "device left out", "devices left out");
	if (conf->n_errors)
		add_count(&line, conf->n_errors, "error", "errors");
	if (n_warnings)
		add_count(&line, n_warnings, "warning", "warnings");
	fprintf(c->out, "%s\n", line.data);
	text_free(&line);
}

static void add_lines(struct text *to, const char *lines)
{
	const char *line = lines ? lines : "";
	text_add(to, "[");
	for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
		text_add(to, line == lines ? "" : ", ");
		json_text(to, line, (size_t)(end - line));
	}
	text_add(to, "]");
}

static void print_json(const struct cli *c, const struct conf *conf, const struct text *plans, size_t n_warnings)
{
	struct counts n = count(conf);
	struct text t = { 0 };
	text_addf(&t,
		  "{\"buses\": %zu, \"devices\": %zu, \"points\": %zu, \"things\": %zu, \"left_out\": %zu, "
		  "\"errors\": %zu, \"warnings\": %zu, \"lines\": ",
		  n.buses, n.devices, n.points, n.things, n.broken, conf->n_errors, n_warnings);
	add_lines(&t, conf->errors.data);
	text_add(&t, ", \"plan\": ");
	add_lines(&t, plans->data);
	fprintf(c->out, "%s}\n", t.data);
	text_free(&t);
}

/* What the daemon would say at its start. */
static void check_accounts(const struct cli *c, struct conf *conf)
{
	struct err e;
	if (!conf->house || conf->xmpp.mode != MODE_ACCOUNTS || account_check(conf->house->things.n, &e) == 0)
		return;
	text_addf(&conf->errors, "%s: xmpp: %s\n", c->conf, e.text);
	conf->n_errors++;
}

int check_run(struct cli *c)
{
	struct conf conf;
	const struct protocol **protocols = drivers_protocols();
	conf_load(&conf, c->conf, protocols);
	check_accounts(c, &conf);
	struct text plans = { 0 };
	size_t n_warnings = conf.n_warnings + plan(&conf, protocols, &plans);
	(c->json ? print_json : print_text)(c, &conf, &plans, n_warnings);
	text_free(&plans);
	int code = conf.n_errors ? CLI_FAILED : CLI_DONE;
	conf_free(&conf);
	mem_free(protocols);
	return code;
}

/* What would run, also when a device is left out; but nothing when nothing would run. */
int check_show(struct cli *c)
{
	struct conf conf;
	struct text shown = { 0 };
	const struct protocol **protocols = drivers_protocols();
	int code = conf_load(&conf, c->conf, protocols) < 0 ? CLI_FAILED : CLI_DONE;
	fputs(conf.errors.data ? conf.errors.data : "", c->err);
	if (code == CLI_DONE) {
		conf_show(&conf, protocols, &shown);
		fputs(shown.data, c->out);
	}
	text_free(&shown);
	conf_free(&conf);
	mem_free(protocols);
	return code;
}
