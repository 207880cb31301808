#include "tests/lib/rig.h"
#include "tests/peers/certs.h"
#include "tests/peers/libcoap_server.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* coaps against libcoap's server, which speaks DTLS with the same library, but as a process of its own. */

extern const struct bridge_driver driver_coap;

TestSuite(coap_dtls, .timeout = 120);

#define WITH_KEY ((const char *const[]){ "-k", "the key of the bus", NULL })

static struct rig *rig_with(const char *bus)
{
	char options[600];
	snprintf(options, sizeof(options), "ack_timeout=1s; timeout=4s; handshake=2s; %s", bus);
	return rig_new(&driver_coap, options);
}

static struct device *device_at(struct rig *rig, const struct libcoap_server *s, const char *host, const char *more)
{
	char options[600];
	snprintf(options, sizeof(options), "uri=coaps://%s:%d; %s", host, s->port + 1, more);
	return rig_device(rig, "dev", options);
}

static struct point *point_of(struct rig *rig, struct device *d, const char *options)
{
	struct point *p = rig_point(rig, d, "p", TYPE_TEXT, options);
	p->access = strstr(options, "example") ? ACCESS_BOTH : ACCESS_READ;
	p->poll_ms = 0;
	p->write_deadline_ms = 30000;
	return p;
}

static int read_with(struct rig *rig, struct point *p, struct err *why)
{
	struct rig_ask a = { 0 };
	rig_ask_read(rig, &a, p, 20000);
	RIG_UNTIL(rig, a.n_done);
	int status = a.status;
	*why = a.why;
	rig_ask_free(&a);
	return status;
}

Test(coap_dtls, reads_writes_and_observes_with_a_key)
{
	struct libcoap_server s;
	struct err why;
	char text[3001];
	libcoap_server_begin(&s, "127.0.0.1", WITH_KEY);
	struct rig *rig = rig_with("psk_identity=gate; psk=the key of the bus");
	struct device *d = device_at(rig, &s, "127.0.0.1", "");
	struct point *p = point_of(rig, d, "path=/example_data");
	struct point *o = point_of(rig, d, "path=/time; observe=true");
	p->confirm = CONFIRM_READBACK;
	rig_start(rig);
	cr_assert_eq(read_with(rig, p, &why), REQUEST_DONE, "%s", why.text);
	cr_assert_eq(strlen(p->last.value.text), 1500, "in blocks");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	cr_assert_eq(rig_write(rig, p, text), REQUEST_DONE);
	cr_assert_str_eq(p->last.value.text, text);
	RIG_UNTIL(rig, o->last.quality == QUALITY_GOOD);
	snprintf(text, sizeof(text), "%s", o->last.value.text);
	RIG_UNTIL(rig, strcmp(text, o->last.value.text) != 0);
	rig_free(rig);
	libcoap_server_kill(&s);
}

/* The server at the door knows one identity with its own key, and for all others another key. */
Test(coap_dtls, each_device_may_know_us_by_a_key_of_its_own)
{
	struct libcoap_server hall, door;
	struct err why;
	char name[] = "/tmp/coap_dtls.XXXXXX";
	FILE *f = fdopen(mkstemp(name), "w");
	fprintf(f, "CoAP,porter,the key of the door\n");
	fclose(f);
	libcoap_server_begin(&hall, "127.0.0.1", WITH_KEY);
	libcoap_server_begin(&door, "127.0.0.1", (const char *const[]){ "-k", "nobody's", "-i", name, NULL });
	struct rig *rig = rig_with("psk_identity=gate; psk=the key of the bus");
	struct point *of_hall = point_of(rig, device_at(rig, &hall, "127.0.0.1", ""), "path=/time");
	const char hex[] = "psk_identity=porter; psk=hex:746865206b6579206f662074686520646f6f72";
	struct point *of_door = point_of(rig, device_at(rig, &door, "127.0.0.1", hex), "path=/time");
	struct point *wrong = point_of(rig, device_at(rig, &door, "127.0.0.1", ""), "path=/time");
	rig_start(rig);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(read_with(rig, of_hall, &why), REQUEST_DONE, "%s", why.text);
		cr_assert_eq(read_with(rig, of_door, &why), REQUEST_DONE, "%s", why.text);
	}
	cr_assert_eq(read_with(rig, wrong, &why), REQUEST_AWAY, "the bus's key is not the door's");
	cr_assert_eq(read_with(rig, of_door, &why), REQUEST_DONE, "%s", why.text);
	rig_free(rig);
	libcoap_server_kill(&hall);
	libcoap_server_kill(&door);
	unlink(name);
}

