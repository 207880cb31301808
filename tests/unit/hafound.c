#include "bridges/hafound.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "tests/lib/loads.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* What devices really publish, line by line "topic message", and what becomes of it: discovery/NAME.txt and NAME.conf. */

TestSuite(hafound, .timeout = 60);

struct hearing {
	struct hafound found;
	struct text notes;
	size_t n_notes;
};

static void note(void *ctx, const char *source, const char *why, bool strange)
{
	struct hearing *h = ctx;
	text_addf(&h->notes, "# %s%s: %s\n", strange ? "(never taken) " : "", source, why);
	h->n_notes++;
}

static void begin(struct hearing *h)
{
	static const struct setting_values all = { 0 };
	*h = (struct hearing){ 0 };
	h->found.rule = (struct hafound_rule){ .prefix = "homeassistant", .filter = &all, .most = 50 };
	h->found.note = note;
	h->found.ctx = h;
	hafound_begin(&h->found);
}

static void end(struct hearing *h)
{
	hafound_end(&h->found);
	text_free(&h->notes);
}

static void tell(struct hearing *h, const char *topic, const char *message)
{
	cr_expect(hafound_take(&h->found, topic, message, strlen(message)), "%s", topic);
}

static void print(struct hearing *h, const struct hafound_device *d, const char *bus, struct text *to)
{
	hafound_print_head(d, bus, to);
	text_add(to, " points = (\n    ");
	hafound_print_points(&h->found, d, ",\n    ", to);
	text_add(to, "\n  ); }");
}

/* All devices that changed, as a list of configuration. */
static char *print_all(struct hearing *h)
{
	struct text all = { 0 };
	const struct hafound_device *d;
	for (size_t n = 0; (d = hafound_next(&h->found)); n++) {
		text_add(&all, n ? ",\n  " : "  ");
		print(h, d, "broker", &all);
	}
	text_add(&all, "\n");
	return all.data;
}

static char *read_file(const char *name, const char *suffix)
{
	char path[512];
	struct text t = { 0 };
	size_t n;
	snprintf(path, sizeof(path), "%s/%s%s", DISCOVERY, name, suffix);
	FILE *file = fopen(path, "r");
	cr_assert_not_null(file, "%s", path);
	do {
		text_reserve(&t, 4096);
		n = fread(t.data + t.size, 1, 4096, file);
		t.size += n;
	} while (n);
	t.data[t.size] = '\0';
	fclose(file);
	return t.data;
}

static void looks_like(const char *name, bool hidden, size_t n_devices)
{
	struct hearing h;
	begin(&h);
	h.found.rule.hidden = hidden;
	char *lines = read_file(name, ".txt"), *rest = lines, *line;
	while ((line = strsep(&rest, "\n")) && *line) {
		char *space = strchr(line, ' ');
		*space = '\0';
		tell(&h, line, space + 1);
	}
	char *all = print_all(&h);
	char *both = mem_format("%s%s", h.notes.data ? h.notes.data : "", all);
	char *golden = read_file(name, hidden ? ".all.conf" : ".conf");
	cr_expect_str_eq(both, golden, "%s is now\n%s", name, both);
	loads_devices(all, n_devices);
	mem_free(golden);
	mem_free(both);
	mem_free(all);
	mem_free(lines);
	end(&h);
}

Test(hafound, zigbee2mqtt)
{
	looks_like("zigbee2mqtt", false, 4);
}

Test(hafound, zigbee2mqtt_with_what_is_diagnostic)
{
	looks_like("zigbee2mqtt", true, 4);
}

Test(hafound, tasmota)
{
	looks_like("tasmota", false, 1);
}

Test(hafound, esphome)
{
	looks_like("esphome", false, 1);
}

Test(hafound, a_message_about_a_whole_device)
{
	looks_like("whole_device", false, 2);
}

/* --- its life --- */

static const char lamp[] = "homeassistant/switch/lamp/config", lux[] = "homeassistant/sensor/lamp/lux/config";

