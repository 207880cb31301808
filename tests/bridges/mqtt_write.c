#include "tests/bridges/mqtt_site.h"

#include <stdlib.h>

TestSuite(mqtt_write, .timeout = 60);

static const struct {
	enum type type;
	const char *options, *shown, *payload;
} rows[] = {
	{ TYPE_INT, "write.payload=${raw}", "50", "50" },
	{ TYPE_REAL, "write.payload={\"t\": ${value}}", "21.50", "{\"t\": 21.50}" },
	{ TYPE_BOOL, "on=ON; off=OFF; write.payload={\"state\": ${value}}", "true", "{\"state\": \"ON\"}" },
	{ TYPE_BOOL, "write.payload={\"state\": ${value}}", "off", "{\"state\": false}" },
	{ TYPE_TEXT, "write.payload={\"text\": ${value}}", "say \"hi\"", "{\"text\": \"say \\\"hi\\\"\"}" },
	{ TYPE_TEXT, "write.payload=${raw}", "say \"hi\"", "say \"hi\"" },
	{ TYPE_INT, "", "7", "7" },
};

static void publishes(const char *version, int qos)
{
	struct mqtt_site s;
	char options[256];
	struct point *points[sizeof(rows) / sizeof(rows[0])];
	mqtt_site_begin(&s, version);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(options, sizeof(options), "write.topic=~/set/%zu; write.qos=%d; %s", i, qos, rows[i].options);
		points[i] = mqtt_site_point(&s, "p", rows[i].type, options);
	}
	mqtt_site_up(&s);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char topic[64];
		snprintf(topic, sizeof(topic), "house/lamp/set/%u", i);
		cr_expect_eq(rig_write(s.rig, points[i], rows[i].shown), REQUEST_DONE);
		RIG_UNTIL(s.rig, mqtt_broker_counts(s.peer).publishes == i + 1);
		cr_expect_str_eq(mqtt_broker_counts(s.peer).payload, rows[i].payload);
		cr_expect_str_eq(mqtt_broker_counts(s.peer).topic, topic);
		SHOWS(points[i], " unknown");
	}
	mqtt_site_end(&s);
}

Test(mqtt_write, publishes_with_qos_0)
{
	publishes("", 0);
}

Test(mqtt_write, publishes_with_qos_1)
{
	publishes("version=3.1.1", 1);
}

Test(mqtt_write, publishes_with_qos_2)
{
	publishes("", 2);
}

Test(mqtt_write, is_not_done_before_the_broker_has_it)
{
	struct mqtt_site s;
	struct rig_ask a = { 0 };
	mqtt_site_begin(&s, "");
	struct point *dim = mqtt_site_point(&s, "dim", TYPE_INT, "write.topic=~/set");
	mqtt_site_up(&s);
	mqtt_broker_fault(s.peer, MQTT_BROKER_NO_PUBACK, 0);
	rig_ask_write(s.rig, &a, dim, "50", 60000);
	RIG_UNTIL(s.rig, mqtt_broker_counts(s.peer).publishes == 1);
	mqtt_site_tell(&s, "house/lamp", "7");
	cr_expect_eq(a.n_done, 0);
	loop_skip(s.rig->loop, 60001);
	RIG_UNTIL(s.rig, a.n_done);
	cr_expect_eq(a.status, REQUEST_TIMEOUT);
	cr_expect_str_eq(a.why.text, "the broker did not acknowledge it in time");
	mqtt_site_end(&s);
}

Test(mqtt_write, tells_that_the_broker_refused)
{
	struct mqtt_site s;
	struct rig_ask a = { 0 };
	mqtt_site_begin(&s, "version=5");
	struct point *dim = mqtt_site_point(&s, "dim", TYPE_INT, "write.topic=~/set");
	mqtt_site_up(&s);
	mqtt_broker_fault(s.peer, MQTT_BROKER_REFUSES_PUBLISH, 0x87);
	rig_ask_write(s.rig, &a, dim, "50", 60000);
	RIG_UNTIL(s.rig, a.n_done);
	cr_expect_eq(a.status, REQUEST_REFUSED);
	cr_expect_str_eq(a.why.text, "the broker refuses: Not authorized");
	mqtt_site_end(&s);
}

