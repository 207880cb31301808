#include "tests/bridges/mqtt_site.h"
#include "tests/peers/real_broker.h"
#include "tests/peers/tls_front.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* TLS to a broker: against a front that misbehaves, and against mosquitto. */

TestSuite(mqtt_tls, .timeout = 60);

struct sealed {
	struct certs certs;
	struct tls_front *front;
	struct mqtt_site site;
};

/* more: of the bus; "@" in it is the folder of the certificates */
static void begin(struct sealed *s, const char *more)
{
	char options[512];
	size_t n = 0;
	certs_begin(&s->certs);
	s->site.peer = mqtt_broker_new();
	s->front = tls_front_new(&s->certs, mqtt_broker_port(s->site.peer));
	for (; *more && n < sizeof(options) - sizeof(s->certs.folder); more++) {
		const char plain[] = { *more, '\0' };
		n += (size_t)snprintf(options + n, sizeof(options) - n, "%s",
				      *more == '@' ? s->certs.folder : plain);
	}
	options[n] = '\0';
	mqtt_site_begin_at(&s->site, tls_front_port(s->front), options);
}

static void end(struct sealed *s)
{
	tls_front_die(s->front); /* it holds connections of the broker */
	mqtt_site_end(&s->site);
	tls_front_free(s->front);
	certs_end(&s->certs);
}

static const char trusting[] = "tls.ca_file=@/ca.pem";

Test(mqtt_tls, carries_values_and_writes)
{
	struct sealed s;
	begin(&s, trusting);
	struct point *lux = mqtt_site_point(&s.site, "lux", TYPE_REAL, "path=/lux"),
		     *dim = mqtt_site_point(&s.site, "dim", TYPE_INT, "topic=~/dim; write.topic=~/set");
	mqtt_site_up(&s.site);
	mqtt_site_tell(&s.site, "house/lamp", "{\"lux\": 23.40}");
	SHOWS(lux, "23.40 good");
	cr_expect_eq(rig_write(s.site.rig, dim, "50"), REQUEST_DONE);
	cr_expect_str_eq(mqtt_broker_counts(s.site.peer).payload, "50");
	bridge_stop(s.site.rig->bridge);
	RIG_UNTIL(s.site.rig, s.site.rig->bridge->state == BRIDGE_CLOSED);
	RIG_UNTIL(s.site.rig, mqtt_broker_counts(s.site.peer).disconnects == 1); /* it takes its leave */
	end(&s);
}

/* Larger than what is sealed at once, and than what the guard keeps. */
Test(mqtt_tls, carries_a_flood_and_what_is_large)
{
	enum { MANY = 3000, LARGE = 5 * 1000 * 1000 };
	struct sealed s;
	char payload[32], *big = mem_new(LARGE);
	begin(&s, trusting);
	struct point *lux = mqtt_site_point(&s.site, "lux", TYPE_INT, "");
	mqtt_site_up(&s.site);
	for (int i = 0; i < MANY; i++) {
		int size = snprintf(payload, sizeof(payload), "%d", i);
		mqtt_broker_publish(s.site.peer, "house/lamp", payload, (size_t)size, i % 2, false);
	}
	RIG_UNTIL(s.site.rig, lux->last.quality == QUALITY_GOOD && lux->last.value.number.digits == MANY - 1);
	memset(big, ' ', LARGE);
	mqtt_site_tell_bytes(&s.site, "house/lamp", big, LARGE);
	cr_expect_eq(lux->last.quality, QUALITY_BAD);
	mqtt_site_tell(&s.site, "house/lamp", "7");
	SHOWS(lux, "7 good");
	cr_expect_eq(s.site.rig->n_away, 0);
	mem_free(big);
	end(&s);
}

