#include "tests/bridges/mqtt_site.h"

/*
 * What a friend can see is right or marked, whatever a broker does. Each value says whose it is and when it was said: address
 * times 10^9, plus a count that only goes up. A good value must be its point's, newer than all before, and said; what is
 * retained, cut, garbled or lost must never be good.
 */

TestSuite(mqtt_truth, .timeout = 200);

enum { POINTS = 6, WHOSE = 1000000000, FAR_MS = 60001 };

static const char *const options[POINTS] = { "topic=truth/a",		"topic=truth/b",	  "topic=truth/both; path=/c",
					     "topic=truth/both; path=/d", "topic=truth/e; qos=2", "topic=truth/f; qos=0" };

struct truth {
	struct mqtt_site site;
	struct point *points[POINTS];
	int64_t said, seen[POINTS]; /* counts */
	int64_t before;             /* said when the connection came up: whoever has that has it from the broker's memory */
	size_t ups;
	size_t lies, good;
	char lie[200];
};

static void lied(struct truth *t, size_t whose, int64_t value, const char *what)
{
	if (!t->lies++)
		snprintf(t->lie, sizeof(t->lie), "point %zu shows %lld: %s", whose, (long long)value, what);
}

static void note_up(struct truth *t)
{
	if (t->ups == t->site.rig->n_up)
		return;
	t->ups = t->site.rig->n_up;
	t->before = t->said;
}

static void judge(struct truth *t, size_t whose)
{
	int64_t value = 0;
	const struct sample *last = &t->points[whose]->last;
	if (last->quality != QUALITY_GOOD)
		return;
	t->good++;
	if (decimal_integer(last->value.number, &value) < 0 || value / WHOSE != (int64_t)whose + 1)
		lied(t, whose, value, "it is not its own");
	else if (value % WHOSE < t->seen[whose])
		lied(t, whose, value, "it is older than one before");
	else if (value % WHOSE <= t->before)
		lied(t, whose, value, "it was kept, and is not new");
	else if (value % WHOSE > t->said)
		lied(t, whose, value, "nobody said that");
	else
		t->seen[whose] = value % WHOSE;
}

static void on_sample(struct rig *rig, struct point *p, enum news news)
{
	struct truth *t = rig->ctx;
	(void)news;
	note_up(t);
	for (size_t i = 0; i < POINTS; i++)
		if (t->points[i] == p)
			judge(t, i);
}

static void begin(struct truth *t, const char *version)
{
	*t = (struct truth){ 0 };
	mqtt_site_begin(&t->site, version);
	for (size_t i = 0; i < POINTS; i++)
		t->points[i] = mqtt_site_point(&t->site, "p", TYPE_INT, options[i]);
	t->site.rig->ctx = t;
	t->site.rig->on_sample = on_sample;
	mqtt_site_up(&t->site);
}

static int64_t value_of(const struct truth *t, size_t whose)
{
	return ((int64_t)whose + 1) * WHOSE + t->said;
}

/* Each topic has its quality of service: MQTT keeps the order of messages only within one. */
static void publish(const struct truth *t, const char *topic, const char *payload, int qos, bool retain)
{
	mqtt_broker_publish(t->site.peer, topic, payload, strlen(payload), qos, retain);
}

/* Everybody's value anew; some are kept by the broker. */
static void say_all(struct truth *t)
{
	static const char *const topics[] = { "truth/a", "truth/b", NULL, NULL, "truth/e", "truth/f" };
	char payload[128];
	note_up(t);
	t->said++;
	for (size_t i = 0; i < POINTS; i++) {
		snprintf(payload, sizeof(payload), "%lld", (long long)value_of(t, i));
		if (topics[i])
			publish(t, topics[i], payload, (int)i % 3, i % 2);
	}
	snprintf(payload, sizeof(payload), "{\"c\": %lld, \"d\": %lld}", (long long)value_of(t, 2),
		 (long long)value_of(t, 3));
	publish(t, "truth/both", payload, 2, true);
}

static void expect_truth(struct truth *t, const char *run, size_t n)
{
	if (t->site.rig->bridge->state != BRIDGE_UP)
		for (size_t i = 0; i < POINTS; i++)
			cr_expect_neq(t->points[i]->last.quality, QUALITY_GOOD, "%s %zu: away, and point %zu is good", run,
				      n, i);
	cr_expect_eq(t->lies, 0, "%s %zu: %s", run, n, t->lie);
	t->lies = 0;
}

static bool all_show(const struct truth *t)
{
	for (size_t i = 0; i < POINTS; i++)
		if (t->points[i]->last.quality != QUALITY_GOOD || t->seen[i] != t->said)
			return false;
	return true;
}

/* Up, and everybody shows what was said last. */
static void expect_all(struct truth *t, const char *run, size_t n)
{
	for (int i = 0; i < 5 && t->site.rig->bridge->state != BRIDGE_UP; i++) {
		loop_skip(t->site.rig->loop, FAR_MS);
		mqtt_site_let_be(&t->site, 20);
	}
	mqtt_site_wait(&t->site);
	say_all(t);
	RIG_UNTIL(t->site.rig, all_show(t));
	expect_truth(t, run, n);
}

