#include "tests/bridges/mqtt_site.h"
#include "tests/peers/real_broker.h"

/* write.confirm = "response": a device answers on a topic, with the correlation data of the write (MQTT 5, 4.10). */

TestSuite(mqtt_response, .timeout = 60);

static const char plain[] = "topic=~/dim; write.topic=~/set; write.response_topic=~/done",
		  judged[] = "topic=~/dim; write.topic=~/set; write.response_topic=~/done; write.response_path=/status; "
			     "write.response_ok=ok";

static struct point *begin(struct mqtt_site *s, const char *options)
{
	mqtt_site_begin(s, "version=5");
	struct point *dim = mqtt_site_point(s, "dim", TYPE_INT, options);
	dim->confirm = CONFIRM_RESPONSE;
	mqtt_site_up(s);
	return dim;
}

/* The write of it has arrived at the broker. */
static struct mqtt_broker_counts ask(struct mqtt_site *s, struct rig_ask *a, struct point *dim, const char *shown)
{
	unsigned n = mqtt_broker_counts(s->peer).publishes;
	rig_ask_write(s->rig, a, dim, shown, 60000);
	RIG_UNTIL(s->rig, mqtt_broker_counts(s->peer).publishes > n);
	return mqtt_broker_counts(s->peer);
}

static void settle(struct mqtt_site *s)
{
	mqtt_site_tell(s, "house/lamp", "7");
}

static const struct {
	const char *options, *payload, *error;
	int status;
	const char *why;
} rows[] = {
	{ plain, "", NULL, REQUEST_DONE, NULL },
	{ plain, "{\"anything\": 1}", NULL, REQUEST_DONE, NULL },
	{ plain, "", "too hot", REQUEST_REFUSED, "the device answered 'too hot'" },
	{ judged, "{\"status\": \"ok\"}", NULL, REQUEST_DONE, NULL },
	{ judged, "{\"status\": \"ok\"}", "but", REQUEST_REFUSED, "the device answered 'but'" },
	{ judged, "{\"status\": \"error\"}", NULL, REQUEST_REFUSED, "the device answered 'error'" },
	{ judged, "{\"status\": \"bell\\u0007\"}", NULL, REQUEST_REFUSED, "the device answered 'bell?'" },
	{ judged, "{}", NULL, REQUEST_REFUSED, "the answer of the device does not say whether it did it" },
	{ judged, "ok", NULL, REQUEST_REFUSED, "the answer of the device does not say whether it did it" },
	{ judged, "", NULL, REQUEST_REFUSED, "the answer of the device does not say whether it did it" },
};

Test(mqtt_response, is_what_the_device_answers)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mqtt_site s;
		struct rig_ask a = { 0 };
		struct point *dim = begin(&s, rows[i].options);
		struct mqtt_broker_counts c = ask(&s, &a, dim, "50");
		settle(&s);
		cr_expect_eq(a.n_done, 0, "row %zu: the broker has it, and the device has not answered", i);
		cr_expect_str_eq(c.response_topic, "house/lamp/done");
		mqtt_broker_respond(s.peer, c.response_topic, c.correlation, c.correlation_size, rows[i].payload,
				    rows[i].error);
		RIG_UNTIL(s.rig, a.n_done);
		cr_expect_eq(a.status, rows[i].status, "row %zu: %s", i, a.why.text);
		cr_expect_eq(a.request.answered, rows[i].status == REQUEST_DONE);
		cr_expect_not(a.confirmed, "nobody has seen the value");
		if (rows[i].why)
			cr_expect_str_eq(a.why.text, rows[i].why);
		SHOWS(dim, " unknown");
		mqtt_site_end(&s);
	}
}