static const struct {
	enum tls_front_fault fault;
	const char *certificate;
	bool wants;
	const char *options, *line; /* after "bus 'bus': away: " */
	int64_t skip_ms;
} rows[] = {
	{ TLS_FRONT_WELL, "wrong", false, trusting, "the certificate of the broker is not for '127.0.0.1';", 0 },
	{ TLS_FRONT_WELL, "wrong", false, "host=localhost; tls.ca_file=@/ca.pem",
	  "the certificate of the broker is not for 'localhost';", 0 },
	{ TLS_FRONT_WELL, "self", false, trusting, "the certificate of the broker is not signed by a CA of '", 0 },
	{ TLS_FRONT_WELL, "stranger", false, trusting, "the certificate of the broker is not signed by a CA of '", 0 },
	{ TLS_FRONT_WELL, "server", false, "tls.ca_file=@/other-ca.pem",
	  "the certificate of the broker is not signed by a CA of '", 0 },
	{ TLS_FRONT_WELL, "server", false, "tls.ca_path=/usr/lib/ssl/certs",
	  "the certificate of the broker is not signed by a CA of '/usr/lib/ssl/certs';", 0 },
	{ TLS_FRONT_WELL, "expired", false, trusting,
	  "the certificate of the broker has expired, or this clock is wrong;", 0 },
	{ TLS_FRONT_WELL, "future", false, trusting,
	  "the certificate of the broker is not valid yet, or this clock is wrong;", 0 },
	{ TLS_FRONT_WELL, "server", true, trusting,
	  "the broker wants a certificate of ours: tls.cert_file, tls.key_file;", 0 },
	{ TLS_FRONT_WELL, "server", true,
	  "tls.ca_file=@/ca.pem; tls.cert_file=@/stranger.pem; tls.key_file=@/stranger.key",
	  "the broker does not trust the CA of our certificate;", 0 },
	{ TLS_FRONT_RESET, "server", false, trusting, "", 0 },
	{ TLS_FRONT_SILENT, "server", false, trusting,
	  "no answer to the beginning of TLS; does this port want it?;", 10001 },
	{ TLS_FRONT_NO_TLS, "server", false, trusting, "what answers there is not TLS; does this port want it?;", 0 },
	{ TLS_FRONT_CUTS, "server", false, trusting,
	  "the broker closed the connection in the beginning of TLS; does this port want it?;", 0 },
	{ TLS_FRONT_STALLS, "server", false, trusting,
	  "no answer to the beginning of TLS; does this port want it?;", 10001 },
	{ TLS_FRONT_ALERT, "server", false, trusting, "TLS failed: ", 0 },
	{ TLS_FRONT_OLD, "server", false, trusting, "the broker does not speak TLS 1.2 or later;", 0 },
	{ TLS_FRONT_GARBLES, "server", false, trusting, "TLS failed: ", 0 },
	{ TLS_FRONT_BREAKS, "server", false, trusting, "the broker closed the connection;", 0 },
	{ TLS_FRONT_ALERT, "server", false, "", "whoever answers there wants TLS; set tls;", 0 },
	{ TLS_FRONT_WELL, "server", false, "",
	  "the broker closed the connection instead of an answer; does this port want TLS?;", 0 },
};

/* The password is not said to who is not the broker, and nothing spins. */
static void ends_as(size_t i)
{
	struct sealed s;
	char line[256];
	begin(&s, rows[i].options);
	tls_front_fault(s.front, rows[i].fault);
	tls_front_certificate(s.front, rows[i].certificate);
	tls_front_wants(s.front, rows[i].wants);
	struct rig *rig = s.site.rig;
	rig_start(rig);
	if (rows[i].skip_ms) {
		RIG_UNTIL(rig, tls_front_connections(s.front) == 1);
		mqtt_site_let_be(&s.site, 50);
		uint64_t turns = loop_turns(rig->loop);
		mqtt_site_let_be(&s.site, 100);
		cr_expect_lt(loop_turns(rig->loop) - turns, 20, "row %zu spins", i);
		loop_skip(rig->loop, rows[i].skip_ms);
	}
	RIG_UNTIL(rig, rig->n_away);
	for (int k = 0; k < 3; k++) {
		loop_skip(rig->loop, 60000);
		mqtt_site_let_be(&s.site, 20);
	}
	snprintf(line, sizeof(line), "bus 'bus': away: %s", rows[i].line);
	cr_expect_eq(mqtt_site_logged(&s.site, line), 1, "row %zu: %s", i, s.site.lines);
	cr_expect_eq(rig->n_up, 0, "row %zu", i);
	cr_expect_eq(mqtt_broker_counts(s.site.peer).connects, 0, "row %zu", i);
	end(&s);
}

Test(mqtt_tls, ends_in_the_right_state_with_a_sentence)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ends_as(i);
}

Test(mqtt_tls, shows_its_certificate)
{
	struct sealed s;
	begin(&s, "tls.ca_file=@/ca.pem; tls.cert_file=@/client.pem; tls.key_file=@/client.key");
	tls_front_wants(s.front, true);
	mqtt_site_up(&s.site);
	cr_expect_eq(s.site.rig->n_away, 0);
	end(&s);
}

Test(mqtt_tls, comes_back_when_the_certificate_is_mended)
{
	struct sealed s;
	begin(&s, trusting);
	tls_front_certificate(s.front, "expired");
	rig_start(s.site.rig);
	RIG_UNTIL(s.site.rig, s.site.rig->n_away == 1);
	tls_front_certificate(s.front, "server");
	loop_skip(s.site.rig->loop, 60001);
	mqtt_site_wait(&s.site);
	cr_expect_eq(s.site.rig->n_up, 1);
	end(&s);
}

