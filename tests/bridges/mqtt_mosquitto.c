#include "tests/bridges/mqtt_site.h"
#include "tests/peers/real_broker.h"

#include <signal.h>

/* The driver against mosquitto itself, with its own tools as the other devices. */

TestSuite(mqtt_mosquitto, .timeout = 60);

static void begin(struct mqtt_site *s, struct real_broker *r, const char *options)
{
	s->peer = NULL;
	mqtt_site_begin_at(s, r->port, options);
}

/* Published again and again until it is seen: when a subscription has arrived there, nobody is told. */
static void until_told(struct mqtt_site *s, struct real_broker *r, const char *payload, struct point *p)
{
	while (p->last.quality != QUALITY_GOOD) {
		real_broker_publish(r, "house/lamp", payload, false);
		mqtt_site_let_be(s, 20);
	}
}

static void hears(const char *version)
{
	struct real_broker r;
	struct mqtt_site s;
	real_broker_begin(&r, NULL, NULL);
	real_broker_publish(&r, "house/kept", "17.50", true);
	begin(&s, &r, version);
	struct point *lux = mqtt_site_point(&s, "lux", TYPE_REAL, "path=/lux"),
		     *kept = mqtt_site_point(&s, "kept", TYPE_REAL, "topic=house/kept");
	mqtt_site_up(&s);
	RIG_UNTIL(s.rig, kept->last.quality == QUALITY_OLD);
	SHOWS(kept, "17.50 old");
	until_told(&s, &r, "{\"lux\": 23.40, \"battery\": 80}", lux);
	SHOWS(lux, "23.40 good");
	real_broker_publish(&r, "house/kept", "18.50", true);
	RIG_UNTIL(s.rig, kept->last.quality == QUALITY_GOOD);
	SHOWS(kept, "18.50 good");
	mqtt_site_end(&s);
	real_broker_end(&r);
}

Test(mqtt_mosquitto, hears_with_version_5)
{
	hears("version=5");
}

Test(mqtt_mosquitto, hears_with_version_3)
{
	hears("version=3.1.1");
}

struct writing {
	struct mqtt_site *s;
	struct point *p;
};

static void write_50(void *ctx)
{
	struct writing *w = ctx;
	cr_expect_eq(rig_write(w->s->rig, w->p, "50"), REQUEST_DONE);
}

static void writes(const char *options, const char *expected)
{
	struct real_broker r;
	struct mqtt_site s;
	char got[128];
	real_broker_begin(&r, NULL, NULL);
	begin(&s, &r, options);
	struct point *dim =
		mqtt_site_point(&s, "dim", TYPE_INT, "write.topic=~/set; write.payload={\"dim\": ${value}}");
	mqtt_site_up(&s);
	real_broker_listen(&r, "house/lamp/set", write_50, &(struct writing){ &s, dim }, got, sizeof(got));
	cr_expect_str_eq(got, expected);
	mqtt_site_end(&s);
	real_broker_end(&r);
}

Test(mqtt_mosquitto, writes_with_each_qos)
{
	writes("qos=0", "0 0 {\"dim\": 50}");
	writes("qos=1", "1 0 {\"dim\": 50}");
	writes("qos=2; version=3.1.1", "1 0 {\"dim\": 50}");
}

Test(mqtt_mosquitto, comes_back_after_a_kill)
{
	struct real_broker r;
	struct mqtt_site s;
	real_broker_begin(&r, NULL, NULL);
	begin(&s, &r, "");
	struct point *lux = mqtt_site_point(&s, "lux", TYPE_REAL, "path=/lux");
	mqtt_site_up(&s);
	until_told(&s, &r, "{\"lux\": 7}", lux);
	real_broker_signal(&r, SIGKILL);
	RIG_UNTIL(s.rig, s.rig->n_away == 1);
	SHOWS(lux, "7 bad: cannot be reached");
	RIG_UNTIL(s.rig, s.rig->n_away == 3);
	cr_expect_eq(mqtt_site_logged(&s, "bus 'bus': away: "), 1);
	real_broker_start(&r);
	loop_skip(s.rig->loop, 60000);
	RIG_UNTIL(s.rig, s.rig->n_up == 2);
	SHOWS(lux, "7 bad: cannot be reached");
	until_told(&s, &r, "{\"lux\": 8}", lux);
	SHOWS(lux, "8 good");
	mqtt_site_end(&s);
	real_broker_end(&r);
}

