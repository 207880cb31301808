#include "bridges/mqtt_rows.h"
#include "core/base/mem.h"
#include "core/conf/found.h"
#include "core/conf/ident.h"
#include "core/drivers.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Devices that make themselves, once for each level of a topic. */

TestSuite(pattern, .timeout = 30);

struct site {
	struct conf c;
	const struct protocol **protocols;
	char folder[64]; /* "": it is gone */
};

static void clean(const char *folder)
{
	char path[96];
	snprintf(path, sizeof(path), "%s/templates.d", folder);
	unlink(path);
	rmdir(folder);
}

static int load(struct site *s, const char *devices)
{
	char folder[] = "/tmp/jidgate-pattern-XXXXXX", path[64], templates[64];
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/site.conf", folder);
	snprintf(templates, sizeof(templates), "%s/templates.d", folder);
	cr_assert_eq(symlink(TEMPLATES, templates), 0);
	FILE *file = fopen(path, "w");
	cr_assert_not_null(file);
	fprintf(file,
		"buses = ( { id = \"broker\"; protocol = \"mqtt\"; host = \"192.0.2.1\"; },\n"
		"  { id = \"plc\"; protocol = \"modbus-tcp\"; host = \"192.0.2.1\"; } );\ndevices = (\n%s);\n",
		devices);
	fclose(file);
	s->protocols = drivers_protocols();
	int bad = conf_load(&s->c, path, s->protocols);
	unlink(path);
	snprintf(s->folder, sizeof(s->folder), "%s", folder);
	return bad;
}

static void end(struct site *s)
{
	conf_free(&s->c);
	mem_free(s->protocols);
	clean(s->folder);
}

static int find(struct site *s, const char *level)
{
	struct text block = { 0 };
	char key[200], bus[] = "broker";
	text_addf(&block, "{ like = \"plug-${level}\"; level = \"%s\"; }", level);
	snprintf(key, sizeof(key), "plug-${level}/%s", level);
	const struct found_block found = { .bus = bus, .key = key, .text = block.data };
	int bad = found_build(&s->c, s->c.house, &found, s->protocols);
	text_free(&block);
	return bad;
}

static const char plug[] =
	"{ id = \"plug-${level}\"; bus = \"broker\"; topic = \"tele/+\"; name = \"Plug ${level}\";\n"
	"  availability = { topic = \"~/LWT\"; online = \"Online\"; offline = \"Offline\"; };\n"
	"  points = ( { id = \"power\"; topic = \"~/SENSOR\"; path = \"/P\"; type = \"real\"; scale = 0.1; min = -5.0; "
	"},\n"
	"    { id = \"on\"; topic = \"stat/${level}/POWER\"; type = \"bool\"; on = \"ON\"; off = \"OFF\"; access = "
	"\"rw\";\n"
	"      write = { topic = \"cmnd/+/POWER\"; confirm = \"state\"; retain = false; qos = 1; }; } ); }";

Test(pattern, becomes_filters_and_no_device)
{
	struct site s;
	cr_assert_eq(load(&s, plug), 0, "%s", s.c.errors.data);
	cr_expect_eq(s.c.n_errors, 0, "%s", s.c.errors.data);
	const struct bus *bus = house_find_bus(s.c.house, "broker");
	cr_assert_eq(bus->n_patterns, 1);
	cr_expect_eq(s.c.house->n_devices, 0);
	cr_expect_eq(s.c.house->things.n, 0);
	cr_expect_str_eq(bus->patterns[0].id, "plug-${level}");
	cr_assert_eq(bus->patterns[0].n_filters, 2);
	cr_expect_str_eq(bus->patterns[0].filters[0], "tele/+/SENSOR");
	cr_expect_str_eq(bus->patterns[0].filters[1], "stat/+/POWER");
	end(&s);
}