static char *said(const char *device, const char *unique, const char *topic)
{
	return mem_format("{\"state_topic\": \"%s\", \"command_topic\": \"%s/set\", \"unit_of_measurement\": \"lx\","
			  " \"unique_id\": \"%s\", \"device\": {\"identifiers\": \"%s\"}}",
			  topic, topic, unique, device);
}

static void tell_point(struct hearing *h, const char *topic, const char *device, const char *unique, const char *state)
{
	char *message = said(device, unique, state);
	tell(h, topic, message);
	mem_free(message);
}

static size_t changed(struct hearing *h)
{
	size_t n = 0;
	while (hafound_next(&h->found))
		n++;
	return n;
}

static void tell_of(struct hearing *h, int device, bool there)
{
	char topic[80], message[160];
	snprintf(topic, sizeof(topic), "homeassistant/sensor/d%d/t/config", device);
	snprintf(message, sizeof(message),
		 "{\"uniq_id\":\"d%d_t\",\"stat_t\":\"d%d/t\",\"dev\":{\"ids\":[\"d%d\"]}}", device, device, device);
	tell(h, topic, there ? message : "");
	mem_free(print_all(h));
}

Test(hafound, devices_that_were_taken_back_leave_their_places_to_others)
{
	struct hearing h;
	begin(&h);
	h.found.rule.most = 5;
	for (int i = 0; i < 40; i++) {
		tell_of(&h, i, true);
		cr_expect_eq(h.n_notes, 0, "%d: %s", i, h.notes.data ? h.notes.data : "");
		if (i >= 4)
			tell_of(&h, i - 4, false);
	}
	cr_expect_leq(h.found.devices.n, 5);
	cr_expect(hafound_find(&h.found, "d39"));
	for (int i = 40; i < 43; i++)
		tell_of(&h, i, true);
	cr_expect_eq(h.n_notes, 1, "the bound holds, and is said once");
	end(&h);
}

Test(hafound, what_is_said_again_changes_nothing)
{
	struct hearing h;
	begin(&h);
	tell_point(&h, lamp, "d", "a", "t");
	tell_point(&h, lux, "d", "b", "t");
	cr_expect_eq(changed(&h), 1);
	tell_point(&h, lamp, "d", "a", "t");
	cr_expect_eq(changed(&h), 0);
	tell_point(&h, lamp, "d", "a", "elsewhere");
	cr_expect_eq(changed(&h), 1);
	end(&h);
}

Test(hafound, what_is_taken_back_is_gone)
{
	struct hearing h;
	begin(&h);
	tell_point(&h, lamp, "d", "a", "t");
	tell_point(&h, lux, "d", "b", "t");
	cr_expect_eq(changed(&h), 1);
	tell(&h, lux, "");
	const struct hafound_device *d = hafound_next(&h.found);
	cr_assert_not_null(d);
	cr_expect(hafound_has(d, "a") && !hafound_has(d, "b"));
	tell(&h, lamp, "");
	d = hafound_next(&h.found);
	cr_assert_not_null(d);
	cr_expect_eq(d->n_points, 0);
	cr_expect(hafound_knows(&h.found, "switch/lamp"));
	cr_expect(!hafound_knows(&h.found, "switch/other"));
	end(&h);
}

Test(hafound, two_that_would_be_one_are_told_apart_and_reported)
{
	struct hearing h;
	begin(&h);
	tell_point(&h, lamp, "A4CF", "a", "t");
	tell_point(&h, lux, "a4cf", "b", "t");
	cr_expect_eq(h.found.devices.n, 1);
	cr_expect_str_eq(h.notes.data,
			 "# sensor/lamp/lux: its device 'a4cf' would have the id of 'A4CF', which was first\n");
	text_clear(&h.notes);
	tell_point(&h, lux, "A4CF", "a", "u");
	cr_expect_str_eq(h.notes.data, "# sensor/lamp/lux: its device has a point of this id already\n");
	tell_point(&h, lux, "A4CF", "a", "u");
	cr_expect_eq(h.n_notes, 2, "a line for what is new only");
	end(&h);
}