Test(mqtt_response, is_only_taken_for_the_write_that_it_answers)
{
	struct mqtt_site s;
	struct rig_ask a = { 0 }, b = { 0 };
	struct point *dim = begin(&s, plain);
	struct mqtt_broker_counts one = ask(&s, &a, dim, "50"), two = ask(&s, &b, dim, "60");
	uint8_t kept[64] = { 0x31, 35, 0, 15, 'h', 'o', 'u', 's', 'e', '/', 'l', 'a', 'm', 'p', '/', 'd', 'o', 'n', 'e',
			     19, 9, 0, 16 };
	cr_expect_eq(one.correlation_size, 16);
	cr_expect_arr_neq(one.correlation, two.correlation, 16);
	mqtt_broker_respond(s.peer, "house/lamp/done", NULL, 0, "", NULL);
	mqtt_broker_respond(s.peer, "house/lamp/done", "", 0, "", NULL);
	mqtt_broker_respond(s.peer, "house/lamp/done", one.correlation, 15, "", NULL);
	mqtt_broker_respond(s.peer, "house/lamp/done", "0123456789abcdef", 16, "", NULL);
	mqtt_broker_respond(s.peer, "house/lamp/dim", one.correlation, 16, "7", NULL);
	memcpy(kept + 23, one.correlation, 16);
	kept[1] = 37;
	mqtt_broker_send(s.peer, kept, 39); /* an answer from another time */
	settle(&s);
	cr_expect_eq(a.n_done, 0);
	cr_expect_eq(b.n_done, 0);
	mqtt_broker_respond(s.peer, "house/lamp/done", two.correlation, 16, "", NULL);
	settle(&s);
	cr_expect_eq(a.n_done, 0);
	cr_expect_eq(b.status, REQUEST_DONE);
	cr_expect_eq(b.n_done, 1);
	mqtt_broker_respond(s.peer, "house/lamp/done", two.correlation, 16, "", NULL); /* again */
	mqtt_broker_respond(s.peer, "house/lamp/done", one.correlation, 16, "", "no");
	settle(&s);
	cr_expect_eq(a.n_done, 1);
	cr_expect_eq(a.status, REQUEST_REFUSED);
	cr_expect_eq(s.rig->n_away, 0);
	mqtt_site_end(&s);
}

Test(mqtt_response, may_come_before_the_broker_acknowledges)
{
	struct mqtt_site s;
	struct rig_ask a = { 0 };
	struct point *dim = begin(&s, plain);
	mqtt_broker_fault(s.peer, MQTT_BROKER_NO_PUBACK, 0);
	struct mqtt_broker_counts c = ask(&s, &a, dim, "50");
	mqtt_broker_respond(s.peer, c.response_topic, c.correlation, c.correlation_size, "", NULL);
	RIG_UNTIL(s.rig, a.n_done);
	cr_expect_eq(a.status, REQUEST_DONE);
	mqtt_broker_send(s.peer, (const uint8_t[]){ 0x40, 2, (uint8_t)(c.mid >> 8), (uint8_t)c.mid }, 4);
	settle(&s);
	cr_expect_eq(a.n_done, 1);
	mqtt_site_end(&s);
}

Test(mqtt_response, that_does_not_come_is_no_success)
{
	struct mqtt_site s;
	struct rig_ask a = { 0 }, b = { 0 };
	struct point *dim = begin(&s, plain);
	struct mqtt_broker_counts c = ask(&s, &a, dim, "50");
	settle(&s);
	loop_skip(s.rig->loop, 60001);
	RIG_UNTIL(s.rig, a.n_done);
	cr_expect_eq(a.status, REQUEST_TIMEOUT);
	cr_expect_str_eq(a.why.text, "the device did not answer in time");
	mqtt_broker_respond(s.peer, c.response_topic, c.correlation, c.correlation_size, "", NULL); /* too late */
	settle(&s);
	ask(&s, &b, dim, "60");
	settle(&s);
	mqtt_broker_die(s.peer);
	RIG_UNTIL(s.rig, b.n_done);
	cr_expect_eq(b.status, REQUEST_AWAY);
	cr_expect_str_eq(b.why.text,
			 "sent, but then the broker was lost before the device answered: the broker closed the "
			 "connection");
	mqtt_site_end(&s);
}

Test(mqtt_response, is_not_awaited_when_the_broker_refuses)
{
	struct mqtt_site s;
	struct rig_ask a = { 0 };
	struct point *dim = begin(&s, plain);
	mqtt_broker_fault(s.peer, MQTT_BROKER_REFUSES_PUBLISH, 0x87);
	rig_ask_write(s.rig, &a, dim, "50", 60000);
	RIG_UNTIL(s.rig, a.n_done);
	cr_expect_eq(a.status, REQUEST_REFUSED);
	cr_expect_str_eq(a.why.text, "the broker refuses: Not authorized");
	mqtt_site_end(&s);
}

