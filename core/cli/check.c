#include "core/cli/check.h"

#include "core/base/mem.h"
#include "core/cli/json.h"
#include "core/conf/conf.h"
#include "core/drivers.h"
#include "core/xmpp/account.h"

#include <string.h>

struct counts {
	size_t buses, devices, points, things, broken;
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

static void print_text(const struct cli *c, const struct conf *conf)
{
	struct counts n = count(conf);
	struct text line = { 0 };
	fputs(conf->errors.data ? conf->errors.data : "", c->err);
	add_count(&line, n.buses, "bus", "buses");
	add_count(&line, n.devices, "device", "devices");
	add_count(&line, n.points, "point", "points");
	add_count(&line, n.things, "thing", "things");
	if (n.broken)
		add_count(&line, n.broken, "device left out", "devices left out");
	if (conf->n_errors)
		add_count(&line, conf->n_errors, "error", "errors");
	if (conf->n_warnings)
		add_count(&line, conf->n_warnings, "warning", "warnings");
	fprintf(c->out, "%s\n", line.data);
	text_free(&line);
}

static void print_json(const struct cli *c, const struct conf *conf)
{
	struct counts n = count(conf);
	struct text t = { 0 };
	text_addf(&t,
		  "{\"buses\": %zu, \"devices\": %zu, \"points\": %zu, \"things\": %zu, \"left_out\": %zu, "
		  "\"errors\": %zu, \"warnings\": %zu, \"lines\": [",
		  n.buses, n.devices, n.points, n.things, n.broken, conf->n_errors, conf->n_warnings);
	const char *line = conf->errors.data ? conf->errors.data : "";
	for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
		text_add(&t, line == conf->errors.data ? "" : ", ");
		json_text(&t, line, (size_t)(end - line));
	}
	fprintf(c->out, "%s]}\n", t.data);
	text_free(&t);
}

/* What the daemon would say at its start. */
static void check_accounts(const struct cli *c, struct conf *conf)
{
	struct err e;
	if (!conf->house || conf->xmpp.mode != MODE_ACCOUNTS || account_check(conf->house, &e) == 0)
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
	(c->json ? print_json : print_text)(c, &conf);
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
