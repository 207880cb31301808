#include "bridges/mbaddress.h"
#include "bridges/mqtt_rows.h"
#include "core/base/mem.h"
#include "core/conf/conf.h"
#include "core/conf/repeat.h"
#include "core/drivers.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder with a configuration and templates.d/ in it. */
struct site {
	char folder[PATH_MAX / 2];
	struct conf c;
	const struct protocol **protocols;
};

static void put(const struct site *s, const char *name, const char *text)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", s->folder, name);
	FILE *file = fopen(path, "w");
	cr_assert_not_null(file, "%s", path);
	fputs(text, file);
	fclose(file);
}

static void drop(const struct site *s, const char *name)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", s->folder, name);
	cr_expect_eq(remove(path), 0, "%s", path);
}

static void begin(struct site *s)
{
	char path[PATH_MAX];
	s->protocols = drivers_protocols();
	snprintf(s->folder, sizeof(s->folder), "%s/jidgate-template-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	cr_assert_not_null(mkdtemp(s->folder));
	snprintf(path, sizeof(path), "%s/templates.d", s->folder);
	cr_assert_eq(mkdir(path, 0700), 0);
}

static int load(struct site *s, const char *devices)
{
	char path[PATH_MAX];
	char *text = mem_format("xmpp = { domain = \"t.example\"; secret_file = \"secret\"; };\n"
				"provisioning = { service = \"p.example\"; };\n"
				"buses = ( { id = \"plc\"; protocol = \"modbus-tcp\"; host = \"192.0.2.1\"; },"
				" { id = \"broker\"; protocol = \"mqtt\"; host = \"192.0.2.2\"; } );\n"
				"devices = (\n%s);\n",
				devices);
	put(s, "site.conf", text);
	mem_free(text);
	put(s, "secret", "x\n");
	snprintf(path, sizeof(path), "%s/site.conf", s->folder);
	return conf_load(&s->c, path, s->protocols);
}

static void load_good(struct site *s, const char *devices)
{
	cr_assert_eq(load(s, devices), 0, "%s", s->c.errors.data);
	cr_assert_eq(s->c.n_errors + s->c.n_warnings, 0, "%s", s->c.errors.data);
}

static void end(struct site *s)
{
	conf_free(&s->c);
	mem_free(s->protocols);
	drop(s, "site.conf");
	drop(s, "secret");
	drop(s, "templates.d");
	drop(s, "");
}

static const struct point *point_of(const struct site *s, size_t device, const char *id)
{
	const struct device *d = s->c.house->devices[device];
	for (size_t i = 0; i < d->n_points; i++)
		if (strcmp(d->points[i]->id, id) == 0)
			return d->points[i];
	return NULL;
}

static const char *const meter =
	"template = \"meter\"; version = 3; protocol = \"modbus\";\n"
	"addressing = \"protocol\"; things = \"device\"; stale = \"1m\";\n"
	"probe = { point = \"u1\"; min = 80; max = 300; };\n"
	"defaults = { table = \"input\"; type = \"float32\"; unit = \"V\"; poll = \"2s\"; };\n"
	"points = (\n"
	"{ id = \"u1\"; name = \"Voltage\"; address = 0; },\n"
	"{ id = \"p\"; address = 52; unit = \"W\"; deadband = 5; },\n"
	"{ id = \"limit\"; address = 10; table = \"holding\"; access = \"rw\"; min = 0; max = 9;\n"
	"  write = { confirm = \"readback\"; deadline = \"3s\"; }; } );\n";

Test(template, gives_a_device_its_points_and_options)
{
	struct site s;
	begin(&s);
	put(&s, "templates.d/meter.conf", meter);
	load_good(&s, "{ id = \"a\"; bus = \"plc\"; unit_id = 7; template = \"meter\"; }");
	const struct device *d = s.c.house->devices[0];
	const struct mbaddress_unit *unit = d->options;
	cr_expect_eq(d->n_points, 3);
	cr_expect_eq(d->gathering, GATHER_DEVICE);
	cr_expect_eq(unit->unit_id, 7);
	cr_expect_eq(unit->addressing, 0);
	const struct point *u1 = point_of(&s, 0, "u1"), *p = point_of(&s, 0, "p"), *limit = point_of(&s, 0, "limit");
	cr_expect_eq(u1->type, TYPE_FLOAT32);
	cr_expect_str_eq(u1->unit, "V");
	cr_expect_str_eq(names_find(&u1->names, "en"), "Voltage");
	cr_expect_eq(u1->poll_ms, 2000);
	cr_expect_eq(u1->stale_ms, 60000);
	cr_expect_str_eq(p->unit, "W");
	const struct mbaddress *at = p->address;
	cr_expect_eq(at->first, 52);
	cr_expect_eq(at->table, MBADDRESS_INPUT);
	cr_expect_eq(((const struct mbaddress *)limit->address)->table, MBADDRESS_HOLDING);
	cr_expect(strstr(u1->file, "templates.d/meter.conf"));
	cr_expect_eq(u1->line, 6);
	drop(&s, "templates.d/meter.conf");
	end(&s);
}

Test(template, is_overridden_by_id_key_by_key)
{
	struct site s;
	begin(&s);
	put(&s, "templates.d/meter.conf", meter);
	load_good(
		&s,
		"{ id = \"a\"; bus = \"plc\"; unit_id = 1; template = \"meter\"; things = \"point\"; stale = \"5m\";\n"
		"  override = ( { id = \"p\"; poll = \"500ms\"; name = \"Power\"; },\n"
		"  { id = \"u1\"; disable = true; },\n"
		"  { id = \"limit\"; max = 5; write = { deadline = \"1s\"; min_interval = \"2s\"; }; },\n"
		"  { id = \"new\"; type = \"uint16\"; table = \"holding\"; address = 99; } ); },\n"
		"{ id = \"b\"; bus = \"plc\"; unit_id = 2; template = \"meter\";\n"
		"  override = ( { id = \"limit\"; access = \"r\"; } ); }");
	const struct point *p = point_of(&s, 0, "p"), *limit = point_of(&s, 0, "limit"), *new = point_of(&s, 0, "new");
	cr_expect_eq(s.c.house->devices[0]->gathering, GATHER_POINTS);
	cr_expect_eq(p->poll_ms, 500);
	cr_expect_eq(p->stale_ms, 300000);
	cr_expect_str_eq(p->unit, "W", "what is not said over it stays");
	cr_expect(p->has_deadband);
	cr_expect_str_eq(names_find(&p->names, "en"), "Power");
	cr_expect(point_of(&s, 0, "u1")->disabled);
	cr_expect_null(house_find_thing(s.c.house, "a.u1", 4));
	cr_expect_not_null(house_find_thing(s.c.house, "a.p", 3));
	cr_expect_eq(limit->write_deadline_ms, 1000);
	cr_expect_eq(limit->write_interval_ms, 2000);
	cr_expect_eq(limit->confirm, CONFIRM_READBACK, "groups are merged");
	cr_expect_eq(limit->max.digits, 5);
	cr_expect_eq(new->type, TYPE_UINT16);
	cr_expect_null(new->unit, "the template's defaults are for its own points");
	cr_expect_eq(point_of(&s, 1, "limit")->access, ACCESS_READ, "an installer may forbid writes");
	cr_expect_eq(point_of(&s, 1, "p")->poll_ms, 2000, "the other device has the template as it is");
	drop(&s, "templates.d/meter.conf");
	end(&s);
}

Test(template, shows_what_loads_to_the_same)
{
	struct site s;
	struct text first = { 0 }, second = { 0 };
	char path[PATH_MAX];
	begin(&s);
	put(&s, "templates.d/meter.conf", meter);
	load_good(&s,
		  "{ id = \"a-${unit}\"; bus = \"plc\"; units = \"3-4\"; unit_id = \"${unit}\"; template = \"meter\";\n"
		  "  override = ( { id = \"p\"; poll = \"500ms\"; } ); }");
	conf_show(&s.c, s.protocols, &first);
	conf_free(&s.c);
	drop(&s, "templates.d/meter.conf");
	put(&s, "site.conf", first.data);
	snprintf(path, sizeof(path), "%s/site.conf", s.folder);
	cr_assert_eq(conf_load(&s.c, path, s.protocols), 0, "%s", s.c.errors.data);
	conf_show(&s.c, s.protocols, &second);
	cr_expect_str_eq(second.data, first.data);
	cr_expect_eq(s.c.house->n_devices, 2);
	text_free(&first);
	text_free(&second);
	end(&s);
}

Test(template, that_is_not_there_is_said_with_the_nearest)
{
	struct site s;
	begin(&s);
	put(&s, "templates.d/meter.conf", meter);
	cr_expect_eq(load(&s, "{ id = \"a\"; bus = \"plc\"; unit_id = 7; template = \"metre\"; }"), 0);
	cr_expect_eq(s.c.n_broken, 1);
	cr_expect_eq(s.c.n_errors, 1, "nothing is missed that it would have: %s", s.c.errors.data);
	cr_expect(strstr(s.c.errors.data,
			 "site.conf:5: device 'a': template: there is no metre.conf in templates.d beside"));
	cr_expect(strstr(s.c.errors.data, "did you mean 'meter'?"), "%s", s.c.errors.data);
	drop(&s, "templates.d/meter.conf");
	end(&s);
}

Test(units, make_a_device_each)
{
	struct site s;
	begin(&s);
	load_good(
		&s,
		"{ id = \"plug-${unit}\"; name = { en = \"Plug ${unit}\"; de = \"Dose ${unit}\"; }; bus = \"broker\";\n"
		"  units = \"8-10, hall\"; topic = \"tele/${unit}/${unit}\";\n"
		"  points = ( { id = \"state\"; type = \"bool\"; access = \"rw\"; on = \"ON\"; off = \"OFF\";\n"
		"  write = { topic = \"cmnd/${unit}/POWER\"; payload = \"${raw}\"; }; } ); }");
	const char *const ids[] = { "plug-8", "plug-9", "plug-10", "plug-hall" };
	cr_assert_eq(s.c.house->n_devices, 4);
	for (size_t i = 0; i < 4; i++)
		cr_expect_str_eq(s.c.house->devices[i]->id, ids[i]);
	const struct mqtt_device *hall = s.c.house->devices[3]->options;
	cr_expect_str_eq(hall->topic, "tele/hall/hall");
	cr_expect_str_eq(names_find(&s.c.house->devices[2]->names, "de"), "Dose 10");
	const struct mqtt_address *state = point_of(&s, 1, "state")->address;
	cr_expect_str_eq(state->write.topic, "cmnd/9/POWER");
	cr_expect_str_eq(state->write.payload, "${raw}", "other marks stay");
	cr_expect_not_null(house_find_thing(s.c.house, "plug-hall.state", 15));
	end(&s);
}

Test(units, thirty_identical_meters_need_one_block)
{
	struct site s;
	begin(&s);
	put(&s, "templates.d/meter.conf", meter);
	load_good(&s, "{ id = \"flat-${unit}\"; bus = \"plc\"; units = \"1-30\"; unit_id = \"${unit}\"; template = "
		      "\"meter\"; }");
	cr_assert_eq(s.c.house->n_devices, 30);
	for (size_t i = 0; i < 30; i++)
		cr_expect_eq(((const struct mbaddress_unit *)s.c.house->devices[i]->options)->unit_id, (int64_t)i + 1);
	cr_expect_not_null(house_find_thing(s.c.house, "flat-30", 7));
	drop(&s, "templates.d/meter.conf");
	end(&s);
}

Test(units, one_that_is_wrong_leaves_out_only_itself)
{
	struct site s;
	begin(&s);
	put(&s, "templates.d/meter.conf", meter);
	cr_expect_eq(load(&s, "{ id = \"m-${unit}\"; bus = \"plc\"; units = \"254-256\"; unit_id = \"${unit}\"; "
			      "template = \"meter\"; }"),
		     0);
	cr_expect_eq(s.c.n_broken, 1, "%s", s.c.errors.data);
	cr_expect_eq(s.c.house->things.n, 2);
	cr_expect(strstr(s.c.errors.data, "device 'm-256'"), "%s", s.c.errors.data);
	drop(&s, "templates.d/meter.conf");
	end(&s);
}

Test(units, must_be_said_when_the_template_wants_them)
{
	struct site s;
	begin(&s);
	put(&s, "templates.d/plug.conf",
	    "template = \"plug\"; version = 1; protocol = \"mqtt\";\n"
	    "points = ( { id = \"s\"; type = \"bool\"; topic = \"stat/${unit}/POWER\"; } );\n");
	cr_expect_eq(load(&s, "{ id = \"a\"; bus = \"broker\"; template = \"plug\"; }"), 0);
	cr_expect_eq(s.c.n_broken, 1);
	cr_expect(strstr(s.c.errors.data,
			 "templates.d/plug.conf:2: device 'a': point 's': topic: ${unit} means nothing here"),
		  "%s", s.c.errors.data);
	drop(&s, "templates.d/plug.conf");
	end(&s);
}

Test(units, are_numbers_ranges_and_words)
{
	struct repeat r;
	cr_assert_eq(repeat_parse(" 1-3 ,8,\thall-2 , 007", &r, NULL), 0);
	const char *const units[] = { "1", "2", "3", "8", "hall-2", "007" };
	cr_assert_eq(r.n, 6);
	for (size_t i = 0; i < 6; i++)
		cr_expect_str_eq(r.units[i], units[i]);
	repeat_free(&r);
	const char *const wrong[] = { "",
				      ",",
				      "1,",
				      "1, 1",
				      "2-1",
				      "A",
				      "a b",
				      "1-",
				      "-1-2-",
				      "1-1001",
				      "1-99999999999",
				      "${unit}",
				      "1-18446744073709551615" };
	const char *const fine[] = { "1-", "-1-2-" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		bool word = strcmp(wrong[i], fine[0]) == 0 || strcmp(wrong[i], fine[1]) == 0;
		int result = repeat_parse(wrong[i], &r, NULL);
		cr_expect_eq(result, word ? 0 : -1, "%s", wrong[i]);
		if (result == 0)
			repeat_free(&r);
	}
}
