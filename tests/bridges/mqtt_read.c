#include "tests/bridges/mqtt_site.h"

#include "core/base/limits.h"

TestSuite(mqtt_read, .timeout = 60);

Test(mqtt_read, tells_all_points_of_a_message)
{
	struct mqtt_site s;
	mqtt_site_begin(&s, "");
	struct point *lux = mqtt_site_point(&s, "lux", TYPE_REAL, "path=/lux"),
		     *state = mqtt_site_point(&s, "state", TYPE_BOOL, "path=/state; on=ON; off=OFF"),
		     *name = mqtt_site_point(&s, "name", TYPE_TEXT, "path=/device/name"),
		     *seen = mqtt_site_point(&s, "seen", TYPE_TIME, "path=/seen"),
		     *id = mqtt_site_point(&s, "id", TYPE_INT, "path=/device/ids/1"),
		     *bare = mqtt_site_point(&s, "bare", TYPE_REAL, "topic=house/bare");
	mqtt_site_up(&s);
	SHOWS(lux, " unknown");
	mqtt_site_tell(&s, "house/lamp",
		       "{\"lux\": 23.40, \"state\": \"ON\", \"seen\": \"2026-11-21T04:16:49Z\","
		       " \"device\": {\"name\": \"Hall\", \"ids\": [1, 9223372036854775807]}}");
	SHOWS(lux, "23.40 good");
	SHOWS(state, "true good");
	SHOWS(name, "Hall good");
	SHOWS(seen, "2026-11-21T04:16:49.000Z good");
	SHOWS(id, "9223372036854775807 good");
	SHOWS(bare, " unknown");
	cr_expect_gt(lux->last.utc_ms, 1500000000000);
	mqtt_site_tell(&s, "house/bare", "-0.50");
	SHOWS(bare, "-0.50 good");
	mqtt_site_end(&s);
}

struct steps {
	size_t samples, turns;
	uint64_t turn;
};

static void note_step(struct rig *rig, struct point *p, enum news news)
{
	struct steps *steps = rig->ctx;
	(void)news;
	if (strcmp(p->device->id, "lamp") != 0)
		return;
	steps->samples++;
	steps->turns += loop_turns(rig->loop) != steps->turn;
	steps->turn = loop_turns(rig->loop);
}

/* Whoever hears of a thing later in the turn, or at its end, hears of all that the message said. */
Test(mqtt_read, tells_all_points_of_a_message_in_one_turn)
{
	struct mqtt_site s;
	struct steps steps = { 0 };
	char payload[64];
	mqtt_site_begin(&s, "");
	mqtt_site_point(&s, "a", TYPE_INT, "path=/a");
	mqtt_site_point(&s, "b", TYPE_INT, "path=/b");
	mqtt_site_point(&s, "c", TYPE_INT, "path=/c");
	mqtt_site_up(&s);
	s.rig->ctx = &steps;
	s.rig->on_sample = note_step;
	for (int i = 0; i < 10; i++) {
		snprintf(payload, sizeof(payload), "{\"a\": %d, \"b\": %d, \"c\": %d}", i, i, i);
		mqtt_site_tell(&s, "house/lamp", payload);
	}
	cr_expect_eq(steps.samples, 30);
	cr_expect_leq(steps.turns, 10);
	mqtt_site_end(&s);
}

static void tells_retained(const char *version)
{
	struct mqtt_site s;
	mqtt_site_begin(&s, version);
	struct point *lux = mqtt_site_point(&s, "lux", TYPE_REAL, "path=/lux"),
		     *bad = mqtt_site_point(&s, "bad", TYPE_REAL, "topic=house/bad");
	mqtt_broker_publish(s.peer, "house/lamp", "{\"lux\": 7}", 10, 0, true);
	mqtt_broker_publish(s.peer, "house/bad", "warm", 4, 0, true);
	mqtt_site_up(&s);
	SHOWS(lux, "7 old");
	cr_expect_eq(lux->last.utc_ms, 0, "nobody knows when it was measured");
	SHOWS(bad, " bad: not a value of the configured type");
	mqtt_site_tell(&s, "house/lamp", "{\"lux\": 8}");
	SHOWS(lux, "8 good");
	mqtt_site_end(&s);
}

Test(mqtt_read, takes_a_retained_message_as_old_with_version_5)
{
	tells_retained("version=5");
}

Test(mqtt_read, takes_a_retained_message_as_old_with_version_3)
{
	tells_retained("version=3.1.1");
}