Test(coap_dtls, a_wrong_key_is_told_in_time_and_is_no_value)
{
	struct libcoap_server s;
	struct err why;
	libcoap_server_begin(&s, "127.0.0.1", WITH_KEY);
	struct rig *rig = rig_with("psk_identity=gate; psk=another secret");
	struct point *p = point_of(rig, device_at(rig, &s, "127.0.0.1", ""), "path=/time");
	struct point *o = point_of(rig, device_at(rig, &s, "127.0.0.1", ""), "path=/time; observe=true");
	rig_start(rig);
	cr_assert_eq(read_with(rig, p, &why), REQUEST_AWAY);
	cr_assert(strstr(why.text, "this identity with this key") || strstr(why.text, "refuses"), "%s", why.text);
	cr_assert_null(strstr(why.text, "secret"));
	cr_assert_eq(p->last.quality, QUALITY_BAD);
	RIG_UNTIL(rig, o->last.quality == QUALITY_BAD);
	cr_assert_eq(rig->n_away, 0, "it is not the bus that is away");
	libcoap_server_kill(&s);
	cr_assert_eq(read_with(rig, p, &why), REQUEST_AWAY, "and nobody is there at all");
	rig_free(rig);
}

Test(coap_dtls, speaks_ipv6)
{
	if (!libcoap_server_has_ipv6())
		cr_skip_test("there is no IPv6 here");
	struct libcoap_server s;
	struct err why;
	libcoap_server_begin(&s, "::1", WITH_KEY);
	struct rig *rig = rig_with("psk_identity=gate; psk=the key of the bus");
	struct point *p = point_of(rig, device_at(rig, &s, "[::1]", ""), "path=/example_data");
	rig_start(rig);
	cr_assert_eq(read_with(rig, p, &why), REQUEST_DONE, "%s", why.text);
	cr_assert_eq(strlen(p->last.value.text), 1500);
	rig_free(rig);
	libcoap_server_kill(&s);
}

static const struct {
	const char *server, *host, *tls;
	int status;
	const char *why;
} greetings[] = {
	{ "server", "127.0.0.1", "", REQUEST_DONE, "" },
	{ "server", "127.0.0.1", "tls.server_name=localhost", REQUEST_DONE, "" },
	{ "wrong", "127.0.0.1", "", REQUEST_AWAY, "certificate of the device is not for '127.0.0.1'" },
	{ "wrong", "127.0.0.1", "tls.server_name=elsewhere.test", REQUEST_DONE, "" },
	{ "server", "127.0.0.1", "tls.server_name=elsewhere.test", REQUEST_AWAY, "is not for 'elsewhere.test'" },
	{ "expired", "127.0.0.1", "", REQUEST_AWAY, "has expired" },
	{ "self", "127.0.0.1", "", REQUEST_AWAY, "is not signed by a CA of" },
};

static struct rig *rig_of(const struct certs *c, const char *ca, const char *more)
{
	char bus[400];
	snprintf(bus, sizeof(bus), "tls.ca_file=%s/%s.pem; %s", c->folder, ca, more);
	return rig_with(bus);
}

static void begin_with(struct libcoap_server *s, const struct certs *c, const char *name, char cert[128], char key[128],
		       const char *ca, const char *free_entry)
{
	char pem[64];
	snprintf(pem, sizeof(pem), "%s.pem", name);
	certs_file(c, pem, cert);
	snprintf(pem, sizeof(pem), "%s.key", name);
	certs_file(c, pem, key);
	libcoap_server_begin(s, "127.0.0.1",
			     (const char *const[]){ "-c", cert, "-j", key, "-R", ca, free_entry, NULL });
}

Test(coap_dtls, certificates_are_looked_at)
{
	struct certs c;
	char cert[128], key[128], ca[128];
	certs_begin(&c);
	certs_file(&c, "ca.pem", ca);
	for (size_t i = 0; i < sizeof(greetings) / sizeof(greetings[0]); i++) {
		struct libcoap_server s;
		struct err why;
		begin_with(&s, &c, greetings[i].server, cert, key, ca, "-n");
		struct rig *rig = rig_of(&c, "ca", greetings[i].tls);
		struct point *p = point_of(rig, device_at(rig, &s, greetings[i].host, ""), "path=/time");
		rig_start(rig);
		int status = read_with(rig, p, &why);
		cr_expect_eq(status, greetings[i].status, "%s %s: %s", greetings[i].server, greetings[i].tls, why.text);
		cr_expect(strstr(why.text, greetings[i].why), "%s: %s", greetings[i].server, why.text);
		rig_free(rig);
		libcoap_server_kill(&s);
	}
	certs_end(&c);
}