Test(pattern, a_level_is_escaped_in_the_id_and_plain_in_the_rest)
{
	struct site s;
	cr_assert_eq(load(&s, plug), 0);
	cr_assert_eq(find(&s, "Kitchen Lamp"), 0, "%s", s.c.errors.data);
	const struct device *d = house_find_device(s.c.house, "plug-kitchen\\20lamp");
	cr_assert_not_null(d);
	const struct mqtt_device *o = d->options;
	const struct mqtt_address *power = d->points[0]->address, *on = d->points[1]->address;
	cr_expect_str_eq(o->topic, "tele/Kitchen Lamp");
	cr_expect_str_eq(o->availability.first.topic, "tele/Kitchen Lamp/LWT");
	cr_expect_str_eq(power->topic, "tele/Kitchen Lamp/SENSOR");
	cr_expect_str_eq(on->topic, "stat/Kitchen Lamp/POWER");
	cr_expect_str_eq(on->write.topic, "cmnd/Kitchen Lamp/POWER");
	cr_expect_str_eq(names_find(&d->names, ""), "Plug Kitchen Lamp");
	char scale[DECIMAL_ROOM];
	decimal_print(d->points[0]->scale, scale);
	cr_expect_str_eq(scale, "0.1");
	cr_expect_not_null(
		house_find_thing(s.c.house, "plug-kitchen\\20lamp.power", strlen("plug-kitchen\\20lamp.power")));
	cr_expect_eq(find(&s, "Küche"), 0, "%s", s.c.errors.data);
	cr_expect_not_null(house_find_device(s.c.house, "plug-küche"));
	cr_expect_eq(find(&s, "a.b:c@d"), 0, "%s", s.c.errors.data);
	cr_expect_not_null(house_find_device(s.c.house, "plug-a.b\\3ac\\40d"));
	cr_expect_eq(find(&s, "${level}${unit}"), 0, "%s", s.c.errors.data);
	end(&s);
}

Test(pattern, two_levels_that_are_one_jid_are_reported_and_the_second_is_left_out)
{
	struct site s;
	cr_assert_eq(load(&s, plug), 0);
	cr_assert_eq(find(&s, "Hall"), 0);
	cr_expect_lt(find(&s, "hall"), 0);
	cr_expect_not_null(strstr(s.c.errors.data, "has it already"), "%s", s.c.errors.data);
	cr_expect_eq(s.c.house->n_devices, 1);
	cr_expect_eq(s.c.house->things.n, 2);
	end(&s);
}

Test(pattern, a_device_of_the_file_counts_more)
{
	struct site s;
	char *devices = mem_format("%s, { id = \"plug-hall\"; bus = \"broker\"; topic = \"x\"; points = ( { id = "
				   "\"power\"; type = \"real\"; } ); }",
				   plug);
	cr_assert_eq(load(&s, devices), 0, "%s", s.c.errors.data);
	cr_expect_lt(find(&s, "Hall"), 0);
	cr_expect_eq(s.c.house->n_devices, 1);
	cr_expect_null(house_find_device(s.c.house, "plug-hall")->level);
	mem_free(devices);
	end(&s);
}

Test(pattern, what_no_jid_can_have_is_refused)
{
	static const char *const levels[] = { "", " ", "a\xcc", "a\\u0007" };
	struct site s;
	cr_assert_eq(load(&s, plug), 0);
	for (size_t i = 0; i < 3; i++)
		cr_expect_lt(find(&s, levels[i]), 0, "'%s'", levels[i]);
	char longest[1200], *id = NULL;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	cr_expect_lt(ident_of_level("plug-${level}", longest, &id, NULL), 0);
	longest[300] = '\0';
	cr_expect_lt(ident_of_level("plug-${level}", longest, &id, NULL), 0);
	cr_expect_null(id);
	cr_expect_eq(s.c.house->n_devices, 0);
	end(&s);
}

Test(pattern, of_a_template)
{
	struct site s;
	cr_assert_eq(
		load(&s,
		     "{ id = \"plug-${level}\"; bus = \"broker\"; topic = \"tele/+\"; template = \"tasmota-plug\"; }"),
		0, "%s", s.c.errors.data);
	cr_expect_eq(s.c.n_errors, 0, "%s", s.c.errors.data);
	cr_expect_eq(find(&s, "Hall"), 0, "%s", s.c.errors.data);
	cr_expect_eq(s.c.house->n_devices, 1);
	end(&s);
}

