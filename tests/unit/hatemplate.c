#include "bridges/hatemplate.h"
#include "bridges/hafilter.h"
#include "bridges/haident.h"
#include "core/base/mem.h"
#include "core/base/text.h"

#include <criterion/criterion.h>

TestSuite(hatemplate, .timeout = 20);

Test(hatemplate, a_template_that_is_a_path_becomes_a_json_pointer)
{
	static const struct {
		const char *template, *path;
		int decimals;
	} rows[] = {
		{ "{{ value_json.a.b }}", "/a/b", -1 },
		{ "{{value_json.POWER}}", "/POWER", -1 },
		{ "{{ value_json['ENERGY'].Power }}", "/ENERGY/Power", -1 },
		{ "{{ value_json[\"a b\"][ 'c/d~e' ] }}", "/a b/c~1d~0e", -1 },
		{ "{{ value_json.list[0] | float | round(1) }}", "/list/0", 1 },
		{ "{{ value_json.t|round }}", "/t", 0 },
		{ "{{- value_json.t | default('') | int -}}", "/t", -1 },
		{ " {{ value }} ", NULL, -1 },
		{ "{{ value | float(0) }}", NULL, -1 },
		{ "{{ value_json.t | is_defined }}", "/t", -1 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e;
		char *path = NULL;
		int decimals = 0;
		cr_expect_eq(hatemplate_value(rows[i].template, &path, &decimals, &e), 0, "%s", rows[i].template);
		cr_expect(text_same(path, rows[i].path), "%s: %s", rows[i].template, path ? path : "none");
		cr_expect_eq(decimals, rows[i].decimals, "%s", rows[i].template);
		mem_free(path);
	}
}

Test(hatemplate, what_calculates_or_chooses_is_refused)
{
	static const char *const rows[] = {
		"",
		"{{ }}",
		"{{ value_json }}",
		"{{ value_json.power / 10 }}",
		"{{ value_json.a-b }}",
		"{{ value_json.a + 1 }}",
		"{% if value_json.a %}1{% else %}0{% endif %}",
		"{{ 'on' if value_json.a else 'off' }}",
		"{{ value_json.a }} W",
		"{{ value_json.a == 'x' }}",
		"{{ value_json.get('a') }}",
		"{{ value_json.a | upper }}",
		"{{ value_json.a | round(99) }}",
		"{{ value_json['a }}",
		"{{ value_json[a] }}",
		"{{ value_json..a }}",
		"{{ value_json.1 }}",
		"{{ value_json.a",
		"value_json.a",
		"{{ value_json.a[ }}",
		"{{ value_json.a[] }}",
		"{{ value_json['a\\'b'] }}",
		"{{ value_json.a | round(1",
		"{{ values }}",
		"{{ value_json.a }}{{ value_json.b }}",
		"{{ value_json.a | }}",
		"{{ value_json.a | default(",
		"{{ this.state }}",
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e;
		char *path = NULL;
		int decimals = 7;
		cr_expect_lt(hatemplate_value(rows[i], &path, &decimals, &e), 0, "%s gives %s", rows[i],
			     path ? path : "none");
		cr_expect(!path && decimals == 7, "%s", rows[i]);
	}
}

Test(hatemplate, a_command_has_its_value_where_the_template_has_it)
{
	static const struct {
		const char *template;
		bool is_text;
		const char *payload; /* NULL: refused */
	} rows[] = {
		{ "{{ value }}", false, "${raw}" },
		{ "{\"target\": {{ value | int }} }", false, "{\"target\": ${raw} }" },
		{ "{\"mode\": \"{{ value }}\"}", true, "{\"mode\": ${value}}" },
		{ "{\"mode\": \"{{ value }}\"}", false, "{\"mode\": \"${raw}\"}" },
		{ "{\"mode\": {{ value | tojson }}}", true, "{\"mode\": ${value}}" },
		{ "SET {{value}};", true, "SET ${raw};" },
		{ "fixed", false, NULL },
		{ "{{ value * 10 }}", false, NULL },
		{ "{% set x = value %}{{ x }}", false, NULL },
		{ "{{ value }} and {{ value }}", false, NULL },
		{ "${raw} {{ value }}", false, NULL },
		{ "{{ value", false, NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e;
		char *payload = NULL;
		int bad = hatemplate_command(rows[i].template, rows[i].is_text, &payload, &e);
		cr_expect_eq(bad < 0, rows[i].payload == NULL, "%s", rows[i].template);
		cr_expect(text_same(payload, rows[i].payload), "%s: %s", rows[i].template, payload ? payload : "none");
		mem_free(payload);
	}
}

Test(hatemplate, bytes_that_are_no_template_do_no_harm)
{
	static const char pieces[] = "{{}}%|()[]'\"\\.~-/ value_json.a0round(1)";
	unsigned seed = 7;
	for (int i = 0; i < 200000; i++) {
		char text[40];
		size_t size = (seed = seed * 1103515245U + 12345U) / 65536 % (sizeof(text) - 1);
		for (size_t k = 0; k < size; k++)
			text[k] = pieces[(seed = seed * 1103515245U + 12345U) / 65536 % (sizeof(pieces) - 1)];
		text[size] = '\0';
		char *path = NULL, *payload = NULL;
		int decimals;
		if (hatemplate_value(text, &path, &decimals, NULL) == 0 && path)
			cr_assert_eq(*path, '/', "%s", text);
		(void)hatemplate_command(text, i % 2, &payload, NULL);
		mem_free(path);
		mem_free(payload);
	}
}

static void expect_id(char *take, const char *expected)
{
	cr_expect_str_eq(take, expected);
	mem_free(take);
}

Test(haident, ids_are_legal_and_what_was_lost_is_a_number)
{
	expect_id(haident_of("zigbee2mqtt_0x00158D0001A2B3C4"), "zigbee2mqtt_0x00158d0001a2b3c4");
	expect_id(haident_of("-_x"), "x");
	char *first = haident_of("Küche (oben)"), *second = haident_of("Küche [oben]"), *none = haident_of("§");
	cr_expect(text_begins(first, "k-che--oben--") && text_begins(second, "k-che--oben--"), "%s %s", first, second);
	cr_expect_str_neq(first, second);
	cr_expect_eq(strlen(none), 8, "%s", none);
	mem_free(first);
	mem_free(second);
	mem_free(none);
	char longest[600];
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	char *id = haident_of(longest);
	cr_expect_leq(strlen(id), 130);
	mem_free(id);
}

Test(haident, a_point_is_called_what_its_device_is_not)
{
	expect_id(
		haident_point("0x00158d0001a2b3c4_temperature_zigbee2mqtt", "zigbee2mqtt_0x00158d0001a2b3c4", "sensor"),
		"temperature");
	expect_id(haident_point("A4CF12_RL_1", "a4cf12", "switch"), "rl_1");
	expect_id(haident_point("a4cf12aabbcc-sensor-1b2c3d4e", "a4cf12aabbcc", "sensor"), "sensor_1b2c3d4e");
	expect_id(haident_point("lamp", "lamp", "light"), "light");
	expect_id(haident_point("", "lamp", "light"), "light");
}

Test(hafilter, wants_what_fits_and_nothing_that_is_refused)
{
	static const struct {
		const char *patterns[3], *texts[2];
		bool wanted;
	} rows[] = {
		{ { 0 }, { "anything" }, true },
		{ { "zigbee2mqtt_*" }, { "zigbee2mqtt_0x1" }, true },
		{ { "zigbee2mqtt_*" }, { "tasmota" }, false },
		{ { "*AQARA*" }, { NULL, "Lumi Aqara T1" }, true },
		{ { "*", "!*_linkquality" }, { "0x1_linkquality" }, false },
		{ { "!*_linkquality" }, { "0x1_temperature" }, true },
		{ { "a?c" }, { "abc" }, true },
		{ { "a?c" }, { "ac" }, false },
		{ { "*a*a*a*a*a*b" }, { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }, false },
		{ { "" }, { "x" }, false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct value list[3];
		struct setting_values patterns = { list, 0 };
		for (size_t k = 0; k < 3 && rows[i].patterns[k]; k++)
			list[patterns.n++] = value_text(rows[i].patterns[k], strlen(rows[i].patterns[k]));
		cr_expect_eq(hafilter_wants(&patterns, rows[i].texts, 2), rows[i].wanted, "row %zu", i);
		for (size_t k = 0; k < patterns.n; k++)
			value_free(&list[k]);
	}
}
