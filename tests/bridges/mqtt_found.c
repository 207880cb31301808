#include "bridges/mqtt_rows.h"
#include "core/base/limits.h"
#include "tests/bridges/mqtt_site.h"
#include "tests/peers/real_broker.h"

#include <stdio.h>
#include <time.h>

/* Devices that tell of themselves, and points that come and go while the bus is up. */

TestSuite(mqtt_found, .timeout = 60);

/* --- what the core is told --- */

struct told {
	struct text all; /* "key: block\n" or "key gone\n", in the order of their coming */
	size_t n, n_gone;
	char key[64];
	struct text last;
};

static void on_found(struct rig *rig, const char *key, const char *block)
{
	struct told *t = rig->ctx;
	text_addf(&t->all, "%s%s%s\n", key, block ? ": " : " gone", block ? block : "");
	t->n++;
	t->n_gone += block == NULL;
	snprintf(t->key, sizeof(t->key), "%s", key);
	text_clear(&t->last);
	text_add(&t->last, block ? block : "");
}

struct scene {
	struct mqtt_site site;
	struct real_broker broker;
	struct told told;
};

static void begin(struct scene *s, const char *options)
{
	char all[300];
	snprintf(all, sizeof(all), "discovery=homeassistant; %s", options);
	s->site.peer = NULL;
	s->told = (struct told){ 0 };
	mqtt_site_begin_at(&s->site, s->broker.port, all);
	s->site.rig->on_found = on_found;
	s->site.rig->ctx = &s->told;
}

static void end(struct scene *s)
{
	mqtt_site_end(&s->site);
	text_free(&s->told.all);
	text_free(&s->told.last);
	real_broker_end(&s->broker);
}

static void keep(struct scene *s, const char *component, const char *object, const char *device, const char *more)
{
	char topic[128], message[512];
	snprintf(topic, sizeof(topic), "homeassistant/%s/%s/%s/config", component, device, object);
	snprintf(message, sizeof(message),
		 "{\"unique_id\": \"%s_%s\", \"state_topic\": \"house/%s\", \"unit_of_measurement\": \"W\", "
		 "\"value_template\":"
		 " \"{{ value_json.%s }}\", \"device\": {\"identifiers\": [\"%s\"]}%s}",
		 device, object, device, object, device, more);
	real_broker_publish(&s->broker, topic, more ? message : "", true);
}

Test(mqtt_found, the_points_of_a_device_are_told_as_one_block)
{
	struct scene s;
	real_broker_begin(&s.broker, NULL, NULL);
	keep(&s, "sensor", "power", "plug1", "");
	keep(&s, "sensor", "energy", "plug1", ", \"state_class\": \"total\"");
	keep(&s, "sensor", "rssi", "plug1", ", \"entity_category\": \"diagnostic\"");
	begin(&s, "");
	mqtt_site_up(&s.site);
	RIG_UNTIL(s.site.rig, s.told.n);
	cr_expect_str_eq(s.told.key, "homeassistant/plug1");
	cr_expect_str_eq(s.told.last.data,
			 "{ id = \"plug1\"; points = (\n"
			 "{ id = \"energy\"; unit = \"W\"; type = \"real\"; kind = \"counter\"; topic = "
			 "\"house/plug1\"; path = \"/energy\";"
			 " discovered = \"sensor/plug1/energy\"; },\n"
			 "{ id = \"power\"; unit = \"W\"; type = \"real\"; topic = \"house/plug1\"; path = \"/power\";"
			 " discovered = \"sensor/plug1/power\"; }); }");
	keep(&s, "sensor", "voltage", "plug1", "");
	RIG_UNTIL(s.site.rig, s.told.n == 2);
	cr_expect_not_null(strstr(s.told.last.data, "voltage"));
	real_broker_publish(&s.broker, "homeassistant/sensor/plug1/power/config", "", true);
	RIG_UNTIL(s.site.rig, s.told.n == 3);
	cr_expect_null(strstr(s.told.last.data, "power"));
	cr_expect_not_null(strstr(s.told.last.data, "voltage"));
	real_broker_publish(&s.broker, "homeassistant/sensor/plug1/voltage/config", "", true);
	real_broker_publish(&s.broker, "homeassistant/sensor/plug1/energy/config", "", true);
	RIG_UNTIL(s.site.rig, s.told.n_gone);
	end(&s);
}