Test(pattern, is_shown_as_it_was_written)
{
	struct site s, again;
	struct text shown = { 0 };
	cr_assert_eq(load(&s, plug), 0);
	conf_show(&s.c, s.protocols, &shown);
	const char *list = strstr(shown.data, "devices = (\n") + strlen("devices = (\n");
	char *devices = mem_text_n(list, (size_t)(strstr(list, "\n);") - list));
	cr_assert_eq(load(&again, devices), 0, "%s", again.c.errors.data);
	cr_expect_str_eq(house_find_bus(again.c.house, "broker")->patterns[0].text,
			 house_find_bus(s.c.house, "broker")->patterns[0].text);
	mem_free(devices);
	text_free(&shown);
	end(&again);
	end(&s);
}

Test(pattern, mistakes_are_said)
{
	static const struct {
		const char *device, *sentence;
	} rows[] = {
		{ "{ id = \"p-${level}\"; bus = \"broker\"; topic = \"tele/x\"; points = ( { id = \"a\"; type = "
		  "\"int\"; } ); }",
		  "topic: write + where ${level} stands" },
		{ "{ id = \"p-${level}\"; bus = \"broker\"; topic = \"+/+\"; points = ( { id = \"a\"; type = \"int\"; "
		  "} ); }",
		  "one level may be a +, alone between its /" },
		{ "{ id = \"p-${level}\"; bus = \"broker\"; topic = \"tele/a+\"; points = ( { id = \"a\"; type = "
		  "\"int\"; } ); }",
		  "one level may be a +" },
		{ "{ id = \"p-${level}\"; bus = \"broker\"; topic = \"tele/#\"; points = ( { id = \"a\"; type = "
		  "\"int\"; } ); }",
		  "one level may be a +" },
		{ "{ id = \"p\"; bus = \"broker\"; topic = \"tele/+\"; points = ( { id = \"a\"; type = \"int\"; } ); }",
		  "has a wildcard; name one topic, or have ${level} in the id of the device" },
		{ "{ id = \"p\"; bus = \"broker\"; topic = \"tele/${level}\"; points = ( { id = \"a\"; type = \"int\"; "
		  "} ); }",
		  "${level} means nothing here" },
		{ "{ id = \"P-${level}\"; bus = \"broker\"; topic = \"tele/+\"; points = ( { id = \"a\"; type = "
		  "\"int\"; } ); }",
		  "'P-x' is no id" },
		{ "{ id = \"p-${level}\"; bus = \"plc\"; unit_id = 1; addressing = \"protocol\"; points = ( { id = "
		  "\"a\"; table = \"input\";"
		  " address = 1; type = \"int16\"; } ); }",
		  "${level} is for topics, and modbus-tcp has none" },
		{ "{ id = \"p-${level}\"; units = \"1-3\"; bus = \"broker\"; topic = \"tele/+\"; points = ( { id = "
		  "\"a\"; type = \"int\"; } ); }",
		  "there is a ${level} already" },
		{ "{ id = \"p-${level}\"; bus = \"broker\"; topic = \"tele/+\"; points = ( { id = \"a\"; type = "
		  "\"int\"; colour = 1; } ); }",
		  "unknown key 'colour'" },
		{ "{ id = \"p-${level}\"; bus = \"broker\"; topic = \"a/+\"; points = ( { id = \"a\"; type = \"int\"; "
		  "} ); },"
		  "{ id = \"p-${level}\"; bus = \"broker\"; topic = \"b/+\"; points = ( { id = \"a\"; type = \"int\"; "
		  "} ); }",
		  "there is another such device" },
		{ "{ like = \"p-${level}\"; level = \"x\"; bus = \"broker\"; }", "unknown key 'like'" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct site s;
		load(&s, rows[i].device);
		cr_expect_gt(s.c.n_errors, 0, "row %zu", i);
		cr_expect_gt(s.c.n_broken, 0, "row %zu", i);
		cr_expect_not_null(strstr(s.c.errors.data ? s.c.errors.data : "", rows[i].sentence), "row %zu: %s", i,
				   s.c.errors.data);
		end(&s);
	}
}
