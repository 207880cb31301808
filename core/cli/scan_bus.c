#include "core/cli/scan_bus.h"

#include "core/base/mem.h"
#include "core/conf/scalar.h"
#include "core/drivers.h"

#include <stdlib.h>
#include <string.h>

static void add_serial(struct text *to, const char *device)
{
	text_add(to, "buses = ( { id = \"line\"; protocol = \"modbus-rtu\";");
	scalar_put(to, "device", device);
	text_add(to, " } );\n");
}

/* "plc", "plc:5020", "::1", "[::1]:5020" */
static void add_connection(struct text *to, const char *host)
{
	const char *colon = strrchr(host, ':');
	bool several = colon && strchr(host, ':') != colon, closed = *host == '[';
	bool has_port = colon && (!several || (closed && colon[-1] == ']'));
	char *name = mem_text_n(host + closed, (has_port ? (size_t)(colon - host) : strlen(host)) - closed);
	name[strcspn(name, "]")] = '\0';
	text_add(to, "buses = ( { id = \"net\"; protocol = \"modbus-tcp\";");
	scalar_put(to, "host", name);
	if (has_port)
		text_addf(to, " port = %s;", colon + 1);
	text_add(to, " } );\n");
	mem_free(name);
}

static int load(struct scan_bus *b, struct cli *c, const char *device, const char *host)
{
	struct text text = { 0 };
	if (b->configured)
		return conf_load(&b->conf, c->conf, b->protocols);
	if (device)
		add_serial(&text, device);
	else
		add_connection(&text, host);
	int result = conf_parse(&b->conf, c->conf, text.data, b->protocols);
	text_free(&text);
	return result;
}

static int choose(struct scan_bus *b, struct cli *c, const char *id)
{
	const struct house *h = b->conf.house;
	b->bus = !h ? NULL : b->configured ? house_find_bus(h, id) : h->buses[0];
	if (!b->bus)
		return cli_fail(c, CLI_FAILED, "there is no bus '%s' in %s", id, c->conf);
	const struct protocol *const *p = b->protocols;
	while (strcmp((*p)->name, b->bus->protocol) != 0)
		p++;
	b->protocol = *p;
	if (b->protocol->address != mbaddress_rows)
		return cli_fail(c, CLI_FAILED, "bus '%s' is no Modbus: %s has no units", id, b->bus->protocol);
	if (b->protocol->options == mbaddress_rtu_rows)
		b->serial = b->bus->options;
	else
		b->tcp = b->bus->options;
	return CLI_DONE;
}

int scan_bus_open(struct scan_bus *b, struct cli *c, const char *id, const char *device, const char *host)
{
	*b = (struct scan_bus){ .configured = id != NULL, .protocols = drivers_protocols() };
	if (load(b, c, device, host) < 0) {
		if (b->configured)
			fputs(b->conf.errors.data, c->err);
		else
			cli_fail(c, CLI_FAILED, "'%s' cannot be a %s", device ? device : host,
				 device ? "port" : "host");
		return CLI_FAILED;
	}
	return choose(b, c, id);
}

void scan_bus_free(struct scan_bus *b)
{
	conf_free(&b->conf);
	mem_free(b->protocols);
}

static bool is_said(const struct setting *row, const void *options, const void *defaults, struct text *ret)
{
	struct text before = { 0 };
	bool speed = text_same(row->key, "baud") || text_same(row->key, "mode");
	bool set = setting_print(row, options, ret), known = set && setting_print(row, defaults, &before);
	bool same = known && !(row->flags & SETTING_REQUIRED) && text_same(ret->data, before.data);
	text_free(&before);
	return set && (speed || !same);
}

void scan_bus_print(const struct scan_bus *b, struct text *to)
{
	void *defaults = setting_new(b->protocol->options, b->protocol->options_size);
	text_addf(to, "{ id = \"%s\"; protocol = \"%s\";", b->bus->id, b->bus->protocol);
	for (const struct setting *row = b->protocol->options; row->key; row++) {
		struct text value = { 0 };
		if (is_said(row, b->bus->options, defaults, &value))
			text_addf(to, " %s = %s;", row->key, value.data);
		text_free(&value);
	}
	text_add(to, " }");
	setting_drop(defaults);
}