/* The certificate comes with its CA behind it: who brings his own root along is not trusted for it. */
Test(coap_dtls, another_ca_is_told)
{
	struct certs c;
	struct libcoap_server s;
	struct err why;
	char cert[128], key[128], ca[128];
	certs_begin(&c);
	begin_with(&s, &c, "server", cert, key, certs_file(&c, "ca.pem", ca), "-n");
	struct rig *rig = rig_of(&c, "other-ca", "");
	struct point *p = point_of(rig, device_at(rig, &s, "127.0.0.1", ""), "path=/time");
	rig_start(rig);
	cr_assert_eq(read_with(rig, p, &why), REQUEST_AWAY);
	cr_assert(strstr(why.text, "is not signed by a CA of"), "%s", why.text);
	rig_free(rig);
	libcoap_server_kill(&s);
	certs_end(&c);
}

Test(coap_dtls, our_certificate_is_shown_to_who_wants_it)
{
	struct certs c;
	struct libcoap_server s;
	struct err why;
	char cert[128], key[128], ca[128], own[400];
	certs_begin(&c);
	begin_with(&s, &c, "server", cert, key, certs_file(&c, "ca.pem", ca), NULL);
	struct rig *rig = rig_of(&c, "ca", "");
	snprintf(own, sizeof(own), "tls.ca_file=%s; tls.cert_file=%s/client.pem; tls.key_file=%s/client.key", ca,
		 c.folder, c.folder);
	struct point *p = point_of(rig, device_at(rig, &s, "127.0.0.1", own), "path=/time");
	struct point *naked = point_of(rig, device_at(rig, &s, "127.0.0.1", ""), "path=/time");
	rig_start(rig);
	cr_assert_eq(read_with(rig, p, &why), REQUEST_DONE, "%s", why.text);
	cr_assert_eq(read_with(rig, naked, &why), REQUEST_AWAY, "the other device's certificate is not this one's");
	cr_assert_eq(read_with(rig, p, &why), REQUEST_DONE, "%s", why.text);
	rig_free(rig);
	libcoap_server_kill(&s);
	certs_end(&c);
}

/* A server that was restarted knows no session, and says nothing about that. */
Test(coap_dtls, a_restarted_device_gets_a_new_session_and_is_observed_again)
{
	struct libcoap_server s;
	struct err why;
	libcoap_server_begin(&s, "127.0.0.1", WITH_KEY);
	struct rig *rig =
		rig_with("psk_identity=gate; psk=the key of the bus; max_lost=2; max_retransmit=1; timeout=1s");
	struct device *d = device_at(rig, &s, "127.0.0.1", "");
	struct point *p = point_of(rig, d, "path=/example_data");
	struct point *o = point_of(rig, d, "path=/time; observe=true; refresh=1h");
	rig_start(rig);
	RIG_UNTIL(rig, o->last.quality == QUALITY_GOOD);
	cr_assert_eq(rig_write(rig, p, "before"), REQUEST_DONE);
	libcoap_server_kill(&s);
	libcoap_server_restart(&s);
	cr_assert_neq(read_with(rig, p, &why), REQUEST_DONE);
	cr_assert_neq(read_with(rig, p, &why), REQUEST_DONE);
	cr_assert_eq(read_with(rig, p, &why), REQUEST_DONE, "%s", why.text);
	cr_assert_str_neq(p->last.value.text, "before");
	char seen[64];
	snprintf(seen, sizeof(seen), "%s", o->last.value.text);
	loop_skip(rig->loop, 5000);
	RIG_UNTIL(rig, o->last.quality == QUALITY_GOOD && strcmp(seen, o->last.value.text) != 0);
	snprintf(seen, sizeof(seen), "%s", o->last.value.text);
	RIG_UNTIL(rig, strcmp(seen, o->last.value.text) != 0);
	rig_free(rig);
	libcoap_server_kill(&s);
}

/* Who has waited for less than `timeout` has waited for nothing, too. */
Test(coap_dtls, impatient_friends_also_notice_that_a_device_was_restarted)
{
	struct libcoap_server s;
	libcoap_server_begin(&s, "127.0.0.1", WITH_KEY);
	struct rig *rig = rig_with("psk_identity=gate; psk=the key of the bus; timeout=60s");
	struct point *p = point_of(rig, device_at(rig, &s, "127.0.0.1", ""), "path=/example_data");
	int statuses[4];
	rig_start(rig);
	for (int i = 0; i < 4; i++) {
		struct rig_ask a = { 0 };
		if (i == 1) {
			libcoap_server_kill(&s);
			libcoap_server_restart(&s);
		}
		rig_ask_read(rig, &a, p, i == 1 || i == 2 ? 1600 : 20000);
		RIG_UNTIL(rig, a.n_done);
		statuses[i] = a.status;
		rig_ask_free(&a);
	}
	cr_assert_eq(statuses[0], REQUEST_DONE);
	cr_assert(statuses[1] != REQUEST_DONE && statuses[2] != REQUEST_DONE);
	cr_assert_eq(statuses[3], REQUEST_DONE);
	rig_free(rig);
	libcoap_server_kill(&s);
}

