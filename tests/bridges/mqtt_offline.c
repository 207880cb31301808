#include "tests/bridges/mqtt_site.h"
#include "tests/peers/real_broker.h"

#include <signal.h>

/* What is written around the time in which the broker is away: the last value wins, in its time, once. */

TestSuite(mqtt_offline, .timeout = 60);

static const char writable[] = "topic=~/dim; write.topic=~/set";

static void lose(struct mqtt_site *s)
{
	mqtt_broker_die(s->peer);
	RIG_UNTIL(s->rig, s->rig->bridge->state == BRIDGE_AWAY);
}

static void find_again(struct mqtt_site *s)
{
	mqtt_broker_revive(s->peer);
	RIG_UNTIL(s->rig, s->rig->bridge->state == BRIDGE_UP);
	mqtt_site_wait(s);
}

Test(mqtt_offline, publishes_the_newest_once_when_the_broker_is_back)
{
	enum { MANY = 5 };
	struct mqtt_site s;
	struct rig_ask a[MANY] = { 0 };
	char shown[8];
	mqtt_site_begin(&s, "");
	struct point *dim = mqtt_site_point(&s, "dim", TYPE_INT, writable);
	mqtt_site_up(&s);
	lose(&s);
	for (int i = 0; i < MANY; i++) {
		snprintf(shown, sizeof(shown), "%d", i);
		rig_ask_write(s.rig, &a[i], dim, shown, 60000);
	}
	for (int i = 0; i < MANY - 1; i++) {
		cr_expect_eq(a[i].n_done, 1);
		cr_expect_eq(a[i].status, REQUEST_CANCELLED);
		cr_expect_str_eq(a[i].why.text, "a newer value was written before the bus came back");
	}
	cr_expect_eq(a[MANY - 1].n_done, 0);
	find_again(&s);
	RIG_UNTIL(s.rig, a[MANY - 1].n_done);
	cr_expect_eq(a[MANY - 1].status, REQUEST_DONE);
	mqtt_site_tell(&s, "house/lamp", "7");
	cr_expect_eq(mqtt_broker_counts(s.peer).publishes, 1);
	cr_expect_str_eq(mqtt_broker_counts(s.peer).payload, "4");
	lose(&s);
	find_again(&s);
	mqtt_site_tell(&s, "house/lamp", "7");
	cr_expect_eq(mqtt_broker_counts(s.peer).publishes, 1, "and not again");
	mqtt_site_end(&s);
}

Test(mqtt_offline, publishes_nothing_whose_time_is_over)
{
	struct mqtt_site s;
	struct rig_ask a = { 0 };
	mqtt_site_begin(&s, "");
	struct point *dim = mqtt_site_point(&s, "dim", TYPE_INT, writable);
	mqtt_site_up(&s);
	lose(&s);
	rig_ask_write(s.rig, &a, dim, "60", 3000);
	loop_skip(s.rig->loop, 3001);
	RIG_UNTIL(s.rig, a.n_done);
	cr_expect_eq(a.status, REQUEST_AWAY);
	cr_expect_str_eq(a.why.text, "the broker closed the connection");
	find_again(&s);
	mqtt_site_tell(&s, "house/lamp", "7");
	cr_expect_eq(mqtt_broker_counts(s.peer).publishes, 0);
	mqtt_site_end(&s);
}

/* Each point is a thing of its own, also on one topic. */
Test(mqtt_offline, keeps_one_value_for_each_point)
{
	struct mqtt_site s;
	struct rig_ask a[4] = { 0 };
	mqtt_site_begin(&s, "");
	struct point *dim = mqtt_site_point(&s, "dim", TYPE_INT, writable),
		     *hue = mqtt_site_point(&s, "hue", TYPE_INT, "topic=~/hue; write.topic=~/set");
	mqtt_site_up(&s);
	lose(&s);
	rig_ask_write(s.rig, &a[0], dim, "1", 60000);
	rig_ask_write(s.rig, &a[1], hue, "2", 60000);
	rig_ask_write(s.rig, &a[2], dim, "3", 60000);
	find_again(&s);
	RIG_UNTIL(s.rig, a[1].n_done && a[2].n_done);
	cr_expect_eq(a[0].status, REQUEST_CANCELLED);
	cr_expect_eq(a[1].status, REQUEST_DONE);
	cr_expect_eq(a[2].status, REQUEST_DONE);
	cr_expect_eq(mqtt_broker_counts(s.peer).publishes, 2);
	cr_expect_str_eq(mqtt_broker_counts(s.peer).payload, "3", "in the order of writing");
	mqtt_site_end(&s);
}