Test(mqtt_found, a_filter_a_limit_and_what_is_diagnostic)
{
	struct scene s;
	real_broker_begin(&s.broker, NULL, NULL);
	keep(&s, "sensor", "rssi", "plug1", ", \"entity_category\": \"diagnostic\"");
	keep(&s, "sensor", "power", "plug2", "");
	keep(&s, "sensor", "power", "plug3", "");
	keep(&s, "sensor", "power", "other", "");
	begin(&s, "discovery_diagnostic=true; discovery_limit=2");
	struct mqtt_bus *bus = s.site.rig->bus->options;
	bus->discovery_filter.list = mem_array(1, sizeof(struct value));
	bus->discovery_filter.list[0] = value_text("plug*", 5);
	bus->discovery_filter.n = 1;
	mqtt_site_up(&s.site);
	RIG_UNTIL(s.site.rig, s.told.n == 2);
	mqtt_site_let_be(&s.site, 1500);
	cr_expect_eq(s.told.n, 2);
	cr_expect_null(strstr(s.told.all.data, "other"));
	cr_expect_eq(mqtt_site_logged(&s.site, "there are as many devices as discovery_limit allows"), 1);
	end(&s);
}

Test(mqtt_found, what_is_not_understood_is_logged_once)
{
	struct scene s;
	real_broker_begin(&s.broker, NULL, NULL);
	keep(&s, "sensor", "bad", "plug1", ", \"value_template\": \"{% if x %}\"");
	keep(&s, "sensor", "power", "plug1", "");
	begin(&s, "");
	mqtt_site_up(&s.site);
	RIG_UNTIL(s.site.rig, s.told.n);
	keep(&s, "sensor", "bad", "plug1", ", \"value_template\": \"{% if x %}\"");
	mqtt_site_let_be(&s.site, 1200);
	cr_expect_eq(mqtt_site_logged(&s.site, "bus 'bus': discovery: 'sensor/plug1/bad' is left out: the template"),
		     1);
	cr_expect_eq(s.told.n, 1);
	end(&s);
}

/* domoticz#6754: 49 devices kept 1104 messages, which overflowed a buffer for 1000. */
static void flood(void *ctx, size_t i, char topic[256], char payload[2048])
{
	(void)ctx;
	snprintf(topic, 256, "homeassistant/sensor/0x%04zx/p%zu/config", i / 23, i % 23);
	snprintf(payload, 2048,
		 "{\"availability\":[{\"topic\":\"zigbee2mqtt/bridge/state\",\"value_template\":\"{{ value_json.state "
		 "}}\"}],"
		 "\"device\":{\"identifiers\":[\"zigbee2mqtt_0x%04zx\"],\"manufacturer\":\"Aqara\",\"model\":"
		 "\"Sensor\",\"name\":\"n%zu\"},"
		 "\"device_class\":\"temperature\",\"enabled_by_default\":true,\"object_id\":\"x\",\"origin\":{"
		 "\"name\":\"Zigbee2MQTT\"},"
		 "\"state_class\":\"measurement\",\"state_topic\":\"zigbee2mqtt/"
		 "n%zu\",\"unique_id\":\"0x%04zx_p%zu_zigbee2mqtt\","
		 "\"unit_of_measurement\":\"°C\",\"value_template\":\"{{ value_json.p%zu }}\"}",
		 i / 23, i / 23, i / 23, i / 23, i % 23, i % 23);
}

static int64_t cpu_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

Test(mqtt_found, a_thousand_kept_messages_at_once_neither_block_nor_get_lost)
{
	struct scene s;
	int64_t longest = 0;
	real_broker_begin(&s.broker, NULL, NULL);
	real_broker_keep(&s.broker, 1104, flood, NULL);
	begin(&s, "");
	mqtt_site_up(&s.site);
	while (s.told.n < 48) { /* processor time, so that the load of the machine is not measured */
		int64_t before = cpu_ms();
		loop_turn(s.site.rig->loop);
		int64_t turn = cpu_ms() - before;
		longest = turn > longest ? turn : longest;
	}
	mqtt_site_let_be(&s.site, 100);
	cr_expect_eq(s.told.n, 48, "each device once");
	size_t points = 0;
	for (const char *at = s.told.all.data; (at = strstr(at, "discovered = ")); at++)
		points++;
	cr_expect_eq(points, 1104);
	cr_expect_leq(longest, 50, "%lld ms", (long long)longest);
	end(&s);
}

/* --- what runs already --- */