Test(mqtt_write, is_seen_when_the_device_says_so)
{
	struct mqtt_site s;
	struct rig_ask a = { 0 };
	mqtt_site_begin(&s, "");
	struct point *dim = mqtt_site_point(&s, "dim", TYPE_INT, "path=/dim; write.topic=~/set; write.payload=${raw}");
	dim->confirm = CONFIRM_STATE;
	mqtt_site_up(&s);
	rig_ask_write(s.rig, &a, dim, "50", 60000);
	RIG_UNTIL(s.rig, mqtt_broker_counts(s.peer).publishes == 1);
	mqtt_site_tell(&s, "house/lamp", "{\"dim\": 49}");
	cr_expect_eq(a.n_done, 0, "another value is no confirmation");
	mqtt_site_tell(&s, "house/lamp", "{\"dim\": 50.0}");
	cr_expect_eq(a.n_done, 1);
	cr_expect_eq(a.status, REQUEST_DONE);
	cr_expect(a.confirmed);
	rig_ask_free(&a);
	a = (struct rig_ask){ 0 };
	rig_ask_write(s.rig, &a, dim, "60", 60000);
	RIG_UNTIL(s.rig, mqtt_broker_counts(s.peer).publishes == 2);
	mqtt_site_tell(&s, "house/lamp", "{}"); /* and what the broker says to it has come */
	loop_skip(s.rig->loop, 60001);
	RIG_UNTIL(s.rig, a.n_done);
	cr_expect_eq(a.status, REQUEST_DIFFERS);
	cr_expect_not(a.confirmed);
	rig_ask_free(&a);
	mqtt_site_end(&s);
}

Test(mqtt_write, is_seen_when_the_device_is_quicker_than_the_broker)
{
	struct mqtt_site s;
	struct rig_ask a = { 0 };
	mqtt_site_begin(&s, "");
	struct point *dim = mqtt_site_point(&s, "dim", TYPE_INT, "path=/dim; write.topic=~/set; write.payload=${raw}");
	dim->confirm = CONFIRM_STATE;
	mqtt_site_up(&s);
	mqtt_broker_fault(s.peer, MQTT_BROKER_NO_PUBACK, 0);
	rig_ask_write(s.rig, &a, dim, "50", 60000);
	RIG_UNTIL(s.rig, mqtt_broker_counts(s.peer).publishes == 1);
	mqtt_site_tell(&s, "house/lamp", "{\"dim\": 50}");
	cr_expect_eq(a.n_done, 0, "the broker may still refuse it");
	unsigned mid = mqtt_broker_counts(s.peer).mid;
	mqtt_broker_send(s.peer, (const uint8_t[]){ 0x40, 2, (uint8_t)(mid >> 8), (uint8_t)mid }, 4);
	RIG_UNTIL(s.rig, a.n_done);
	cr_expect_eq(a.status, REQUEST_DONE);
	cr_expect(a.confirmed);
	rig_ask_free(&a);
	mqtt_site_end(&s);
}

/* One topic for both directions: our own words come back, unless the broker is asked not to send them (version 5). */
static void hears_itself(const char *version, bool no_local)
{
	struct mqtt_site s;
	struct rig_ask a = { 0 };
	mqtt_site_begin(&s, version);
	struct point *dim = mqtt_site_point(&s, "dim", TYPE_INT, "topic=house/shared; write.topic=house/other"),
		     *other = mqtt_site_point(&s, "other", TYPE_INT, "topic=house/other");
	dim->confirm = CONFIRM_STATE;
	mqtt_site_up(&s);
	cr_expect_eq(mqtt_broker_counts(s.peer).no_local, no_local);
	rig_ask_write(s.rig, &a, dim, "50", 60000);
	RIG_UNTIL(s.rig, mqtt_broker_counts(s.peer).publishes == 1);
	mqtt_site_tell(&s, "house/lamp", "");
	SHOWS(other, no_local ? " unknown" : "50 old");
	cr_expect_eq(a.n_done, 0);
	mqtt_site_end(&s);
}

Test(mqtt_write, is_never_taken_for_the_devices_word_with_version_5)
{
	hears_itself("version=5", true);
}

Test(mqtt_write, is_never_taken_for_the_devices_word_with_version_3)
{
	hears_itself("version=3.1.1", false);
}

Test(mqtt_write, keeps_what_it_was_told_to_keep)
{
	struct mqtt_site s, later;
	mqtt_site_begin(&s, "");
	struct point *dim = mqtt_site_point(&s, "dim", TYPE_INT, "write.topic=~/set; write.retain=true");
	mqtt_site_up(&s);
	cr_expect_eq(rig_write(s.rig, dim, "50"), REQUEST_DONE);
	later.peer = s.peer;
	mqtt_site_begin_at(&later, mqtt_broker_port(s.peer), "");
	struct point *set = mqtt_site_point(&later, "set", TYPE_INT, "topic=~/set");
	mqtt_site_up(&later);
	SHOWS(set, "50 old");
	later.peer = NULL;
	mqtt_site_end(&later);
	mqtt_site_end(&s);
}