/* Talks on through it, also when the core opens again. */
static void talk_through(struct truth *t, const char *run, size_t n)
{
	for (int i = 0; i < 3; i++) {
		say_all(t);
		mqtt_site_let_be(&t->site, 15);
		expect_truth(t, run, n);
		loop_skip(t->site.rig->loop, FAR_MS);
	}
	mqtt_site_let_be(&t->site, 15);
	expect_truth(t, run, n);
}

static void behave(struct truth *t)
{
	mqtt_broker_fault(t->site.peer, MQTT_BROKER_WELL, 0);
	mqtt_broker_die(t->site.peer);
	mqtt_broker_revive(t->site.peer);
}

static void every_fault(const char *version)
{
	struct truth t;
	begin(&t, version);
	expect_all(&t, "fault", 0);
	for (size_t fault = 1; fault < MQTT_BROKER_FAULTS; fault++) {
		mqtt_broker_fault(t.site.peer, (enum mqtt_broker_fault)fault, 0x86);
		mqtt_broker_die(t.site.peer);
		mqtt_broker_revive(t.site.peer);
		talk_through(&t, "fault", fault);
		behave(&t);
		expect_all(&t, "fault", fault);
	}
	cr_expect_gt(t.good, 50);
	mqtt_site_end(&t.site);
}

Test(mqtt_truth, holds_in_every_fault_with_version_5)
{
	every_fault("version=5");
}

Test(mqtt_truth, holds_in_every_fault_with_version_3)
{
	every_fault("version=3.1.1");
}

static void every_packet(const char *version)
{
	const uint8_t *bytes;
	size_t size;
	struct truth t;
	begin(&t, version);
	for (size_t n = 0; mqtt_broker_hostile(n, &bytes, &size); n++) {
		expect_all(&t, "packet", n);
		say_all(&t);
		mqtt_broker_send(t.site.peer, bytes, size);
		talk_through(&t, "packet", n);
		behave(&t);
	}
	expect_all(&t, "packet", 0);
	mqtt_site_end(&t.site);
}

Test(mqtt_truth, holds_after_every_hostile_packet_with_version_5)
{
	every_packet("version=5");
}

Test(mqtt_truth, holds_after_every_hostile_packet_with_version_3)
{
	every_packet("version=3.1.1");
}

/* A value whose last digits did not come is another value. */
Test(mqtt_truth, holds_wherever_a_message_is_cut)
{
	uint8_t message[] = { 0x30, 19, 0, 7, 't', 'r', 'u', 't', 'h', '/', 'a', '1', '0', '0', '0', '0', '0', '0', '0',
			      '0', '0' };
	struct truth t;
	begin(&t, "version=3.1.1");
	message[1] = sizeof(message) - 2;
	for (size_t n = 1; n < sizeof(message); n++) {
		expect_all(&t, "cut", n);
		mqtt_broker_send(t.site.peer, message, n);
		mqtt_site_let_be(&t.site, 5);
		mqtt_broker_die(t.site.peer);
		mqtt_site_let_be(&t.site, 5);
		expect_truth(&t, "cut", n);
		mqtt_broker_revive(t.site.peer);
	}
	mqtt_site_end(&t.site);
}

/* The broker is true, the device is not. */
Test(mqtt_truth, holds_for_payloads_that_are_no_value)
{
	static const char *const rows[][2] = {
		{ "truth/a", "" },
		{ "truth/a", "null" },
		{ "truth/a", "1000000001.5" },
		{ "truth/a", "1000000001 and more" },
		{ "truth/a", "1000000001\n2" },
		{ "truth/a", "0x3B9ACA01" },
		{ "truth/a", "99999999999999999999999999999999999999" },
		{ "truth/a", "{\"a\": 1000000001}" },
		{ "truth/both", "{\"c\": 3000000001, \"d\": 4000000001" },
		{ "truth/both", "{\"c\": \"warm\", \"d\": [4000000001]}" },
		{ "truth/both", "{\"c\": 3000000001, \"c\": 3000000000, \"d\": 4000000001}" },
		{ "truth/both", "[3000000001, 4000000001]" },
		{ "truth/both", "{\"d\": null}" },
		{ "truth/both", "\xFF\xFE" },
	};
	struct truth t;
	begin(&t, "version=5");
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		expect_all(&t, "payload", n);
		t.said++;
		mqtt_site_tell(&t.site, rows[n][0], rows[n][1]);
		for (size_t i = 0; i < POINTS; i++)
			cr_expect(t.points[i]->last.quality != QUALITY_GOOD || t.seen[i] == t.said - 1,
				  "payload %zu: point %zu", n, i);
		expect_truth(&t, "payload", n);
	}
	mqtt_site_end(&t.site);
}