/* A file that is taken away while the gateway runs: away with a sentence, and back with the file. */
Test(mqtt_tls, reads_its_files_each_time)
{
	struct sealed s;
	char ca[128], gone[128];
	begin(&s, trusting);
	mqtt_site_up(&s.site);
	cr_assert_eq(rename(certs_file(&s.certs, "ca.pem", ca), certs_file(&s.certs, "gone.pem", gone)), 0);
	mqtt_broker_die(s.site.peer);
	RIG_UNTIL(s.site.rig, s.site.rig->n_away == 1);
	loop_skip(s.site.rig->loop, 60001);
	RIG_UNTIL(s.site.rig, s.site.rig->n_away == 2);
	cr_expect(strstr(s.site.rig->bridge->why.text, "tls.ca_file: cannot use '"), "%s",
		  s.site.rig->bridge->why.text);
	cr_expect(strstr(s.site.rig->bridge->why.text, "No such file"), "%s", s.site.rig->bridge->why.text);
	cr_assert_eq(rename(gone, ca), 0);
	mqtt_broker_revive(s.site.peer);
	loop_skip(s.site.rig->loop, 60001);
	mqtt_site_wait(&s.site);
	end(&s);
}

Test(mqtt_tls, refuses_in_check_what_files_cannot_do)
{
	static const struct {
		const char *options, *words;
	} bad[] = {
		{ "tls.ca_file=@/none.pem", "tls.ca_file: cannot use '" },
		{ "tls.ca_file=@/server.key", "tls.ca_file: cannot use '" },
		{ "tls.cert_file=@/client.pem", "tls.key_file: is missing" },
		{ "tls.key_file=@/client.key", "tls.cert_file: is missing" },
		{ "tls.cert_file=@/client.pem; tls.key_file=@/server.key", "tls.key_file: is not the key of '" },
		{ "tls.cert_file=@/client.pem; tls.key_file=@/client.pem", "tls.key_file: cannot use '" },
		{ "tls.cert_file=@/client.key; tls.key_file=@/client.key", "tls.cert_file: cannot use '" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sealed s;
		struct err e = { "" };
		begin(&s, bad[i].options);
		cr_expect_lt(rig_check(s.site.rig, &e), 0, "row %zu", i);
		cr_expect(strstr(e.text, bad[i].words), "row %zu: %s", i, e.text);
		end(&s);
	}
}

/* Names are looked up beside the configuration, and then where systemd puts credentials; the check may run again. */
Test(mqtt_tls, finds_its_files_beside_the_configuration)
{
	struct sealed s;
	struct err e = { "" };
	char file[128], key[128], elsewhere[128];
	begin(&s, "tls.ca_file=ca.pem; tls.cert_file=client.pem; tls.key_file=/run/secrets/client.key");
	s.site.rig->bus->file = certs_file(&s.certs, "site.conf", file);
	cr_expect_lt(rig_check(s.site.rig, &e), 0);
	cr_expect(strstr(e.text, "tls.key_file: cannot use '/run/secrets/client.key': "), "%s", e.text);
	snprintf(elsewhere, sizeof(elsewhere), "%s/credentials", s.certs.folder);
	mkdir(elsewhere, 0700);
	setenv("CREDENTIALS_DIRECTORY", elsewhere, 1);
	snprintf(elsewhere, sizeof(elsewhere), "%s/credentials/client.key", s.certs.folder);
	cr_assert_eq(rename(certs_file(&s.certs, "client.key", key), elsewhere), 0);
	cr_expect_eq(rig_check(s.site.rig, &e), 0, "%s", e.text);
	cr_expect_eq(rig_check(s.site.rig, &e), 0, "%s", e.text);
	tls_front_wants(s.front, true);
	mqtt_site_up(&s.site);
	s.site.rig->bus->file = NULL;
	unlink(elsewhere);
	*strrchr(elsewhere, '/') = '\0';
	rmdir(elsewhere);
	end(&s);
}

static void through_mosquitto(const char *version, const char *host)
{
	struct certs certs;
	struct real_broker r;
	struct mqtt_site s = { 0 };
	char options[512];
	certs_begin(&certs);
	chmod(certs.folder, 0755);
	real_broker_begin_sealed(&r, certs.folder);
	snprintf(options, sizeof(options),
		 "host=%s; %s; tls.ca_file=%s/ca.pem; tls.cert_file=%s/client.pem; tls.key_file=%s/client.key", host,
		 version, certs.folder, certs.folder, certs.folder);
	mqtt_site_begin_at(&s, r.port, options);
	struct point *lux = mqtt_site_point(&s, "lux", TYPE_INT, "topic=house/set"),
		     *dim = mqtt_site_point(&s, "dim", TYPE_INT, "topic=~/dim; write.topic=house/set; write.retain=true");
	rig_start(s.rig);
	RIG_UNTIL(s.rig, s.rig->n_up || s.rig->n_away);
	cr_expect_eq(s.rig->n_up, 1, "%s", s.lines);
	cr_expect_eq(rig_write(s.rig, dim, "50"), REQUEST_DONE);
	cr_expect_neq(lux->last.quality, QUALITY_GOOD, "our own words prove nothing");
	mqtt_site_end(&s);
	real_broker_end(&r);
	certs_end(&certs);
}

Test(mqtt_tls, works_with_mosquitto)
{
	through_mosquitto("version=5", "127.0.0.1");
	through_mosquitto("version=3.1.1", "localhost");
}
