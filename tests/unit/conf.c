#include "core/conf/conf.h"
#include "core/base/mem.h"
#include "core/conf/ident.h"
#include "core/conf/ids.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

/* Two made-up protocols: "wire" is polled and has registers, "tell" tells by itself. */

struct wire_options {
	char *host, *password, *password_file, *ca_file;
	int64_t port, gap;
	bool tls;
};

struct wire_device {
	int64_t unit_id;
	char *topic, *online;
	bool available;
};

struct wire_address {
	int64_t address, bit;
	bool has_bit;
	int method;
	char *payload;
};

static const char *const gap_words[] = { "auto", NULL };
static const char *const method_words[] = { "put", "post", NULL };

static const struct setting tls_rows[] = {
	{ "ca_file", SETTING_TEXT, .offset = offsetof(struct wire_options, ca_file) },
	{ 0 },
};
static const struct setting wire_option_rows[] = {
	{ "host", SETTING_TEXT, .offset = offsetof(struct wire_options, host), .fallback = "127.0.0.1",
	  .help = "its host" },
	{ "port", SETTING_INT, .offset = offsetof(struct wire_options, port), .fallback = "502", .min = 1,
	  .max = 65535 },
	{ "password", SETTING_SECRET, .offset = offsetof(struct wire_options, password),
	  .file = offsetof(struct wire_options, password_file) },
	{ "max_gap", SETTING_INT, .offset = offsetof(struct wire_options, gap), .fallback = "auto", .max = 100,
	  .words = gap_words },
	{ "tls", SETTING_GROUP, .rows = tls_rows, .flags = SETTING_GIVEN, .given = offsetof(struct wire_options, tls) },
	{ 0 },
};
static const struct setting available_rows[] = {
	{ "topic", SETTING_TEXT, .offset = offsetof(struct wire_device, topic), .flags = SETTING_REQUIRED,
	  .help = "where it is told" },
	{ "online", SETTING_TEXT, .offset = offsetof(struct wire_device, online), .fallback = "online" },
	{ 0 },
};
static const struct setting wire_device_rows[] = {
	{ "unit_id", SETTING_INT, .offset = offsetof(struct wire_device, unit_id), .min = 1, .max = 247,
	  .flags = SETTING_REQUIRED, .help = "its number on the bus" },
	{ "availability", SETTING_GROUP, .rows = available_rows, .flags = SETTING_GIVEN,
	  .given = offsetof(struct wire_device, available) },
	{ 0 },
};
static const struct setting wire_write_rows[] = {
	{ "method", SETTING_WORD, .offset = offsetof(struct wire_address, method), .fallback = "put",
	  .words = method_words },
	{ "payload", SETTING_TEXT, .offset = offsetof(struct wire_address, payload) },
	{ 0 },
};
static const struct setting wire_address_rows[] = {
	{ "address", SETTING_INT, .offset = offsetof(struct wire_address, address), .max = 1LL << 40,
	  .flags = SETTING_REQUIRED, .help = "number of the register" },
	{ "bit", SETTING_INT, .offset = offsetof(struct wire_address, bit), .max = 15, .flags = SETTING_GIVEN,
	  .given = offsetof(struct wire_address, has_bit) },
	{ "write", SETTING_GROUP, .rows = wire_write_rows },
	{ 0 },
};

static int wire_check(struct point *p, struct err *e)
{
	const struct wire_address *a = p->address;
	const struct wire_device *d = p->device->options;
	if (d->unit_id == 99)
		p->poll_ms = 0;
	return a->address == 70000 ? err_set(e, "address: register 70000 is above 65535") : 0;
}

static int wire_check_device(struct device *d, struct err *e)
{
	const struct wire_device *options = d->options;
	return options->unit_id == 13 ? err_set(e, "unit_id: 13 is unlucky") : 0;
}

static int wire_check_bus(struct bus *bus, struct err *e)
{
	const struct wire_options *options = bus->options;
	return options->port == 666 ? err_set(e, "port: 666 is taken") : 0;
}