Test(hafound, no_more_devices_than_the_limit)
{
	struct hearing h;
	begin(&h);
	h.found.rule.most = 10;
	for (int i = 0; i < 1000; i++) {
		char topic[80], id[20];
		snprintf(topic, sizeof(topic), "homeassistant/sensor/n%d/config", i);
		snprintf(id, sizeof(id), "n%d", i);
		tell_point(&h, topic, id, "a", "t");
	}
	cr_expect_eq(h.found.devices.n, 10);
	cr_expect_eq(h.n_notes, 1, "%s", h.notes.data);
	end(&h);
}

Test(hafound, no_more_points_than_the_limit)
{
	struct hearing h;
	begin(&h);
	for (int i = 0; i < LIMIT_FOUND_POINTS + 5; i++) {
		char topic[80], id[20];
		snprintf(topic, sizeof(topic), "homeassistant/sensor/n%d/config", i);
		snprintf(id, sizeof(id), "p%d", i);
		tell_point(&h, topic, "d", id, "t");
	}
	cr_expect_eq(hafound_next(&h.found)->n_points, LIMIT_FOUND_POINTS);
	cr_expect_eq(h.n_notes, 5);
	end(&h);
}

Test(hafound, no_more_messages_than_the_limit)
{
	struct hearing h;
	begin(&h);
	for (int i = 0; i < LIMIT_FOUND_SOURCES + 100; i++) {
		char topic[80];
		snprintf(topic, sizeof(topic), "homeassistant/sensor/n%d/config", i);
		tell(&h, topic, "");
	}
	cr_expect_eq(h.found.sources.n, LIMIT_FOUND_SOURCES);
	cr_expect_eq(h.n_notes, 1, "%s", h.notes.data);
	end(&h);
}

Test(hafound, no_more_bytes_than_the_limit)
{
	struct hearing h;
	struct text message = { 0 };
	begin(&h);
	text_add(&message, "{\"command_topic\": \"a\", \"options\": [");
	for (int i = 0; i < LIMIT_FOUND_CHOICES; i++)
		text_addf(&message, "%s\"%0200d\"", i ? ", " : "", i);
	text_addf(&message, "], \"device\": {\"identifiers\": \"d\"}, \"unique_id\": \"");
	size_t begins = message.size;
	for (int i = 0; i < 3000; i++) {
		char topic[80];
		snprintf(topic, sizeof(topic), "homeassistant/select/n%d/config", i);
		message.size = begins;
		text_addf(&message, "u%d\", \"device\": {\"identifiers\": \"d%d\"}}", i, i / 100);
		tell(&h, topic, message.data);
	}
	cr_expect_leq(h.found.n_bytes, LIMIT_FOUND_BYTES);
	cr_expect_eq(h.n_notes, 1, "%s", h.notes.data);
	for (int i = 0; i < 3000; i++) {
		char topic[80];
		snprintf(topic, sizeof(topic), "homeassistant/select/n%d/config", i);
		tell(&h, topic, "");
	}
	cr_expect_eq(h.found.n_bytes, 0);
	text_free(&message);
	end(&h);
}

Test(hafound, topics_of_others_are_left_alone)
{
	static const char *const others[] = { "homeassistant/status",
					      "homeassistant/config",
					      "homeassistant/sensor/config",
					      "homeassistant2/sensor/a/config",
					      "zigbee2mqtt/lamp",
					      "homeassistant/sensor/a/state",
					      "homeassistant",
					      "",
					      "homeassistant//config" };
	struct hearing h;
	begin(&h);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_expect(!hafound_take(&h.found, others[i], "{}", 2), "%s", others[i]);
	cr_expect_eq(h.found.sources.n, 0);
	end(&h);
}

/* --- strangers --- */

static void expect_left_out(const char *message)
{
	struct hearing h;
	begin(&h);
	tell(&h, lamp, message);
	cr_expect_eq(h.found.devices.n, 0, "%s", message);
	cr_expect_eq(h.n_notes, 1, "%s: %s", message, h.notes.data);
	end(&h);
}