Test(mqtt_mosquitto, is_let_in_with_the_right_password_only)
{
	static const struct {
		const char *options, *line;
	} rows[] = { { "user=gate; password=wrong; version=5", "the broker refuses: not authorized" },
		     { "user=gate; password=wrong; version=3.1.1", "the broker refuses: not authorized" },
		     { "version=5", "the broker refuses: not authorized" },
		     { "user=gate; password=right; version=5", "bus 'bus': up" },
		     { "user=gate; password=right; version=3.1.1", "bus 'bus': up" } };
	struct real_broker r;
	real_broker_begin(&r, "gate", "right");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mqtt_site s;
		begin(&s, &r, rows[i].options);
		mqtt_site_point(&s, "lux", TYPE_REAL, "path=/lux");
		rig_start(s.rig);
		RIG_UNTIL(s.rig, s.rig->n_up || s.rig->n_away == 3);
		cr_expect_geq(mqtt_site_logged(&s, rows[i].line), 1, "%s", s.lines);
		cr_expect_eq(mqtt_site_logged(&s, "warn  bus 'bus': away"), s.rig->n_up ? 0 : 1);
		cr_expect_eq(mqtt_site_logged(&s, "right"), 0);
		mqtt_site_end(&s);
	}
	real_broker_end(&r);
}

/* Stopped, not dead: its kernel still takes what we send, and only silence tells. libmosquitto counts real seconds. */
Test(mqtt_mosquitto, misses_a_broker_that_is_frozen)
{
	struct real_broker r;
	struct mqtt_site s;
	struct rig_ask a = { 0 };
	real_broker_begin(&r, NULL, NULL);
	begin(&s, &r, "keepalive=5s");
	struct point *dim = mqtt_site_point(&s, "dim", TYPE_INT, "write.topic=~/set");
	mqtt_site_up(&s);
	real_broker_signal(&r, SIGSTOP);
	rig_ask_write(s.rig, &a, dim, "50", 600000);
	uint64_t turns = loop_turns(s.rig->loop);
	RIG_UNTIL(s.rig, s.rig->n_away);
	cr_expect_eq(a.status, REQUEST_AWAY);
	cr_expect_lt(loop_turns(s.rig->loop) - turns, 200);
	cr_expect_eq(mqtt_site_logged(&s, "away: the broker is silent;"), 1, "%s", s.lines);
	mqtt_site_end(&s);
	real_broker_end(&r);
}

Test(mqtt_mosquitto, finds_the_broker_of_a_name_that_has_several_addresses)
{
	struct real_broker r;
	real_broker_begin(&r, NULL, NULL);
	char options[64];
	snprintf(options, sizeof(options), "host=localhost; port=%d",
		 r.port); /* perhaps ::1 first, where nobody listens */
	struct rig *rig = rig_new(&driver_mqtt, options);
	rig_start(rig);
	RIG_UNTIL(rig, rig->n_up || rig->n_away);
	cr_expect_eq(rig->n_up, 1);
	rig_free(rig);
	real_broker_end(&r);
}

Test(mqtt_mosquitto, is_told_of_ten_thousand_topics)
{
	enum { POINTS = 10000 };
	struct real_broker r;
	struct mqtt_site s;
	char options[64];
	struct point *last = NULL;
	real_broker_begin(&r, NULL, NULL);
	real_broker_publish(&r, "many/9999", "7", true);
	begin(&s, &r, "");
	for (size_t i = 0; i < POINTS; i++) {
		snprintf(options, sizeof(options), "topic=many/%zu", i);
		last = mqtt_site_point(&s, "p", TYPE_INT, options);
	}
	mqtt_site_up(&s);
	RIG_UNTIL(s.rig, last->last.quality == QUALITY_OLD);
	mqtt_site_end(&s);
	real_broker_end(&r);
}