/* More at once than the broker is given at a time: who waits for a device keeps no place in that window. */
Test(mqtt_response, is_awaited_by_as_many_as_ask)
{
	enum { MANY = 60 };
	struct mqtt_site s;
	struct rig_ask a[MANY] = { 0 };
	struct mqtt_broker_counts c[MANY];
	struct point *dim = begin(&s, plain);
	for (size_t i = 0; i < MANY; i++)
		c[i] = ask(&s, &a[i], dim, "50");
	for (size_t i = MANY; i-- > 0;)
		mqtt_broker_respond(s.peer, "house/lamp/done", c[i].correlation, 16, "", i % 2 ? "no" : NULL);
	settle(&s);
	for (size_t i = 0; i < MANY; i++) {
		cr_expect_eq(a[i].n_done, 1);
		cr_expect_eq(a[i].status, i % 2 ? REQUEST_REFUSED : REQUEST_DONE);
	}
	mqtt_site_end(&s);
}

Test(mqtt_response, is_not_awaited_for_ever_when_it_is_closed)
{
	struct mqtt_site s;
	struct rig_ask a = { 0 };
	ask(&s, &a, begin(&s, plain), "50");
	bridge_stop(s.rig->bridge);
	cr_expect_eq(a.n_done, 1);
	cr_expect_eq(a.status, REQUEST_CANCELLED);
	mqtt_site_end(&s);
}

Test(mqtt_response, is_refused_in_check_where_nobody_can_answer)
{
	static const struct {
		const char *bus, *point, *words;
		enum confirm confirm;
	} bad[] = {
		{ "version=3.1.1", plain, "write.confirm: \"response\" needs version = \"5\" on the bus", CONFIRM_RESPONSE },
		{ "", "write.topic=~/set", "write.response_topic: is missing", CONFIRM_RESPONSE },
		{ "", "write.topic=~/set; write.response_topic=~/set", "write.response_topic: is where the write goes",
		  CONFIRM_RESPONSE },
		{ "", "write.topic=~/set; write.response_topic=~/+", "write.response_topic: '", CONFIRM_RESPONSE },
		{ "", "write.topic=~/set; write.response_topic=~/done; write.response_path=status", "write.response_path",
		  CONFIRM_RESPONSE },
		{ "", plain, "write.response_topic: needs confirm = \"response\"", CONFIRM_STATE },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct mqtt_site s;
		struct err e = { "" };
		mqtt_site_begin(&s, bad[i].bus);
		mqtt_site_point(&s, "dim", TYPE_INT, bad[i].point)->confirm = bad[i].confirm;
		cr_expect_lt(rig_check(s.rig, &e), 0, "row %zu", i);
		cr_expect(strstr(e.text, bad[i].words), "row %zu: %s", i, e.text);
		mqtt_site_end(&s);
	}
}

/* A device in the shell: mosquitto's own tools hear the write and answer it. */
Test(mqtt_response, works_with_mosquitto)
{
	struct real_broker r;
	struct mqtt_site s = { 0 };
	struct rig_ask a = { 0 };
	real_broker_begin(&r, NULL, NULL);
	mqtt_site_begin_at(&s, r.port, "version=5");
	struct point *dim = mqtt_site_point(&s, "dim", TYPE_INT, judged);
	dim->confirm = CONFIRM_RESPONSE;
	mqtt_site_up(&s);
	pid_t device = real_broker_answer(&r, "house/lamp/set", "{\"status\": \"ok\"}");
	rig_ask_write(s.rig, &a, dim, "50", 60000);
	RIG_UNTIL(s.rig, a.n_done);
	cr_expect_eq(a.status, REQUEST_DONE, "%s", a.why.text);
	cr_expect(a.request.answered);
	real_broker_wait(device);
	mqtt_site_end(&s);
	real_broker_end(&r);
}