Test(mqtt_read, lets_nothing_that_was_kept_spoil_a_good_value)
{
	static const uint8_t kept[][20] = { { 0x31, 13, 0, 10, 'h', 'o', 'u', 's', 'e', '/', 'l', 'a', 'm', 'p', '9' },
					    { 0x31, 13, 0, 10, 'h', 'o', 'u', 's', 'e', '/', 'l', 'a', 'm', 'p',
					      '?' } };
	struct mqtt_site s;
	mqtt_site_begin(&s, "version=3.1.1");
	struct point *lux = mqtt_site_point(&s, "lux", TYPE_REAL, "");
	mqtt_site_up(&s);
	mqtt_site_tell(&s, "house/lamp", "8");
	for (size_t i = 0; i < 2; i++) {
		mqtt_broker_send(s.peer, kept[i], 15);
		mqtt_site_wait(&s);
		SHOWS(lux, "8 good");
	}
	mqtt_site_tell(&s, "house/lamp", "?");
	SHOWS(lux, "8 bad: not a value of the configured type");
	mqtt_site_end(&s);
}

Test(mqtt_read, says_once_that_a_key_is_missing)
{
	struct mqtt_site s;
	mqtt_site_begin(&s, "");
	struct point *lux = mqtt_site_point(&s, "lux", TYPE_REAL, "path=/lux");
	mqtt_site_up(&s);
	mqtt_site_tell(&s, "house/lamp", "{\"lux\": 7}");
	for (int i = 0; i < 3; i++)
		mqtt_site_tell(&s, "house/lamp", "{\"linkquality\": 200}");
	SHOWS(lux, "7 good");
	cr_expect_eq(mqtt_site_logged(&s, "point 'lamp.lux': no '/lux' in the message on 'house/lamp'"), 1);
	mqtt_site_tell(&s, "house/lamp", "{\"lux\": 8}");
	mqtt_site_tell(&s, "house/lamp", "{\"lux\": 9}");
	cr_expect_eq(mqtt_site_logged(&s, "point 'lamp.lux': a good message again"), 1);
	for (int i = 0; i < 20; i++)
		mqtt_site_tell(&s, "house/lamp", i % 2 ? "{\"lux\": 8}" : "{}");
	cr_expect_eq(mqtt_site_logged(&s, "lamp.lux"), 6, "a device that sends its keys by turns fills no log");
	cr_expect_eq(mqtt_site_logged(&s, "no more lines for an hour"), 1);
	mqtt_site_end(&s);
}

static const struct {
	const char *payload;
	const char *shows, *line;
} bad_rows[] = {
	{ "{\"lux\": \"dark\"}", "7 bad: not a value of the configured type",
	  "message on 'house/lamp': /lux is not a number" },
	{ "{\"lux\": null}", "7 bad: the device has no value", "message on 'house/lamp': /lux has no value" },
	{ "{\"lux\": 7", "7 bad: the answer is garbled",
	  "message on 'house/lamp': /lux is not JSON (line 1, column 9)" },
	{ "{\"lux\": \"\xFF\"}", "7 bad: the answer is garbled", "message on 'house/lamp': /lux is not JSON" },
	{ "", "7 bad: the device has no value", "message on 'house/lamp': /lux has no value" },
};

Test(mqtt_read, says_once_what_is_wrong_with_a_message)
{
	for (size_t i = 0; i < sizeof(bad_rows) / sizeof(bad_rows[0]); i++) {
		struct mqtt_site s;
		mqtt_site_begin(&s, "");
		struct point *lux = mqtt_site_point(&s, "lux", TYPE_REAL, "path=/lux");
		mqtt_site_up(&s);
		mqtt_site_tell(&s, "house/lamp", "{\"lux\": 7}");
		for (int k = 0; k < 3; k++)
			mqtt_site_tell(&s, "house/lamp", bad_rows[i].payload);
		SHOWS(lux, bad_rows[i].shows);
		cr_expect_eq(mqtt_site_logged(&s, bad_rows[i].line), 1, "%s", s.lines);
		cr_expect_eq(mqtt_site_logged(&s, "dark"), 0, "a value is in the log");
		mqtt_site_tell(&s, "house/lamp", "{\"lux\": 8}");
		SHOWS(lux, "8 good");
		cr_expect_eq(mqtt_site_logged(&s, "point 'lamp.lux': a good message again"), 1);
		mqtt_site_end(&s);
	}
}