static const struct protocol wire = {
	.name = "wire",
	.options = wire_option_rows,
	.options_size = sizeof(struct wire_options),
	.device = wire_device_rows,
	.device_size = sizeof(struct wire_device),
	.address = wire_address_rows,
	.address_size = sizeof(struct wire_address),
	.poll_ms = 1000,
	.wire_types = true,
	.check = wire_check,
	.check_device = wire_check_device,
	.check_bus = wire_check_bus,
};

static const struct setting tell_address_rows[] = {
	{ "topic", SETTING_TEXT, .offset = 0 },
	{ 0 },
};
static const struct protocol tell = { .name = "tell", .address = tell_address_rows, .address_size = sizeof(char *) };
static const struct protocol *const protocols[] = { &wire, &tell, NULL };

/* The lines without the folder of the tests. */
static char *lines_of(const struct conf *c, const char *folder)
{
	struct text lines = { 0 };
	const char *at = c->errors.data ? c->errors.data : "";
	size_t n = strlen(folder);
	while (*at) {
		if (strncmp(at, folder, n) == 0)
			at += n;
		else
			text_add_n(&lines, at++, 1);
	}
	return lines.data ? lines.data : mem_text("");
}

static char *whole_file(const char *name)
{
	struct text t = { 0 };
	char bytes[4096];
	size_t n;
	FILE *file = fopen(name, "r");
	if (!file)
		return NULL;
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		text_add_n(&t, bytes, n);
	fclose(file);
	return t.data ? t.data : mem_text("");
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");
	cr_assert_not_null(file, "%s", name);
	fputs(text, file);
	fclose(file);
}

