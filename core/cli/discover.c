#include "core/cli/discover.h"

#include "bridges/coapfind.h"
#include "bridges/coaprows.h"
#include "core/base/mem.h"
#include "core/cli/propose.h"
#include "core/conf/conf.h"
#include "core/drivers.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/*
 * Happy path: look everywhere that was asked for, wait until nothing is under way any more or Ctrl-C, print what was
 * found, close. A bus of the configuration gives its identity and times; without one, those of a bus that says nothing.
 */

struct discover {
	struct cli *c;
	const struct protocol *protocol;
	struct conf conf;
	struct bus *bus, made_up;
	struct loop *loop;
	struct coapfind *find;
	bool closed;
	int first; /* of the arguments that say where */
};

static void on_quiet(void *ctx)
{
	struct discover *d = ctx;
	loop_stop(d->loop);
}

static void on_closed(void *ctx)
{
	struct discover *d = ctx;
	d->closed = true;
}

static void on_signal(void *ctx, int signum)
{
	(void)signum;
	on_quiet(ctx);
}

static int64_t wait_ms(const struct discover *d)
{
	const struct coaprows_bus *o = d->bus->options;
	return o->timeout_ms;
}

/* One place that cannot be looked at does not keep us from the others. */
static bool look(struct discover *d)
{
	struct cli *c = d->c;
	struct err e;
	bool looked = false;
	if (d->first == c->n_args && coapfind_look(d->find, "multicast", wait_ms(d), &e) == 0)
		looked = true;
	else if (d->first == c->n_args)
		cli_fail(c, CLI_FAILED, "multicast: %s", e.text);
	for (int i = d->first; i < c->n_args; i++)
		if (coapfind_look(d->find, c->args[i], wait_ms(d), &e) == 0)
			looked = true;
		else
			cli_fail(c, CLI_FAILED, "%s: %s", c->args[i], e.text);
	return looked;
}

static int print(const struct discover *d)
{
	struct text t = { 0 };
	size_t n = propose_devices(coapfind_found(d->find), d->bus->id, d->conf.house, &t);
	if (n && d->bus == &d->made_up)
		fprintf(d->c->out, "buses = ( { id = \"%s\"; protocol = \"coap\"; } );\n\n", d->bus->id);
	fputs(t.data ? t.data : "", d->c->out);
	text_free(&t);
	return n ? CLI_DONE : cli_fail(d->c, CLI_FAILED, "nothing was found that can be read");
}

static int discover(struct discover *d)
{
	struct err e;
	int code = CLI_FAILED;
	d->loop = loop_new();
	d->find = coapfind_new(d->loop, d->bus, on_quiet, d, &e);
	if (!d->find) {
		cli_fail(d->c, CLI_FAILED, "%s", e.text);
	} else {
		loop_on_signal(d->loop, SIGINT, on_signal, d);
		loop_on_signal(d->loop, SIGTERM, on_signal, d);
		if (look(d)) {
			loop_run(d->loop);
			code = print(d);
		}
		coapfind_close(d->find, on_closed, d);
		while (!d->closed)
			loop_turn(d->loop);
	}
	loop_free(d->loop);
	return code;
}

static int find_bus(struct discover *d)
{
	struct cli *c = d->c;
	struct bus *bus = c->n_args && d->conf.house ? house_find_bus(d->conf.house, c->args[0]) : NULL;
	if (!bus)
		return CLI_DONE;
	if (strcmp(bus->protocol, d->protocol->name) != 0)
		return cli_fail(c, CLI_FAILED, "bus '%s' is no CoAP: %s has no resources", bus->id, bus->protocol);
	d->bus = bus;
	d->first = 1;
	return CLI_DONE;
}

/* Without a file it works as well; with one that is wrong, a bus of it cannot be used. */
static int load(struct discover *d, const struct protocol *const *protocols)
{
	struct cli *c = d->c;
	if (c->conf == cli_default_conf && access(c->conf, R_OK) < 0)
		return CLI_DONE;
	if (conf_load(&d->conf, c->conf, protocols) == 0)
		return CLI_DONE;
	fputs(d->conf.errors.data, c->err);
	return c->conf == cli_default_conf ? CLI_DONE : CLI_FAILED;
}

int discover_run(struct cli *c)
{
	struct discover d = { .c = c, .made_up = { .id = "coap", .protocol = "coap" } };
	const struct protocol **protocols = drivers_protocols(), **p = protocols;
	char id[] = "coap";
	while (strcmp((*p)->name, "coap") != 0)
		p++;
	d.protocol = *p;
	d.made_up.id = id;
	d.made_up.options = setting_new((*p)->options, (*p)->options_size);
	d.bus = &d.made_up;
	int code = load(&d, protocols);
	if (code == CLI_DONE)
		code = find_bus(&d);
	if (code == CLI_DONE)
		code = discover(&d);
	setting_drop(d.made_up.options);
	conf_free(&d.conf);
	mem_free(protocols);
	return code;
}