/* 70 KB pass the library whole, 300 KB and 5 MB are cut before it; none of them may end the connection. */
static void takes_large(const char *version)
{
	static const size_t sizes[] = { LIMIT_PAYLOAD, LIMIT_PAYLOAD + 1, 300 * 1000, 5 * 1000 * 1000 };
	char *big = mem_new(5 * 1000 * 1000);
	struct mqtt_site s;
	mqtt_site_begin(&s, version);
	struct point *lux = mqtt_site_point(&s, "lux", TYPE_REAL, "");
	memset(big, ' ', 5 * 1000 * 1000);
	big[0] = '7';
	mqtt_site_up(&s);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		mqtt_site_tell_bytes(&s, "house/lamp", big, sizes[i]);
		SHOWS(lux, i ? "7 bad: the answer is garbled" : "7 good");
	}
	cr_expect_eq(mqtt_site_logged(&s, "has 65537 bytes, more than 65536"), 1);
	cr_expect_eq(s.rig->n_up, 1);
	cr_expect_eq(s.rig->n_away, 0);
	mqtt_site_end(&s);
	mem_free(big);
}

Test(mqtt_read, does_not_look_at_what_is_too_large_with_version_5)
{
	takes_large("version=5");
}

Test(mqtt_read, does_not_look_at_what_is_too_large_with_version_3)
{
	takes_large("version=3.1.1");
}

Test(mqtt_read, believes_a_device_that_says_it_is_offline)
{
	struct mqtt_site s;
	struct rig_ask a = { 0 };
	mqtt_site_begin(&s, "");
	struct point *lux = mqtt_site_point(&s, "lux", TYPE_REAL, "path=/lux"),
		     *dim = mqtt_site_point(&s, "dim", TYPE_INT, "path=/dim; write.topic=~/set; write.payload=${raw}");
	mqtt_site_up(&s);
	mqtt_site_tell(&s, "house/lamp", "{\"lux\": 7, \"dim\": 50}");
	mqtt_site_tell(&s, "house/lamp/availability", "offline");
	mqtt_site_tell(&s, "house/lamp/availability", "offline");
	SHOWS(lux, "7 bad: cannot be reached");
	SHOWS(dim, "50 bad: cannot be reached");
	cr_expect_eq(mqtt_site_logged(&s, "device 'lamp': says that it is offline"), 1);
	rig_ask_write(s.rig, &a, dim, "20", 1000);
	cr_expect_eq(a.n_done, 1);
	cr_expect_eq(a.status, REQUEST_AWAY);
	cr_expect_str_eq(a.why.text, "the device says that it is offline");
	mqtt_site_tell(&s, "house/lamp/availability", "perhaps");
	cr_expect_eq(
		mqtt_site_logged(&s, "device 'lamp': 'house/lamp/availability' says neither 'online' nor 'offline'"),
		1);
	SHOWS(lux, "7 bad: cannot be reached");
	mqtt_site_tell(&s, "house/lamp/availability", "online");
	SHOWS(lux, "7 bad: cannot be reached");
	mqtt_site_tell(&s, "house/lamp", "{\"lux\": 7}");
	SHOWS(lux, "7 good");
	cr_expect_eq(rig_write(s.rig, dim, "20"), REQUEST_DONE);
	mqtt_site_end(&s);
}

Test(mqtt_read, does_not_show_what_was_kept_of_a_device_that_is_offline)
{
	struct mqtt_site s;
	mqtt_site_begin(&s, "");
	struct point *lux = mqtt_site_point(&s, "lux", TYPE_REAL, "path=/lux");
	mqtt_broker_publish(s.peer, "house/lamp", "{\"lux\": 7}", 10, 0, true);
	mqtt_broker_publish(s.peer, "house/lamp/availability", "offline", 7, 0, true);
	mqtt_site_up(&s);
	SHOWS(lux, "7 bad: cannot be reached");
	mqtt_site_end(&s);
}

Test(mqtt_read, takes_a_burst_in_small_bites)
{
	struct mqtt_site s;
	char payload[32];
	mqtt_site_begin(&s, "");
	struct point *lux = mqtt_site_point(&s, "lux", TYPE_INT, "");
	mqtt_site_up(&s);
	uint64_t turns = loop_turns(s.rig->loop);
	for (int i = 0; i < 2000; i++) {
		int size = snprintf(payload, sizeof(payload), "%d", i);
		mqtt_broker_publish(s.peer, "house/lamp", payload, (size_t)size, i % 2, false);
	}
	RIG_UNTIL(s.rig, lux->last.quality == QUALITY_GOOD && lux->last.value.number.digits == 1999);
	cr_expect_geq(loop_turns(s.rig->loop) - turns, 2000 / 16);
	mqtt_site_end(&s);
}