Test(mqtt_write, waits_for_its_turn_and_not_longer_than_its_deadline)
{
	enum { MANY = 50 };
	struct mqtt_site s;
	struct rig_ask asks[MANY] = { 0 };
	mqtt_site_begin(&s, "");
	struct point *dim = mqtt_site_point(&s, "dim", TYPE_INT, "write.topic=~/set");
	mqtt_site_up(&s);
	for (size_t i = 0; i < MANY; i++)
		rig_ask_write(s.rig, &asks[i], dim, "50", 60000);
	for (size_t i = 0; i < MANY; i++) {
		RIG_UNTIL(s.rig, asks[i].n_done);
		cr_expect_eq(asks[i].status, REQUEST_DONE, "%d: %s", asks[i].status, asks[i].why.text);
		asks[i] = (struct rig_ask){ 0 };
	}
	cr_expect_eq(mqtt_broker_counts(s.peer).publishes, MANY);
	mqtt_broker_fault(s.peer, MQTT_BROKER_NO_PUBACK, 0);
	for (size_t i = 0; i < MANY; i++)
		rig_ask_write(s.rig, &asks[i], dim, "50", 60000);
	RIG_UNTIL(s.rig, mqtt_broker_counts(s.peer).publishes == MANY + 20);
	loop_skip(s.rig->loop, 60001);
	for (size_t i = 0; i < MANY; i++) {
		RIG_UNTIL(s.rig, asks[i].n_done);
		cr_expect(asks[i].status == REQUEST_TIMEOUT || asks[i].status == REQUEST_AWAY);
	}
	RIG_UNTIL(s.rig, s.rig->n_away == 1); /* a broker that forgets all is of no use */
	cr_expect_eq(mqtt_site_logged(&s, "away: the broker does not acknowledge what we publish"), 1);
	cr_expect_eq(mqtt_broker_counts(s.peer).publishes, MANY + 20, "what waited too long is not sent");
	mqtt_site_end(&s);
}

static void pass_the_deadline(struct rig *rig, struct point *p, enum news news)
{
	(void)p, (void)news;
	rig->on_sample = NULL;
	loop_skip(rig->loop, 60001);
}

/* A message and an acknowledgement arrive together; the deadline passes between them, before its timer can fire. */
Test(mqtt_write, is_not_sent_after_its_deadline)
{
	enum { MANY = 21 };
	uint8_t both[] = { 0x30, 13, 0, 10, 'h', 'o', 'u', 's', 'e', '/', 'l', 'a', 'm', 'p', '7', 0x40, 2, 0, 0 };
	struct mqtt_site s;
	struct rig_ask asks[MANY] = { 0 };
	mqtt_site_begin(&s, "version=3.1.1");
	mqtt_site_point(&s, "lux", TYPE_INT, "");
	struct point *dim = mqtt_site_point(&s, "dim", TYPE_INT, "topic=~/dim; write.topic=~/set");
	mqtt_site_up(&s);
	mqtt_broker_fault(s.peer, MQTT_BROKER_NO_PUBACK, 0);
	for (size_t i = 0; i < MANY; i++)
		rig_ask_write(s.rig, &asks[i], dim, "50", i < MANY - 1 ? 600000 : 60000);
	RIG_UNTIL(s.rig, mqtt_broker_counts(s.peer).publishes == MANY - 1);
	both[17] = (uint8_t)(mqtt_broker_counts(s.peer).mid >> 8);
	both[18] = (uint8_t)mqtt_broker_counts(s.peer).mid;
	s.rig->on_sample = pass_the_deadline;
	mqtt_broker_send(s.peer, both, sizeof(both));
	RIG_UNTIL(s.rig, asks[MANY - 2].n_done);
	cr_expect_eq(asks[MANY - 2].status, REQUEST_DONE);
	RIG_UNTIL(s.rig, asks[MANY - 1].n_done);
	cr_expect_eq(asks[MANY - 1].status, REQUEST_TIMEOUT);
	mqtt_site_wait(&s);
	cr_expect_eq(mqtt_broker_counts(s.peer).publishes, MANY - 1);
	mqtt_site_end(&s);
}

Test(mqtt_write, hides_a_topic_that_is_only_written)
{
	struct mqtt_site s;
	mqtt_site_begin(&s, "");
	struct point *siren = mqtt_site_point(&s, "siren", TYPE_BOOL, "write.topic=~/siren");
	siren->access = ACCESS_WRITE;
	mqtt_site_up(&s);
	cr_expect_eq(mqtt_broker_counts(s.peer).topics, 2, "the mark and the availability");
	cr_expect_eq(rig_write(s.rig, siren, "true"), REQUEST_DONE);
	mqtt_site_end(&s);
}
