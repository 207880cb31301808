#include "tests/bridges/mqtt_site.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(mqtt_connection, .timeout = 60);

static const struct {
	enum mqtt_broker_fault fault;
	unsigned code;
	const char *options, *line; /* after "bus 'bus': away: " */
	int64_t skip_ms;            /* what must go by until it is noticed */
} rows[] = {
	{ MQTT_BROKER_RESET, 0, "", "", 0 },
	{ MQTT_BROKER_CLOSES, 0, "",
	  "the broker closed the connection instead of an answer; does this port want TLS?;", 0 },
	{ MQTT_BROKER_NO_MQTT, 0, "", "whoever answers there does not speak MQTT;", 0 },
	{ MQTT_BROKER_SILENT, 0, "", "no answer to CONNECT; is it a broker?;", 10001 },
	{ MQTT_BROKER_HALF_CONNACK, 0, "", "no answer to CONNECT; is it a broker?;", 10001 },
	{ MQTT_BROKER_REFUSES, 0x84, "version=5",
	  "the broker refuses: it does not speak this version of MQTT; change version;", 0 },
	{ MQTT_BROKER_REFUSES, 0x85, "version=5", "the broker refuses: it does not like the client_id;", 0 },
	{ MQTT_BROKER_REFUSES, 0x86, "version=5", "the broker refuses: wrong user or password;", 0 },
	{ MQTT_BROKER_REFUSES, 0x97, "version=5", "the broker refuses: Quota exceeded;", 0 },
	{ MQTT_BROKER_REFUSES, 1, "version=3.1.1",
	  "the broker refuses: it does not speak this version of MQTT; change version;", 0 },
	{ MQTT_BROKER_REFUSES, 4, "version=3.1.1", "the broker refuses: wrong user or password;", 0 },
	{ MQTT_BROKER_REFUSES, 5, "version=3.1.1", "the broker refuses: not authorized", 0 },
	{ MQTT_BROKER_HOSTILE, 14, "version=5", "the broker sent what is not MQTT;", 0 }, /* an unknown property */
	{ MQTT_BROKER_HOSTILE, 2, "version=3.1.1", "the broker sent what is not MQTT;", 0 },
	{ MQTT_BROKER_CUTS, 0, "", "the broker closed the connection;", 0 },
	{ MQTT_BROKER_ENDLESS, 0, "", "the broker sends more than 16 MiB in one message;", 0 },
	{ MQTT_BROKER_DISCONNECTS, 0x8E, "version=5", "the broker ended the connection: Session taken over;", 0 },
	{ MQTT_BROKER_REMEMBERS, 0, "version=5", "the broker kept a session that was to end;", 0 },
	{ MQTT_BROKER_REMEMBERS, 0, "version=3.1.1", "the broker kept a session that was to end;", 0 },
	{ MQTT_BROKER_NO_SUBACK, 0, "", "the broker does not answer a subscription;", 20001 },
};

static void ends_as(size_t i)
{
	char line[256];
	struct mqtt_site s;
	mqtt_site_begin(&s, rows[i].options);
	mqtt_site_point(&s, "lux", TYPE_REAL, "path=/lux");
	mqtt_broker_fault(s.peer, rows[i].fault, rows[i].code);
	rig_start(s.rig);
	if (rows[i].skip_ms) {
		RIG_UNTIL(s.rig, mqtt_broker_counts(s.peer).connections == 1);
		mqtt_site_let_be(&s, 50);
		uint64_t turns = loop_turns(s.rig->loop);
		mqtt_site_let_be(&s, 100);
		cr_expect_lt(loop_turns(s.rig->loop) - turns, 20, "row %zu spins", i);
		loop_skip(s.rig->loop, rows[i].skip_ms);
	}
	RIG_UNTIL(s.rig, s.rig->n_away);
	for (int k = 0; k < 4; k++) { /* the same again and again is no news */
		loop_skip(s.rig->loop, 60000);
		mqtt_site_let_be(&s, 20);
	}
	snprintf(line, sizeof(line), "bus 'bus': away: %s", rows[i].line);
	size_t lines = mqtt_site_logged(&s, line);
	cr_expect(lines >= 1 && lines <= 1 + s.rig->n_up, "row %zu: %s", i, s.lines);
	mqtt_site_end(&s);
}

Test(mqtt_connection, ends_in_the_right_state_with_a_sentence)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ends_as(i);
}

Test(mqtt_connection, says_once_that_nobody_is_there)
{
	struct mqtt_site s;
	mqtt_site_begin(&s, "");
	mqtt_broker_die(s.peer);
	rig_start(s.rig);
	RIG_UNTIL(s.rig, s.rig->n_away == 1);
	for (int i = 0; i < 5; i++) {
		size_t away = s.rig->n_away;
		loop_skip(s.rig->loop, 60001);
		RIG_UNTIL(s.rig, s.rig->n_away > away);
	}
	cr_expect_eq(mqtt_site_logged(&s, "bus 'bus': away: cannot connect to 127.0.0.1 port "), 1);
	mqtt_broker_revive(s.peer);
	loop_skip(s.rig->loop, 60001);
	mqtt_site_wait(&s);
	cr_expect_eq(mqtt_site_logged(&s, "bus 'bus': up"), 1);
	mqtt_site_end(&s);
}