struct flood {
	struct rig *rig;
	struct timer timer;
	size_t beats, in_turn, most;
	uint64_t turn;
};

static void on_beat(void *ctx)
{
	struct flood *f = ctx;
	f->beats++;
	timer_set(f->rig->loop, &f->timer, 5, on_beat, f);
}

static void on_drop(struct rig *rig, struct point *p, enum news news)
{
	struct flood *f = rig->ctx;
	(void)p, (void)news;
	if (loop_turns(rig->loop) != f->turn)
		f->in_turn = 0;
	f->turn = loop_turns(rig->loop);
	if (++f->in_turn > f->most)
		f->most = f->in_turn;
}

/* A broker that says more than we can take, all the time: who has a timer gets his turn. */
static void floods(const char *version)
{
	enum { MANY = 60000 };
	struct mqtt_site s;
	char payload[128];
	mqtt_site_begin(&s, version);
	struct point *lux = mqtt_site_point(&s, "lux", TYPE_INT, "path=/lux");
	mqtt_site_up(&s);
	struct flood flood = { .rig = s.rig };
	for (int i = 0; i < MANY; i++) {
		int size = snprintf(payload, sizeof(payload), "{\"lux\": %d, \"more\": \"of no interest to anybody\"}", i);
		mqtt_broker_publish(s.peer, "house/lamp", payload, (size_t)size, 0, false);
	}
	s.rig->ctx = &flood;
	s.rig->on_sample = on_drop;
	timer_set(s.rig->loop, &flood.timer, 0, on_beat, &flood);
	RIG_UNTIL(s.rig, lux->last.quality == QUALITY_GOOD && lux->last.value.number.digits == MANY - 1);
	timer_stop(s.rig->loop, &flood.timer);
	cr_expect_gt(flood.beats, 20, "%zu beats in the flood", flood.beats);
	cr_expect_leq(flood.most, 16, "%zu messages in one turn", flood.most);
	mqtt_site_end(&s);
}

Test(mqtt_read, starves_nobody_while_a_broker_floods_with_version_5)
{
	floods("version=5");
}

Test(mqtt_read, starves_nobody_while_a_broker_floods_with_version_3)
{
	floods("version=3.1.1");
}

Test(mqtt_read, subscribes_to_many_topics_and_again_after_a_loss)
{
	enum { POINTS = 450 };
	struct mqtt_site s;
	struct point *points[POINTS];
	char options[64];
	mqtt_site_begin(&s, "");
	for (size_t i = 0; i < POINTS; i++) {
		snprintf(options, sizeof(options), "topic=many/%zu; qos=%zu", i, i % 3);
		points[i] = mqtt_site_point(&s, "p", TYPE_INT, options);
	}
	mqtt_site_up(&s);
	unsigned topics = mqtt_broker_counts(s.peer).topics;
	cr_expect_eq(topics, POINTS + 2, "the mark and the availability, and house/lamp, which nobody reads");
	mqtt_site_tell(&s, "many/449", "5");
	SHOWS(points[449], "5 good");
	mqtt_broker_die(s.peer);
	RIG_UNTIL(s.rig, s.rig->bridge->state == BRIDGE_AWAY);
	SHOWS(points[449], "5 bad: cannot be reached");
	SHOWS(points[0], " bad: cannot be reached");
	mqtt_broker_revive(s.peer);
	mqtt_site_wait(&s);
	cr_expect_eq(mqtt_broker_counts(s.peer).topics, 2 * topics);
	mqtt_site_tell(&s, "many/0", "6");
	SHOWS(points[0], "6 good");
	mqtt_site_end(&s);
}

Test(mqtt_read, says_which_topic_the_broker_refuses)
{
	struct mqtt_site s;
	mqtt_site_begin(&s, "");
	struct point *lux = mqtt_site_point(&s, "lux", TYPE_REAL, "path=/lux");
	mqtt_broker_fault(s.peer, MQTT_BROKER_REFUSES_TOPICS, 0);
	rig_start(s.rig);
	RIG_UNTIL(s.rig, lux->last.quality == QUALITY_BAD);
	SHOWS(lux, " bad: the device refuses");
	cr_expect_eq(mqtt_site_logged(&s, "the broker does not let us read topic 'house/lamp'\n"), 1);
	mqtt_site_end(&s);
}