static char *temporary(char ret[PATH_MAX])
{
	snprintf(ret, PATH_MAX, "%s/jidgate-conf-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	return mkdtemp(ret);
}

struct refused {
	char name[64];
};

ParameterizedTestParameters(conf, refuses_each_with_exactly_its_lines)
{
	static struct refused files[256];
	size_t n = 0;
	DIR *d = opendir(CONF_DIR "/refused");
	struct dirent *entry;
	while (d && (entry = readdir(d)) && n < sizeof(files) / sizeof(*files))
		if (strstr(entry->d_name, ".conf") && strlen(entry->d_name) < sizeof(files[n].name))
			strcpy(files[n++].name, entry->d_name);
	closedir(d);
	return cr_make_param_array(struct refused, files, n);
}

ParameterizedTest(struct refused *r, conf, refuses_each_with_exactly_its_lines)
{
	struct conf c;
	char name[PATH_MAX], wanted_name[PATH_MAX + 4];
	snprintf(name, sizeof(name), "%s/refused/%s", CONF_DIR, r->name);
	snprintf(wanted_name, sizeof(wanted_name), "%.*stxt", (int)strlen(name) - 4, name);
	conf_load(&c, name, protocols);
	char *lines = lines_of(&c, CONF_DIR "/refused/"), *wanted = whole_file(wanted_name);
	cr_expect_gt(c.n_errors, 0, "%s", r->name);
	if (getenv("CONF_WRITE"))
		write_file(wanted_name, lines);
	else
		cr_expect_str_eq(lines, wanted ? wanted : "", "%s", r->name);
	mem_free(lines);
	mem_free(wanted);
	conf_free(&c);
}

static struct device *device_of(const struct conf *c, const char *id)
{
	for (size_t i = 0; i < c->house->n_devices; i++)
		if (strcmp(c->house->devices[i]->id, id) == 0)
			return c->house->devices[i];
	cr_assert_fail("no device '%s'", id);
	abort();
}

static struct point *point_of(const struct conf *c, const char *device, const char *id)
{
	const struct device *d = device_of(c, device);
	for (size_t i = 0; i < d->n_points; i++)
		if (strcmp(d->points[i]->id, id) == 0)
			return d->points[i];
	cr_assert_fail("no point '%s' in '%s'", id, device);
	abort();
}

static void load_good(struct conf *c)
{
	int result = conf_load(c, CONF_DIR "/good/site.conf", protocols);
	cr_assert_eq(result, 0, "%s", c->errors.data);
	cr_assert_eq(c->n_errors + c->n_warnings, 0, "%s", c->errors.data);
}

Test(conf, fills_the_sections)
{
	struct conf c;
	load_good(&c);
	cr_expect_str_eq(names_find(&c.gateway.names, "de"), "Heizraum");
	cr_expect_str_eq(c.gateway.state, "state");
	cr_expect_eq(c.gateway.log, LOG_LEVEL_DEBUG);
	cr_expect(c.xmpp.given && c.provisioner.given);
	cr_expect_str_eq(c.xmpp.domain, "things.example.org", "from the included file");
	cr_expect_str_eq(c.xmpp.host, "127.0.0.1");
	cr_expect_eq(c.xmpp.port, 5347);
	cr_expect_str_eq(c.xmpp.secret, "geheim", "without the line break");
	cr_expect_str_eq(c.xmpp.secret_file, "secret");
	cr_expect_eq(c.provisioner.port, 5348);
	cr_expect_str_eq(c.provisioning.service, "provisioning@example.org");
	conf_free(&c);
}

Test(conf, fills_buses_and_devices)
{
	struct conf c;
	load_good(&c);
	const struct bus *plc = house_find_bus(c.house, "plc");
	const struct wire_options *options = plc->options;
	cr_expect_str_eq(plc->protocol, "wire");
	cr_expect(options->tls);
	cr_expect_str_eq(options->ca_file, "a \"b\" \\ c");
	cr_expect_eq(options->gap, -1, "auto");
	const struct wire_options *rs485 = house_find_bus(c.house, "rs485")->options;
	cr_expect_str_eq(rs485->password, "geheim");
	cr_expect(rs485->tls, "an empty group is a group that was given");
	const struct device *boiler = device_of(&c, "boiler");
	const struct wire_device *more = boiler->options;
	cr_expect_eq(more->unit_id, 3);
	cr_expect(more->available);
	cr_expect_str_eq(more->online, "online");
	cr_expect_eq(boiler->bus, plc);
	cr_expect_eq(boiler->gathering, GATHER_POINTS);
	cr_expect_eq(boiler->line, 19);
	cr_expect_null(device_of(&c, "bedroom")->options, "a protocol without rows for devices");
	cr_expect_eq(device_of(&c, "bedroom")->gathering, GATHER_DEVICE);
	cr_expect_str_eq(c.house->devices[3]->id, "first", "devices.d in the order of names");
	cr_expect_str_eq(c.house->devices[4]->id, "second");
	cr_expect_eq(c.house->n_devices, 5);
	conf_free(&c);
}

Test(conf, fills_points_and_shares_the_write_group)
{
	struct conf c;
	load_good(&c);
	const struct point *p = point_of(&c, "boiler", "setpoint");
	const struct wire_address *a = p->address;
	cr_expect_eq(a->address, 4294967296);
	cr_expect_eq(p->type, TYPE_INT16);
	cr_expect_eq(p->access, ACCESS_BOTH);
	cr_expect_eq(p->decimals, 1);
	cr_expect(p->has_scale && decimal_compare(p->scale, (struct decimal){ 1, -1, false }) == 0);
	cr_expect(p->has_max && decimal_compare(p->max, (struct decimal){ 755, -1, false }) == 0);
	cr_expect_eq(p->confirm, CONFIRM_READBACK, "the core's key");
	cr_expect_eq(p->write_deadline_ms, 3000);
	cr_expect_eq(a->method, 1, "the driver's key in the same group");
	cr_expect_str_eq(a->payload, "{\"s\": ${value}}\n");
	cr_expect_eq(p->stale_ms, 0, "never, as it says");
	const struct point *alarm = point_of(&c, "boiler", "alarm");
	cr_expect(((const struct wire_address *)alarm->address)->has_bit);
	cr_expect_eq(alarm->access, ACCESS_WRITE);
	cr_expect_eq(alarm->write_deadline_ms, 5000);
	cr_expect_eq(alarm->min_interval_ms, 10000);
	cr_expect_eq(alarm->confirm, CONFIRM_NONE);
	cr_expect_str_eq(names_find(&alarm->names, "en"), "alarm", "the id, when there is no name");
	const struct point *mode = point_of(&c, "boiler", "mode");
	cr_expect_eq(mode->n_words, 2);
	cr_expect_str_eq(mode->words[1].text, "on");
	cr_expect_eq(mode->n_nan, 2);
	conf_free(&c);
}

Test(conf, knows_when_a_value_is_old)
{
	struct conf c;
	load_good(&c);
	cr_expect_eq(point_of(&c, "boiler", "alarm")->stale_ms, 70 * 60000, "the device's");
	cr_expect_eq(point_of(&c, "boiler", "alarm")->poll_ms, 1000, "the protocol's");
	cr_expect_eq(point_of(&c, "bedroom", "temp")->stale_ms, 0, "never by clock: it is not polled");
	cr_expect_eq(point_of(&c, "bedroom", "last")->stale_ms, 86400000);
	cr_expect_eq(point_of(&c, "quiet", "p")->poll_ms, 0, "the driver's check may say so");
	cr_expect_eq(point_of(&c, "quiet", "p")->stale_ms, 0);
	conf_free(&c);
	char name[PATH_MAX], folder[PATH_MAX];
	cr_assert_not_null(temporary(folder));
	snprintf(name, sizeof(name), "%.4000s/s.conf", folder);
	write_file(name, "buses = ( { id = \"b\"; protocol = \"wire\"; } );\n"
			 "devices = ( { id = \"d\"; bus = \"b\"; unit_id = 1; points = ("
			 "{ id = \"p\"; type = \"int\"; address = 1; poll = \"5s\"; } ); } );");
	cr_assert_eq(conf_load(&c, name, protocols), 0, "%s", c.errors.data);
	cr_expect_eq(point_of(&c, "d", "p")->stale_ms, 16000, "3 x poll + 1 s");
	conf_free(&c);
	unlink(name);
	rmdir(folder);
}

Test(conf, makes_things_with_their_jids)
{
	struct conf c;
	load_good(&c);
	const char *const locals[] = { "kessel-höhe", "boiler.alarm", "boiler.mode", "bedroom",
				       "quiet.p",      "first.p",      "second.p" };
	for (size_t i = 0; i < sizeof(locals) / sizeof(*locals); i++)
		cr_expect_not_null(house_find_thing(c.house, locals[i], strlen(locals[i])), "%s", locals[i]);
	cr_expect_eq(c.house->things.n, sizeof(locals) / sizeof(*locals), "neither disabled nor thing = false ones");
	conf_free(&c);
}

static struct conf load_text(const char *folder, const char *text, int *ret_result)
{
	char name[PATH_MAX];
	struct conf c;
	snprintf(name, sizeof(name), "%.4000s/shown.conf", folder);
	write_file(name, text);
	*ret_result = conf_load(&c, name, protocols);
	unlink(name);
	return c;
}

Test(conf, shows_what_loads_to_the_same)
{
	struct conf c;
	struct text first = { 0 }, second = { 0 };
	int result;
	load_good(&c);
	conf_show(&c, protocols, &first);
	conf_free(&c);
	cr_assert_null(strstr(first.data, "geheim"), "%s", first.data);
	char *wanted = whole_file(CONF_DIR "/good/shown.txt");
	if (getenv("CONF_WRITE"))
		write_file(CONF_DIR "/good/shown.txt", first.data);
	else
		cr_expect_str_eq(first.data, wanted ? wanted : "");
	setenv("CREDENTIALS_DIRECTORY", CONF_DIR "/good", 1); /* the secret is not beside the shown file */
	char folder[PATH_MAX];
	cr_assert_not_null(temporary(folder));
	c = load_text(folder, first.data, &result);
	cr_assert_eq(result, 0, "%s", c.errors.data);
	cr_assert_eq(c.n_errors + c.n_warnings, 0, "%s", c.errors.data);
	conf_show(&c, protocols, &second);
	cr_expect_str_eq(second.data, first.data);
	const struct point *p = point_of(&c, "boiler", "inner");
	cr_expect_eq(p->scale.digits, 1234567890123456789, "no digit is lost on the way");
	conf_free(&c);
	rmdir(folder);
	text_free(&first);
	text_free(&second);
	mem_free(wanted);
}

Test(conf, shows_only_stars_of_a_secret_and_warns_when_all_can_read_it)
{
	char folder[PATH_MAX], name[PATH_MAX];
	struct conf c;
	struct text shown = { 0 };
	cr_assert_not_null(temporary(folder));
	snprintf(name, sizeof(name), "%.4000s/s.conf", folder);
	write_file(name,
		   "xmpp = { domain = \"t.example\"; secret = \"geheim\"; };\nprovisioner = { domain = \"p.example\";\n"
		   "secret = \"geheim\"; };\n");
	cr_assert_eq(chmod(name, 0640), 0);
	cr_assert_eq(conf_load(&c, name, protocols), 0);
	cr_expect_eq(c.n_warnings, 0, "%s", c.errors.data);
	cr_expect_str_eq(c.xmpp.secret, "geheim");
	conf_show(&c, protocols, &shown);
	cr_expect_null(strstr(shown.data, "geheim"));
	cr_expect_not_null(strstr(shown.data, "secret = \"***\";"));
	conf_free(&c);
	cr_assert_eq(chmod(name, 0644), 0);
	cr_assert_eq(conf_load(&c, name, protocols), 0);
	cr_expect_eq(c.n_warnings, 2);
	cr_expect_null(strstr(c.errors.data, "geheim"));
	cr_expect_not_null(strstr(c.errors.data,
				  "s.conf:3: warning: provisioner.secret: everybody on this machine can read it here"),
			   "%s", c.errors.data);
	conf_free(&c);
	write_file(name, "provisioner = { domain = \"p.example\"; secret_file = \"s.conf\"; secret = \"x\"; };");
	cr_assert_eq(conf_load(&c, name, protocols), -1);
	cr_expect_not_null(strstr(c.errors.data, "give either secret or secret_file"), "%s", c.errors.data);
	conf_free(&c);
	unlink(name);
	rmdir(folder);
	text_free(&shown);
}

Test(conf, refuses_secrets_that_are_none)
{
	char folder[PATH_MAX], name[PATH_MAX], secret[PATH_MAX];
	struct conf c;
	const char *const contents[] = { "", "\n", "a\x01", NULL };
	cr_assert_not_null(temporary(folder));
	snprintf(name, sizeof(name), "%.4000s/s.conf", folder);
	snprintf(secret, sizeof(secret), "%.4000s/secret", folder);
	write_file(name, "provisioner = { domain = \"p.example\"; secret_file = \"secret\"; };\n");
	for (size_t i = 0; contents[i]; i++) {
		write_file(secret, contents[i]);
		cr_expect_eq(conf_load(&c, name, protocols), -1, "%zu", i);
		cr_expect_eq(c.n_errors, 1, "%s", c.errors.data);
		cr_expect_null(c.provisioner.secret);
		conf_free(&c);
	}
	unlink(secret);
	unlink(name);
	rmdir(folder);
}

Test(conf, a_mistake_in_a_device_breaks_only_that_device)
{
	struct conf c;
	char folder[PATH_MAX];
	int result;
	struct text shown = { 0 };
	cr_assert_not_null(temporary(folder));
	c = load_text(folder,
		      "buses = ( { id = \"b\"; protocol = \"wire\"; } );\n"
		      "devices = ( { id = \"bad\"; bus = \"b\"; unit_id = 1;\n"
		      "points = ( { id = \"p\"; type = \"int\"; adress = 1; } ); },\n"
		      "{ id = \"good\"; bus = \"b\"; unit_id = 1; points = ( { id = \"p\"; type = \"int\"; address = "
		      "1; } ); } );",
		      &result);
	cr_assert_eq(result, 0, "it starts");
	cr_expect_eq(c.n_errors, 2, "%s", c.errors.data);
	cr_expect_eq(c.n_broken, 1);
	cr_expect(device_of(&c, "bad")->broken);
	cr_expect_not(device_of(&c, "good")->broken);
	cr_expect_eq(c.house->things.n, 1);
	conf_show(&c, protocols, &shown);
	cr_expect_not_null(strstr(shown.data, ":2: device 'bad' is left out"), "%s", shown.data);
	cr_expect_null(strstr(shown.data, "\"bad\""));
	conf_free(&c);
	text_free(&shown);
	rmdir(folder);
}

Test(conf, stops_for_a_mistake_in_a_bus)
{
	struct conf c;
	char folder[PATH_MAX];
	int result;
	cr_assert_not_null(temporary(folder));
	c = load_text(folder, "buses = ( { id = \"b\"; protocol = \"wire\"; port = 0; } );\ndevices = ( );", &result);
	cr_expect_eq(result, -1);
	cr_expect_eq(c.n_broken, 0);
	conf_free(&c);
	rmdir(folder);
}

Test(conf, shows_at_most_so_many_errors)
{
	struct conf c;
	char folder[PATH_MAX];
	int result;
	struct text many = { 0 };
	text_add(&many, "gateway = {");
	for (int i = 0; i < 300; i++)
		text_addf(&many, "x%d = 1;\n", i);
	text_add(&many, "};");
	cr_assert_not_null(temporary(folder));
	c = load_text(folder, many.data, &result);
	cr_expect_eq(result, -1);
	cr_expect_eq(c.n_errors, 300);
	size_t lines = 0;
	for (const char *at = c.errors.data; *at; at++)
		lines += *at == '\n';
	cr_expect_eq(lines, 201, "200 and one that counts the rest");
	cr_expect_not_null(strstr(c.errors.data, "\nand 100 more\n"));
	conf_free(&c);
	text_free(&many);
	rmdir(folder);
}

Test(conf, refuses_what_is_no_file_of_text)
{
	struct conf c;
	char folder[PATH_MAX], name[PATH_MAX];
	cr_assert_not_null(temporary(folder));
	cr_expect_eq(conf_load(&c, folder, protocols), -1, "a folder");
	cr_expect_not_null(strstr(c.errors.data, "cannot read it: Is a directory"), "%s", c.errors.data);
	conf_free(&c);
	snprintf(name, sizeof(name), "%.4000s/none.conf", folder);
	cr_expect_eq(conf_load(&c, name, protocols), -1);
	cr_expect_not_null(strstr(c.errors.data, "cannot read it: No such file or directory"), "%s", c.errors.data);
	conf_free(&c);
	FILE *file = fopen(name, "w");
	fwrite("gateway = { };\0buses", 1, 20, file);
	fclose(file);
	cr_expect_eq(conf_load(&c, name, protocols), -1);
	cr_expect_not_null(strstr(c.errors.data, "byte 14 is zero"), "%s", c.errors.data);
	conf_free(&c);
	write_file(name,
		   "\xEF\xBB\xBFgateway = { };\r\nprovisioner = { domain = \"p.example\"; secret = \"x\"; };\r\n");
	chmod(name, 0600);
	cr_expect_eq(conf_load(&c, name, protocols), 0, "written by an editor of another system: %s", c.errors.data);
	conf_free(&c);
	unlink(name);
	rmdir(folder);
}

Test(conf, loads_ten_thousand_points)
{
	enum { DEVICES = 100, POINTS = 100 };
	struct conf c;
	char folder[PATH_MAX];
	int result;
	struct text t = { 0 };
	text_add(&t, "buses = ( { id = \"b\"; protocol = \"wire\"; } );\ndevices = (\n");
	for (int d = 0; d < DEVICES; d++) {
		text_addf(&t, "%s{ id = \"d%d\"; bus = \"b\"; unit_id = 1; points = (\n", d ? ",\n" : "", d);
		for (int p = 0; p < POINTS; p++)
			text_addf(&t,
				  "%s{ id = \"p%d\"; name = \"Point %d\"; type = \"int16\"; address = %d; unit = "
				  "\"V\"; scale = 0.1; "
				  "poll = \"2s\"; access = \"rw\"; min = 0; max = 100; }",
				  p ? ",\n" : "", p, p, p);
		text_add(&t, "); }");
	}
	text_add(&t, ");\n");
	cr_assert_not_null(temporary(folder));
	c = load_text(folder, t.data, &result);
	cr_assert_eq(result, 0, "%s", c.errors.data);
	cr_expect_eq(c.house->things.n, DEVICES * POINTS);
	cr_expect_eq(device_of(&c, "d99")->points[99]->line, 2 + DEVICES * POINTS + DEVICES);
	conf_free(&c);
	text_free(&t);
	rmdir(folder);
}

Test(ident, knows_ids)
{
	const char *const good[] = { "boiler_2", "0x1-a", "a", NULL }, *const bad[] = { "Boiler", "-a", "_a",  "a.b",
											"",       "ä",  "a b", NULL };
	for (size_t i = 0; good[i]; i++)
		cr_expect_eq(ident_check(good[i], NULL), 0, "%s", good[i]);
	for (size_t i = 0; bad[i]; i++)
		cr_expect_eq(ident_check(bad[i], NULL), -1, "%s", bad[i]);
}

Test(ident, knows_what_servers_make_of_jids)
{
	struct err e;
	cr_expect_eq(ident_local("a.b", &e), 0);
	cr_expect_eq(ident_local("kessel\\20eins", &e), 0);
	cr_expect_eq(ident_local("höhe", &e), 0);
	cr_expect_eq(ident_local("Kessel", &e), -1);
	cr_expect_str_eq(e.text, "'Kessel' is 'kessel' for every server: write it so");
	cr_expect_eq(ident_local("a b", &e), -1);
	cr_expect_str_eq(e.text, "'a b' has a character that no localpart of a JID has");
	cr_expect_eq(ident_jid("provisioning@example.org", &e), 0);
	cr_expect_eq(ident_jid("example.org", &e), 0);
	cr_expect_eq(ident_jid("a@b@c", &e), -1);
	cr_expect_eq(ident_jid("a@b/c", &e), -1);
	cr_expect_eq(ident_domain("Example.org", &e), -1);
	cr_expect_eq(ident_domain("", &e), -1);
}

Test(conf, names_the_control_socket_also_of_a_file_that_is_being_edited)
{
	static const char *const cases[][2] = {
		{ "gateway = { control = \"/a/b\"; };", "/a/b" },
		{ "gateway = { control = \"/a/b\"; ", "/a/b" },
		{ "x = ( 1, ); # control = \"/no\"\ngateway = {\n control : \"/a/b\"", "/a/b" },
		{ "gateway = { control = \"/a/b", "/run/jidgate/control.sock" },
		{ "gateway = {", "/run/jidgate/control.sock" },
		{ "", "/run/jidgate/control.sock" },
	};
	char name[] = "/tmp/jidgate-conf-XXXXXX";
	int fd = mkstemp(name);
	cr_assert_geq(fd, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t size = strlen(cases[i][0]);
		cr_assert_eq(ftruncate(fd, 0), 0);
		cr_assert_eq(pwrite(fd, cases[i][0], size, 0), (ssize_t)size);
		char *control = conf_control(name);
		cr_expect_str_eq(control, cases[i][1], "%s: %s", cases[i][0], control);
		mem_free(control);
	}
	close(fd);
	unlink(name);
	char *control = conf_control(name);
	cr_expect_str_eq(control, "/run/jidgate/control.sock");
	mem_free(control);
}

static void expect_id(struct ids *ids, const char *words, const char *wanted)
{
	struct text id = { 0 };
	ids_add_word(&id, words, 20);
	cr_expect_str_eq(ids_new(ids, id.size ? id.data : "nameless"), wanted);
	text_free(&id);
}

Test(ids, are_made_of_any_words_and_none_comes_twice)
{
	struct ids ids = { 0 };
	expect_id(&ids, "Küche (oben)", "k-che-oben");
	expect_id(&ids, "/ENERGY/Power", "energy-power");
	expect_id(&ids, "k_che/oben/", "k_che-oben");
	expect_id(&ids, "K--che oben", "k-che-oben-2");
	expect_id(&ids, "k-che-oben-2", "k-che-oben-2-2");
	expect_id(&ids, "k-che oben", "k-che-oben-3");
	expect_id(&ids, "/a~1b", "a-b");
	expect_id(&ids, "°", "nameless");
	expect_id(&ids, "", "nameless-2");
	expect_id(&ids, "a text that is longer than an id", "a-text-that-is-longe");
	ids_end(&ids);
}