Test(mqtt_found, a_point_stays_until_the_message_that_told_of_it_says_something_else)
{
	struct scene s;
	real_broker_begin(&s.broker, NULL, NULL);
	begin(&s, "");
	struct device *d = rig_device(s.site.rig, "plug1", "topic=house/plug1");
	rig_point(s.site.rig, d, "power", TYPE_REAL, "path=/power; discovered=sensor/plug1/power");
	rig_point(s.site.rig, d, "energy", TYPE_REAL, "path=/energy; discovered=sensor/plug1/energy");
	d = rig_device(s.site.rig, "alone", "topic=house/alone");
	rig_point(s.site.rig, d, "x", TYPE_REAL, "discovered=sensor/alone/x");
	rig_point(s.site.rig, d, "y", TYPE_REAL, "discovered=sensor/alone/y");
	mqtt_site_up(&s.site);
	mqtt_site_let_be(&s.site, 1500);
	cr_expect_eq(s.told.n, 0, "the broker has forgotten all, and nothing changes");
	keep(&s, "sensor", "power", "plug1", ", \"name\": \"Power\"");
	RIG_UNTIL(s.site.rig, s.told.n == 1);
	cr_expect_not_null(strstr(s.told.last.data, "id = \"power\"; name = \"Power\""));
	cr_expect_not_null(strstr(s.told.last.data, "id = \"energy\""));
	real_broker_publish(&s.broker, "homeassistant/sensor/plug1/energy/config", "", true);
	RIG_UNTIL(s.site.rig, s.told.n == 2);
	cr_expect_null(strstr(s.told.last.data, "energy"));
	real_broker_publish(&s.broker, "homeassistant/sensor/alone/x/config", "", true);
	RIG_UNTIL(s.site.rig, s.told.n == 3);
	cr_expect_not_null(strstr(s.told.last.data, "id = \"y\""));
	cr_expect_null(strstr(s.told.last.data, "id = \"x\""));
	real_broker_publish(&s.broker, "homeassistant/sensor/alone/y/config", "", true);
	RIG_UNTIL(s.site.rig, s.told.n_gone);
	end(&s);
}

Test(mqtt_found, what_was_found_goes_when_discovery_is_switched_off)
{
	struct scene s;
	real_broker_begin(&s.broker, NULL, NULL);
	begin(&s, "discovery=none");
	struct device *d = rig_device(s.site.rig, "plug1", "topic=house/plug1");
	rig_point(s.site.rig, d, "power", TYPE_REAL, "path=/power; discovered=sensor/plug1/power");
	mqtt_site_up(&s.site);
	RIG_UNTIL(s.site.rig, s.told.n);
	cr_expect_str_eq(s.told.all.data, "homeassistant/plug1 gone\n");
	end(&s);
}

/* --- points that come and go --- */

static void set_points(struct rig *rig, struct point **points, size_t n)
{
	rig->bridge->points = mem_resize(rig->bridge->points, (n ? n : 1) * sizeof(struct point *));
	for (size_t i = 0; i < n; i++)
		rig->bridge->points[i] = points[i];
	rig->bridge->n_points = n;
	rig->driver->change(rig->bridge);
}

Test(mqtt_found, points_come_and_go_without_a_new_connection)
{
	struct mqtt_site s;
	mqtt_site_begin(&s, "");
	struct point *stays = mqtt_site_point(&s, "stays", TYPE_INT, "path=/a"),
		     *goes = mqtt_site_point(&s, "goes", TYPE_INT, "path=/b"),
		     *shared = mqtt_site_point(&s, "shared", TYPE_INT, "topic=house/other");
	struct device *away = rig_device(s.rig, "away", "topic=house/away; availability.topic=~/availability");
	struct point *late = rig_point(s.rig, away, "late", TYPE_INT, "");
	mqtt_site_up(&s);
	mqtt_site_tell(&s, "house/lamp", "{\"a\": 1, \"b\": 1}");
	mqtt_site_tell(&s, "house/other", "1");
	mqtt_site_tell(&s, "house/away", "1");
	SHOWS(goes, "1 good");
	SHOWS(late, "1 good");
	unsigned topics = mqtt_broker_counts(s.peer).topics;
	struct point *fewer[] = { s.mark, stays }, *all[] = { s.mark, stays, goes, shared, late };
	for (size_t i = 2; i < 5; i++)
		s.rig->driver->listen(s.rig->bridge, all[i], false);
	set_points(s.rig, fewer, 2);
	mqtt_site_tell(&s, "house/lamp", "{\"a\": 2, \"b\": 2}");
	mqtt_site_tell(&s, "house/other", "2");
	mqtt_site_tell(&s, "house/away/availability", "offline");
	SHOWS(stays, "2 good");
	SHOWS(goes, "1 good");
	SHOWS(shared, "1 good");
	SHOWS(late, "1 good");
	set_points(s.rig, all, 5);
	for (size_t i = 2; i < 5; i++)
		s.rig->driver->listen(s.rig->bridge, all[i], true);
	do {
		mqtt_site_let_be(&s, 5);
	} while (mqtt_broker_counts(s.peer).topics < topics + 3);
	mqtt_site_tell(&s, "house/lamp", "{\"a\": 3, \"b\": 3}");
	mqtt_site_tell(&s, "house/other", "3");
	mqtt_site_tell(&s, "house/away", "3");
	SHOWS(stays, "3 good");
	SHOWS(goes, "3 good");
	SHOWS(shared, "3 good");
	SHOWS(late, "3 good");
	mqtt_site_tell(&s, "house/away/availability", "offline");
	SHOWS(late, "3 bad: cannot be reached");
	cr_expect_eq(mqtt_broker_counts(s.peer).connects, 1);
	mqtt_site_end(&s);
}