static size_t open_files(void)
{
	size_t n = 0;
	for (int fd = 0; fd < 200; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* libcoap keeps a session as long as it repeats something on it: a write that is too late must not be sent any more. */
Test(coap_dtls, a_session_that_was_given_up_is_closed)
{
	struct libcoap_server s;
	struct err why;
	struct rig_ask a = { 0 };
	libcoap_server_begin(&s, "127.0.0.1", WITH_KEY);
	struct rig *rig = rig_with("psk_identity=gate; psk=the key of the bus; max_retransmit=4; timeout=30s");
	struct point *p = point_of(rig, device_at(rig, &s, "127.0.0.1", ""), "path=/example_data");
	rig_start(rig);
	cr_assert_eq(read_with(rig, p, &why), REQUEST_DONE, "%s", why.text);
	size_t before = open_files();
	libcoap_server_kill(&s);
	rig_ask_write(rig, &a, p, "too late", 500);
	RIG_UNTIL(rig, a.n_done);
	cr_assert_neq(a.status, REQUEST_DONE);
	loop_turn(rig->loop);
	cr_assert_eq(open_files(), before - 1);
	libcoap_server_restart(&s);
	cr_assert_eq(read_with(rig, p, &why), REQUEST_DONE, "%s", why.text);
	cr_assert_eq(open_files(), before);
	rig_free(rig);
	libcoap_server_kill(&s);
}

int coap_debug_set_packet_loss(const char *loss_level); /* of what our side sends: it is the same library */

Test(coap_dtls, a_lost_greeting_is_said_again)
{
	struct libcoap_server s;
	struct err why;
	libcoap_server_begin(&s, "127.0.0.1", WITH_KEY);
	struct rig *rig = rig_with("psk_identity=gate; psk=the key of the bus; handshake=15s");
	struct point *p = point_of(rig, device_at(rig, &s, "127.0.0.1", ""), "path=/example_data");
	rig_start(rig);
	cr_assert_eq(coap_debug_set_packet_loss("1"), 1); /* the first datagram */
	cr_assert_eq(read_with(rig, p, &why), REQUEST_DONE, "%s", why.text);
	coap_debug_set_packet_loss("0%");
	rig_free(rig);
	libcoap_server_kill(&s);
}

Test(coap_dtls, a_line_that_loses_a_tenth)
{
	struct libcoap_server s;
	struct err why;
	libcoap_server_begin(&s, "127.0.0.1", (const char *const[]){ "-k", "the key of the bus", "-l", "10%", NULL });
	struct rig *rig = rig_with("psk_identity=gate; psk=the key of the bus; timeout=15s; handshake=15s");
	struct point *p = point_of(rig, device_at(rig, &s, "127.0.0.1", ""), "path=/example_data");
	rig_start(rig);
	for (int i = 0; i < 5; i++) {
		cr_assert_eq(read_with(rig, p, &why), REQUEST_DONE, "%s", why.text);
		cr_assert_eq(strlen(p->last.value.text), 1500);
	}
	rig_free(rig);
	libcoap_server_kill(&s);
}

static const struct {
	const char *bus, *device, *why;
} mistakes[] = {
	{ "", "uri=coaps://h", "uri: coaps:// needs psk_identity and psk_file, or tls, here or at the bus" },
	{ "psk_identity=x", "uri=coap://h", "psk_file: is missing" },
	{ "psk=x", "uri=coap://h", "psk_identity: is missing" },
	{ "", "uri=coap://h; psk_identity=x; psk=y", "psk_identity: the uri is coap://, which protects nothing" },
	{ "", "uri=coaps://h; psk_identity=x; psk=hex:0g", "psk: must have from 1 to 64 bytes" },
	{ "", "uri=coaps://h; psk_identity=x; psk=y; tls.ca_file=/nowhere", "tls: a session has a pre-shared key or" },
	{ "tls.ca_file=/nowhere", "uri=coap://h", "tls.ca_file: cannot use '/nowhere'" },
	{ "", "uri=coaps://h; tls.cert_file=/nowhere", "tls.key_file: is missing" },
	{ "", "uri=coap://h; block=100B", "block: must be 16, 32" },
};

Test(coap_dtls, mistakes_are_found_by_the_check)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct rig *rig = rig_new(&driver_coap, mistakes[i].bus);
		struct err e = { "" };
		rig_device(rig, "dev", mistakes[i].device);
		cr_expect_eq(rig_check(rig, &e), -1);
		cr_expect(strstr(e.text, mistakes[i].why), "%s | %s: %s", mistakes[i].bus, mistakes[i].device, e.text);
		rig_free(rig);
	}
}