Test(mqtt_connection, names_itself)
{
	struct mqtt_site s;
	mqtt_site_begin(&s, "client_id=boiler-room; user=gate; password=secret");
	mqtt_site_up(&s);
	struct mqtt_broker_counts c = mqtt_broker_counts(s.peer);
	cr_expect_str_eq(c.client_id, "boiler-room");
	cr_expect_str_eq(c.user, "gate");
	cr_expect_str_eq(c.password, "secret");
	cr_expect(c.clean, "no session of earlier goes on");
	cr_expect_eq(c.maximum_packet, 256 * 1024);
	cr_expect_eq(c.receive_maximum, 100);
	cr_expect(c.says_expiry && c.session_expiry == 0, "and none stays");
	cr_expect_eq(c.wills, 0, "nothing is published that was not asked for");
	cr_expect_eq(c.connections, 1);
	cr_expect_eq(c.connects, 1);
	cr_expect_eq(mqtt_site_logged(&s, "secret"), 0);
	bridge_stop(s.rig->bridge);
	RIG_UNTIL(s.rig, s.rig->bridge->state == BRIDGE_CLOSED);
	RIG_UNTIL(s.rig, mqtt_broker_counts(s.peer).disconnects == 1); /* it takes its leave */
	mqtt_site_end(&s);
}

Test(mqtt_connection, has_a_name_of_its_own_when_none_is_given)
{
	struct mqtt_site one, two;
	mqtt_site_begin(&one, "version=3.1.1");
	mqtt_site_up(&one);
	struct mqtt_broker_counts c = mqtt_broker_counts(one.peer);
	two.peer = one.peer;
	mqtt_site_begin_at(&two, mqtt_broker_port(one.peer), "");
	mqtt_site_up(&two);
	cr_expect_eq(strncmp(c.client_id, "jidgate-", 8), 0);
	cr_expect_eq(strlen(c.client_id), 16);
	cr_expect_str_neq(c.client_id, mqtt_broker_counts(one.peer).client_id);
	cr_expect(c.clean);
	cr_expect_eq(c.maximum_packet, 0, "version 3.1.1 cannot say it");
	two.peer = NULL;
	mqtt_site_end(&two);
	mqtt_site_end(&one);
}

static void kept(struct mqtt_site *s, const char *expected)
{
	char got[64];
	do
		mqtt_site_let_be(s, 5); /* what the gateway does last, it does not wait for */
	while (mqtt_broker_kept(s->peer, "jidgate/status", got, sizeof(got)), strcmp(got, expected) != 0);
}

static void tells_its_status(const char *version)
{
	struct mqtt_site s;
	char options[128];
	snprintf(options, sizeof(options), "status.topic=jidgate/status; status.offline=gone; %s", version);
	mqtt_site_begin(&s, options);
	mqtt_site_up(&s);
	kept(&s, "online");
	cr_expect_eq(mqtt_broker_counts(s.peer).wills, 1);
	mqtt_broker_die(s.peer); /* and forgets all */
	RIG_UNTIL(s.rig, s.rig->n_away == 1);
	mqtt_broker_revive(s.peer);
	loop_skip(s.rig->loop, 60001);
	mqtt_site_wait(&s);
	kept(&s, "online");
	bridge_stop(s.rig->bridge);
	RIG_UNTIL(s.rig, s.rig->bridge->state == BRIDGE_CLOSED);
	RIG_UNTIL(s.rig, mqtt_broker_counts(s.peer).disconnects == 1);
	kept(&s, "gone");
	mqtt_site_end(&s);
}

Test(mqtt_connection, tells_others_that_it_is_there_with_version_5)
{
	tells_its_status("version=5");
}

Test(mqtt_connection, tells_others_that_it_is_there_with_version_3)
{
	tells_its_status("version=3.1.1");
}

Test(mqtt_connection, has_the_broker_tell_that_it_is_gone)
{
	struct mqtt_site s;
	mqtt_site_begin(&s, "status.topic=jidgate/status");
	mqtt_site_up(&s);
	kept(&s, "online");
	mqtt_broker_send(s.peer, "\xFF\xFF\xFF\xFF\xFF\xFF", 6); /* what is not MQTT: we close without a word */
	RIG_UNTIL(s.rig, s.rig->n_away == 1);
	kept(&s, "offline");
	cr_expect_eq(mqtt_broker_counts(s.peer).disconnects, 0);
	mqtt_site_end(&s);
}

/* A port whose queue is full: SYNs are dropped, as by a firewall. Closing must not wait for the kernel's two minutes. */
Test(mqtt_connection, can_be_closed_while_a_firewall_swallows_everything)
{
	struct mqtt_site s = { 0 };
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof(at);
	int fds[8], listener = socket(AF_INET, SOCK_STREAM, 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(listen(listener, 0), 0);
	getsockname(listener, (struct sockaddr *)&at, &size);
	for (size_t i = 0; i < 8; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fds[i], (struct sockaddr *)&at, sizeof(at));
	}
	mqtt_site_begin_at(&s, ntohs(at.sin_port), "");
	rig_start(s.rig);
	mqtt_site_let_be(&s, 100);
	cr_expect_eq(s.rig->bridge->state, BRIDGE_OPENING);
	bridge_stop(s.rig->bridge);
	RIG_UNTIL(s.rig, s.rig->bridge->state == BRIDGE_CLOSED);
	mqtt_site_end(&s);
	for (size_t i = 0; i < 8; i++)
		close(fds[i]);
	close(listener);
}