Test(mqtt_found, a_topic_that_goes_while_its_subscription_is_on_the_way_does_no_harm)
{
	struct mqtt_site s;
	mqtt_site_begin(&s, "");
	struct point *goes = mqtt_site_point(&s, "goes", TYPE_INT, "topic=house/other");
	rig_start(s.rig);
	RIG_UNTIL(s.rig, s.rig->bridge->state == BRIDGE_UP);
	loop_turn(s.rig->loop); /* the subscription is sent, not answered */
	s.rig->driver->listen(s.rig->bridge, goes, false);
	set_points(s.rig, &s.mark, 1);
	mqtt_site_wait(&s);
	cr_expect_eq(goes->last.quality, QUALITY_UNKNOWN);
	mqtt_site_end(&s);
}

/* --- levels of topics that name a device --- */

static void add_pattern(struct rig *rig, const char *id, const char *filter)
{
	struct bus *bus = rig->bus;
	bus->patterns = mem_resize(bus->patterns, (bus->n_patterns + 1) * sizeof(*bus->patterns));
	struct pattern *p = &bus->patterns[bus->n_patterns++];
	*p = (struct pattern){ .id = mem_text(id), .text = mem_text(""), .filters = mem_array(1, sizeof(char *)) };
	p->filters[p->n_filters++] = mem_text(filter);
}

Test(mqtt_found, each_level_of_a_pattern_is_told_once)
{
	struct scene s;
	real_broker_begin(&s.broker, NULL, NULL);
	begin(&s, "discovery=none");
	add_pattern(s.site.rig, "plug-${level}", "tele/+/SENSOR");
	mqtt_site_up(&s.site);
	while (s.told.n == 0) {
		real_broker_publish(&s.broker, "tele/Kitchen \"Lamp\"/SENSOR", "1", false);
		mqtt_site_let_be(&s.site, 20);
	}
	cr_expect_str_eq(s.told.all.data,
			 "plug-${level}/Kitchen \"Lamp\": { like = \"plug-${level}\"; level = \"Kitchen"
			 " \\\"Lamp\\\"\"; }\n");
	real_broker_publish(&s.broker, "tele/Kitchen \"Lamp\"/SENSOR", "2", false);
	real_broker_publish(&s.broker, "tele/Kitchen \"Lamp\"/STATE", "2", false);
	real_broker_publish(&s.broker, "tele//SENSOR", "2", false);
	real_broker_publish(&s.broker, "tele/a/b/SENSOR", "2", false);
	real_broker_publish(&s.broker, "tele/hall/SENSOR", "2", false);
	RIG_UNTIL(s.site.rig, s.told.n == 2);
	cr_expect_str_eq(s.told.key, "plug-${level}/hall");
	end(&s);
}