/* Nobody knows whether the broker has it: then it is not said again. */
Test(mqtt_offline, does_not_repeat_what_was_on_its_way)
{
	struct mqtt_site s;
	struct rig_ask a = { 0 };
	mqtt_site_begin(&s, "");
	struct point *dim = mqtt_site_point(&s, "dim", TYPE_INT, writable);
	mqtt_site_up(&s);
	mqtt_broker_fault(s.peer, MQTT_BROKER_NO_PUBACK, 0);
	rig_ask_write(s.rig, &a, dim, "50", 60000);
	RIG_UNTIL(s.rig, mqtt_broker_counts(s.peer).publishes == 1);
	lose(&s);
	RIG_UNTIL(s.rig, a.n_done);
	cr_expect_eq(a.status, REQUEST_AWAY);
	mqtt_broker_fault(s.peer, MQTT_BROKER_WELL, 0);
	find_again(&s);
	mqtt_site_tell(&s, "house/lamp", "7");
	cr_expect_eq(mqtt_broker_counts(s.peer).publishes, 1);
	cr_expect_eq(rig_write(s.rig, dim, "70"), REQUEST_DONE);
	cr_expect_str_eq(mqtt_broker_counts(s.peer).payload, "70");
	mqtt_site_end(&s);
}

/* What the device says to a write is heard although the write was waiting before anything was subscribed. */
Test(mqtt_offline, hears_what_the_write_leads_to)
{
	struct mqtt_site s;
	struct rig_ask a = { 0 };
	mqtt_site_begin(&s, "version=3.1.1");
	struct point *dim = mqtt_site_point(&s, "dim", TYPE_INT, writable);
	dim->confirm = CONFIRM_STATE;
	mqtt_broker_fault(s.peer, MQTT_BROKER_NO_SUBACK, 0);
	rig_start(s.rig);
	rig_ask_write(s.rig, &a, dim, "50", 600000); /* it is not even up for the first time */
	RIG_UNTIL(s.rig, mqtt_broker_counts(s.peer).topics);
	mqtt_site_let_be(&s, 50);
	cr_expect_eq(mqtt_broker_counts(s.peer).publishes, 0);
	mqtt_broker_fault(s.peer, MQTT_BROKER_WELL, 0);
	lose(&s);
	cr_expect_eq(a.n_done, 1, "the driver had it");
	cr_expect_eq(a.status, REQUEST_AWAY);
	rig_ask_free(&a);
	a = (struct rig_ask){ 0 };
	rig_ask_write(s.rig, &a, dim, "50", 600000);
	find_again(&s);
	RIG_UNTIL(s.rig, mqtt_broker_counts(s.peer).publishes == 1);
	mqtt_site_tell(&s, "house/lamp/dim", "50");
	RIG_UNTIL(s.rig, a.n_done);
	cr_expect_eq(a.status, REQUEST_DONE);
	cr_expect(a.confirmed);
	rig_ask_free(&a);
	mqtt_site_end(&s);
}

Test(mqtt_offline, ends_what_waits_when_it_is_closed_or_called_off)
{
	struct mqtt_site s;
	struct rig_ask a = { 0 }, b = { 0 };
	mqtt_site_begin(&s, "");
	struct point *dim = mqtt_site_point(&s, "dim", TYPE_INT, writable),
		     *hue = mqtt_site_point(&s, "hue", TYPE_INT, writable);
	mqtt_site_up(&s);
	lose(&s);
	rig_ask_write(s.rig, &a, dim, "1", 60000);
	rig_ask_write(s.rig, &b, hue, "2", 60000);
	bridge_cancel(s.rig->bridge, &a.request);
	cr_expect_eq(a.n_done, 1);
	cr_expect_eq(a.status, REQUEST_CANCELLED);
	bridge_stop(s.rig->bridge);
	RIG_UNTIL(s.rig, s.rig->bridge->state == BRIDGE_CLOSED);
	cr_expect_eq(b.n_done, 1);
	cr_expect_eq(b.status, REQUEST_AWAY);
	mqtt_site_end(&s);
}

static void write_all(void *ctx)
{
	struct mqtt_site *s = ctx;
	struct rig_ask a[3] = { 0 };
	struct point *dim = s->rig->ctx;
	for (size_t i = 0; i < 3; i++)
		rig_ask_write(s->rig, &a[i], dim, i == 2 ? "50" : "10", 60000);
	cr_expect_eq(a[2].n_done, 0);
	loop_skip(s->rig->loop, 40000);
	RIG_UNTIL(s->rig, a[2].n_done);
	cr_expect_eq(a[2].status, REQUEST_DONE, "%s", a[2].why.text);
}

Test(mqtt_offline, works_with_mosquitto)
{
	struct real_broker r;
	struct mqtt_site s = { 0 };
	char got[64];
	real_broker_begin(&r, NULL, NULL);
	mqtt_site_begin_at(&s, r.port, "");
	s.rig->ctx = mqtt_site_point(&s, "dim", TYPE_INT, writable);
	mqtt_site_up(&s);
	real_broker_signal(&r, SIGKILL);
	RIG_UNTIL(s.rig, s.rig->n_away == 1);
	real_broker_start(&r);
	real_broker_listen(&r, "house/lamp/set", write_all, &s, got, sizeof(got));
	cr_expect_str_eq(got, "1 0 50", "and nothing before it");
	mqtt_site_end(&s);
	real_broker_end(&r);
}
