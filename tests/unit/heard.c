#include "bridges/heard.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "tests/lib/loads.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

TestSuite(heard, .timeout = 60);

static void tell(struct heard *h, const char *topic, const char *message)
{
	heard_take(h, topic, message, strlen(message));
}

static void expect(struct heard *h, const char *wanted, size_t n_devices)
{
	struct text all = { 0 };
	cr_expect_eq(heard_print(h, "broker", NULL, 0, &all), n_devices);
	cr_expect_str_eq(all.data ? all.data : "", wanted, "%s", all.data);
	if (n_devices)
		loads_devices(all.data, n_devices);
	text_free(&all);
	heard_end(h);
}

Test(heard, a_json_message_is_a_device_and_its_neighbour_its_availability)
{
	struct heard h = { 0 };
	tell(&h, "zigbee2mqtt/new lamp", "{\"state\": \"ON\", \"color\": {\"x\": 0.3}}");
	tell(&h, "zigbee2mqtt/new lamp", "{\"temperature\": 21.5, \"state\": \"OFF\"}");
	tell(&h, "zigbee2mqtt/new lamp/availability", "{\"state\": \"online\"}");
	expect(&h,
	       "  { id = \"zigbee2mqtt-new-lamp\"; bus = \"broker\"; topic = \"zigbee2mqtt/new lamp\";\n"
	       "    availability = { topic = \"~/availability\"; path = \"/state\"; online = \"online\"; offline = "
	       "\"offline\"; };\n"
	       "    points = (\n"
	       "      { id = \"state\"; path = \"/state\"; type = \"bool\"; on = \"ON\"; off = \"OFF\"; },  # now ON\n"
	       "      { id = \"color-x\"; path = \"/color/x\"; type = \"real\"; },  # now 0.3\n"
	       "      { id = \"temperature\"; path = \"/temperature\"; type = \"real\"; unit = \"°C\"; }  # now 21.5; "
	       "the unit is a"
	       " guess from the name\n"
	       "    ); }",
	       1);
}

Test(heard, what_a_device_says_in_several_topics_is_one_device)
{
	struct heard h = { 0 };
	tell(&h, "tele/plug/SENSOR", "{\"ENERGY\": {\"Power\": 12.5}}");
	tell(&h, "tele/plug/STATE", "{\"POWER\": \"ON\"}");
	tell(&h, "tele/plug/LWT", "Online");
	tell(&h, "attic/temperature", "21.50");
	tell(&h, "attic/window", "open");
	expect(&h,
	       "  { id = \"attic\"; bus = \"broker\"; topic = \"attic\";\n"
	       "    points = (\n"
	       "      { id = \"temperature\"; topic = \"~/temperature\"; type = \"real\"; unit = \"°C\"; },  # now "
	       "21.50; the unit is"
	       " a guess from the name\n"
	       "      { id = \"window\"; topic = \"~/window\"; type = \"bool\"; on = \"open\"; off = \"closed\"; }  # "
	       "now open\n"
	       "    ); },\n"
	       "  { id = \"tele-plug\"; bus = \"broker\"; topic = \"tele/plug\";\n"
	       "    availability = { topic = \"~/LWT\"; online = \"Online\"; offline = \"Offline\"; };\n"
	       "    points = (\n"
	       "      { id = \"sensor-energy-power\"; topic = \"~/SENSOR\"; path = \"/ENERGY/Power\"; type = \"real\"; "
	       "unit = \"W\"; },"
	       "  # now 12.5; the unit is a guess from the name\n"
	       "      { id = \"state-power\"; topic = \"~/STATE\"; path = \"/POWER\"; type = \"bool\"; on = \"ON\"; "
	       "off = \"OFF\"; }"
	       "  # now ON\n"
	       "    ); }",
	       2);
}

Test(heard, ids_are_unique_and_hostile_names_are_only_names)
{
	struct heard h = { 0 };
	tell(&h, "a b", "1");
	tell(&h, "a-b", "2");
	tell(&h, "\"; } ); @include \"x",
	     "{\"\\\"; } # \": 1, \"x\": 2, \"X\": 3, \"\": 4, \"a/b\": 5, \"a~b\": \"# \\n */\"}");
	tell(&h, "ä", "ON");
	tell(&h, "b/${unit}", "1");
	tell(&h, "c", "{\"${level}\": 1}");
	struct text all = { 0 };
	size_t n = heard_print(&h, "broker", NULL, 0, &all);
	cr_expect_eq(n, 4);
	loads_devices(all.data, n);
	text_free(&all);
	heard_end(&h);
}

Test(heard, what_says_nothing_is_left_out)
{
	struct heard h = { 0 };
	tell(&h, "empty", "");
	tell(&h, "$SYS/broker/uptime", "7");
	tell(&h, "list", "[[], []]");
	tell(&h, "garbled", "{\"a\": ");
	tell(&h, "bad\x01topic", "7");
	tell(&h, "tele/plug/LWT", "Online");
	heard_take(&h, "binary", "\xff\xfe\x00", 3);
	expect(&h, "", 0);
}

Test(heard, what_was_printed_before_is_not_printed_again)
{
	struct heard h = { 0 };
	struct text all = { 0 };
	tell(&h, "house/lamp", "7");
	tell(&h, "house/lux", "7");
	text_add(&all, "  { id = \"house\"; points = ( { id = \"p\"; topic = \"house/lamp\"; type = \"int\"; } ); }");
	cr_expect_eq(heard_print(&h, "broker", NULL, 1, &all), 2);
	cr_expect_not_null(strstr(all.data, ",\n  { id = \"house-2\""));
	cr_expect_null(strstr(all.data, "~/lamp"));
	text_free(&all);
	heard_end(&h);
}

Test(heard, no_more_topics_than_the_limit)
{
	struct heard h = { 0 };
	for (int i = 0; i < LIMIT_HEARD + 10; i++) {
		char topic[40];
		snprintf(topic, sizeof(topic), "n/%d", i);
		tell(&h, topic, "7");
	}
	cr_expect_eq(h.topics.n, LIMIT_HEARD);
	cr_expect(h.full);
	struct text all = { 0 };
	cr_expect_eq(heard_print(&h, "broker", NULL, 0, &all), 1);
	text_free(&all);
	heard_end(&h);
}