Test(mqtt_found, two_levels_that_would_be_one_jid_are_reported_once)
{
	struct scene s;
	real_broker_begin(&s.broker, NULL, NULL);
	begin(&s, "discovery=none");
	add_pattern(s.site.rig, "plug-${level}", "tele/+/SENSOR");
	struct device *d = rig_device(s.site.rig, "plug-cellar", "topic=tele/Cellar");
	d->level = mem_text("Cellar");
	d->found = mem_text("plug-${level}/Cellar");
	rig_point(s.site.rig, d, "power", TYPE_REAL, "");
	real_broker_publish(&s.broker, "tele/Hall/SENSOR", "1", true);
	mqtt_site_up(&s.site);
	RIG_UNTIL(s.site.rig, s.told.n == 1);
	for (int i = 0; i < 2; i++) {
		real_broker_publish(&s.broker, "tele/hall/SENSOR", "2", false);
		real_broker_publish(&s.broker, "tele/cellar/SENSOR", "2", false);
		real_broker_publish(&s.broker, "tele/Cellar/SENSOR", "2", false);
	}
	real_broker_publish(&s.broker, "tele/last/SENSOR", "2", false);
	RIG_UNTIL(s.site.rig, s.told.n == 2);
	cr_expect_eq(mqtt_site_logged(&s.site, "bus 'bus': 'plug-${level}/hall' is left out: its id would be that of"
					       " 'plug-${level}/Hall', which was first"),
		     1);
	cr_expect_eq(mqtt_site_logged(&s.site, "bus 'bus': 'plug-${level}/cellar' is left out: its id would be that of"
					       " 'plug-${level}/Cellar', which was first"),
		     1);
	end(&s);
}

static void flood_levels(void *ctx, size_t i, char topic[256], char payload[2048])
{
	(void)ctx;
	snprintf(topic, 256, "tele/%zu/SENSOR", i);
	snprintf(payload, 2048, "1");
}

Test(mqtt_found, no_more_levels_than_the_limit)
{
	struct scene s;
	real_broker_begin(&s.broker, NULL, NULL);
	real_broker_keep(&s.broker, LIMIT_UNITS + 50, flood_levels, NULL);
	begin(&s, "discovery=none");
	add_pattern(s.site.rig, "plug-${level}", "tele/+/SENSOR");
	mqtt_site_up(&s.site);
	while (mqtt_site_logged(&s.site, "more than 1000 levels") == 0)
		loop_turn(s.site.rig->loop);
	mqtt_site_let_be(&s.site, 200);
	cr_expect_eq(s.told.n, LIMIT_UNITS);
	cr_expect_eq(mqtt_site_logged(&s.site, "more than 1000 levels"), 1);
	end(&s);
}

/* --- words that differ, and availability of more than one --- */

Test(mqtt_found, a_device_is_away_when_its_bridge_says_so)
{
	struct mqtt_site s;
	mqtt_site_begin(&s, "");
	struct device *d = rig_device(s.rig, "bulb", "topic=z/bulb; availability.topic=~/availability");
	struct mqtt_availability *a = &((struct mqtt_device *)d->options)->availability;
	a->also = mem_array(1, sizeof(*a->also));
	a->n_also = 1;
	a->also[0] = (struct mqtt_watch){ mem_text("z/bridge/state"), mem_text("/state"), mem_text("online"),
					  mem_text("offline") };
	struct point *p = rig_point(s.rig, d, "lux", TYPE_INT, "");
	mqtt_site_up(&s);
	mqtt_site_tell(&s, "z/bulb", "7");
	mqtt_site_tell(&s, "z/bulb/availability", "online");
	SHOWS(p, "7 good");
	mqtt_site_tell(&s, "z/bridge/state", "{\"state\": \"offline\"}");
	SHOWS(p, "7 bad: cannot be reached");
	mqtt_site_tell(&s, "z/bulb/availability", "online");
	SHOWS(p, "7 bad: cannot be reached");
	mqtt_site_tell(&s, "z/bridge/state", "{\"state\": \"online\"}");
	mqtt_site_tell(&s, "z/bulb", "8");
	SHOWS(p, "8 good");
	mqtt_site_end(&s);
}

Test(mqtt_found, what_is_written_may_have_other_words_than_what_is_heard)
{
	struct mqtt_site s;
	mqtt_site_begin(&s, "");
	struct point *p = mqtt_site_point(&s, "led", TYPE_BOOL,
					  "path=/led; on=ENABLE; off=DISABLE; write.topic=~/set; write.payload=${raw};"
					  " write.on={\"led\": \"ENABLE\"}; write.off={\"led\": \"DISABLE\"}");
	mqtt_site_up(&s);
	cr_expect_eq(rig_write(s.rig, p, "true"), REQUEST_DONE);
	cr_expect_str_eq(mqtt_broker_counts(s.peer).payload, "{\"led\": \"ENABLE\"}");
	mqtt_site_tell(&s, "house/lamp", "{\"led\": \"DISABLE\"}");
	SHOWS(p, "false good");
	mqtt_site_end(&s);
}