Test(hafound, hostile_messages_are_left_out_with_a_line)
{
	static const char *const rows[] = {
		"[",
		"7",
		"[]",
		"\"x\"",
		"{}",
		"{\"state_topic\": 7}",
		"\xff\xfe",
		"{\"state_topic\": \"a\", \"command_topic\": {}}",
		"{\"command_topic\": \"a/#\"}",
		"{\"command_topic\": \"$SYS/x\"}",
		"{\"command_topic\": \"a\\u0000b\"}",
		"{\"command_topic\": \"a\\u0007b\"}",
		"{\"command_topic\": \"~/a\", \"~\": [1]}",
		"{\"command_topic\": \"~/a\"}",
		"{\"command_topic\": \"a\", \"payload_on\": \"x\", \"payload_off\": \"x\"}",
		"{\"command_topic\": \"a\", \"payload_on\": \"\", \"state_on\": \"\"}",
		"{\"command_topic\": \"a\", \"availability_topic\": \"+\"}",
		"{\"command_topic\": \"a\", \"availability\": [{\"topic\": \"b\", \"value_template\": \"{% if x "
		"%}\"}]}",
		"{\"command_topic\": \"a\", \"device\": {\"identifiers\": [\"\\u0001\"]}}",
		"{\"command_topic\": \"a\", \"state_topic\": \"b\", \"value_template\": \"{{ now() }}\"}",
		"{\"command_topic\": \"a\", \"state_topic\": \"a\"}",
		"{\"command_topic\": \"a/${unit}\"}",
		"{\"command_topic\": \"a\", \"name\": \"${level}\"}",
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_left_out(rows[i]);
}

Test(hafound, what_is_too_long_or_too_deep_is_left_out)
{
	struct text t = { 0 };
	text_add(&t, "{\"command_topic\": \"");
	for (int i = 0; i <= LIMIT_FOUND_TEXT; i++)
		text_add(&t, "a");
	text_add(&t, "\"}");
	expect_left_out(t.data);
	text_clear(&t);
	for (int i = 0; i < 30000; i++)
		text_add(&t, "[");
	expect_left_out(t.data);
	text_clear(&t);
	text_add(&t, "{\"command_topic\": \"a\", \"x\": \"");
	while (t.size <= LIMIT_PAYLOAD)
		text_add(&t, "0123456789");
	text_add(&t, "\"}");
	expect_left_out(t.data);
	text_free(&t);
}

Test(hafound, a_message_cannot_write_configuration)
{
	struct hearing h;
	begin(&h);
	tell(&h, lamp,
	     "{\"command_topic\": \"a\\\"; qos = 2; x = \\\"\", \"name\": \"n\\\"; } ); } # \\n @include \\\"x\\\"\","
	     " \"unique_id\": \"u\\\"; } // ${raw}\", \"payload_on\": \"\\\\\\\" ${raw}\"}");
	char *all = print_all(&h);
	loads_devices(all, 1);
	mem_free(all);
	end(&h);
}

/* Any change of a byte of what real devices say: whatever is printed is a configuration. */
Test(hafound, mutated_messages_print_nothing_that_does_not_load)
{
	char *lines = read_file("zigbee2mqtt", ".txt"), *rest = lines, *line;
	static const char bytes[] = "\"{}[]:,\\~0aZ\x80/#";
	unsigned seed = 1;
	struct hearing h;
	begin(&h);
	while ((line = strsep(&rest, "\n")) && *line) {
		char *space = strchr(line, ' ');
		size_t size = strlen(space + 1);
		*space = '\0';
		for (int i = 0; i < 60; i++) {
			char topic[200], *copy = mem_text(space + 1);
			for (int k = 0; k < 3; k++) {
				seed = seed * 1103515245U + 12345U;
				copy[seed / 256 % size] = bytes[seed / 65536 % (sizeof(bytes) - 1)];
			}
			snprintf(topic, sizeof(topic), "%.*s%d/config", (int)(strlen(line) - strlen("/config")), line,
				 i);
			(void)hafound_take(&h.found, topic, copy, size);
			mem_free(copy);
		}
	}
	size_t n = h.found.n_changed;
	char *all = print_all(&h);
	if (n)
		loads_devices(all, n);
	mem_free(all);
	mem_free(lines);
	end(&h);
}
