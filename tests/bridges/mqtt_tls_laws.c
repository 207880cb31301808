#include "tests/bridges/laws.h"
#include "tests/peers/mqtt_broker.h"
#include "tests/peers/tls_front.h"

#include <stdio.h>
#include <stdlib.h>

/* The same laws when TLS is between: a broker behind a front that can get it wrong. */

extern const struct bridge_driver driver_mqtt;

struct peer {
	struct certs certs;
	struct mqtt_broker *broker;
	struct tls_front *front;
};

static void *start(void)
{
	struct peer *p = calloc(1, sizeof(*p));
	certs_begin(&p->certs);
	p->broker = mqtt_broker_new();
	p->front = tls_front_new(&p->certs, mqtt_broker_port(p->broker));
	return p;
}

static void stop(void *peer)
{
	struct peer *p = peer;
	tls_front_die(p->front);
	mqtt_broker_free(p->broker);
	tls_front_free(p->front);
	certs_end(&p->certs);
	free(p);
}

static void bus(void *peer, char *ret, size_t room)
{
	const struct peer *p = peer;
	char ca[128];
	snprintf(ret, room, "host=localhost; port=%d; keepalive=5s; tls.ca_file=%s", tls_front_port(p->front),
		 certs_file(&p->certs, "ca.pem", ca));
}

static void device(void *peer, char *ret, size_t room)
{
	(void)peer;
	snprintf(ret, room, "topic=house/lamp; availability.topic=~/availability");
}

static void tell(void *peer)
{
	const struct peer *p = peer;
	mqtt_broker_publish(p->broker, "house/lamp", "{\"lux\": 23.40}", 14, 0, false);
}

static void mute(void *peer, bool on)
{
	const struct peer *p = peer;
	mqtt_broker_fault(p->broker, on ? MQTT_BROKER_SILENT : MQTT_BROKER_WELL, 0);
}

static void die(void *peer)
{
	const struct peer *p = peer;
	tls_front_die(p->front);
}

static void revive(void *peer)
{
	const struct peer *p = peer;
	tls_front_revive(p->front);
}

static void renew(const struct peer *p)
{
	tls_front_die(p->front);
	tls_front_revive(p->front);
}

/* First each fault of TLS, then each certificate that is no good. */
static bool misbehave(void *peer, size_t n)
{
	static const char *const certificates[] = { "wrong", "expired", "future", "self", "stranger" };
	const struct peer *p = peer;
	if (n + 1 < TLS_FRONT_FAULTS)
		tls_front_fault(p->front, (enum tls_front_fault)(n + 1));
	else if (n + 1 - TLS_FRONT_FAULTS < sizeof(certificates) / sizeof(certificates[0]))
		tls_front_certificate(p->front, certificates[n + 1 - TLS_FRONT_FAULTS]);
	else
		return false;
	renew(p);
	return true;
}

static void behave(void *peer)
{
	const struct peer *p = peer;
	tls_front_fault(p->front, TLS_FRONT_WELL);
	tls_front_certificate(p->front, "server");
	renew(p);
}

static size_t attempts(void *peer)
{
	const struct peer *p = peer;
	return tls_front_connections(p->front);
}

static const struct laws_bad bad[] = {
	{ .bus = "host=localhost; tls.ca_file=/nowhere/ca.pem" },
	{ .bus = "host=localhost; tls.key_file=/nowhere/key.pem" },
	{ .bus = "host=localhost; tls.cert_file=/nowhere/cert.pem" },
};

static const struct laws mqtt = {
	.driver = &driver_mqtt,
	.start = start,
	.stop = stop,
	.bus = bus,
	.device = device,
	.reads = { TYPE_REAL, "path=/lux" },
	.raw = "23.40",
	.writes = { TYPE_INT, "path=/dim; write.topic=~/set; write.payload={\"dim\": ${value}}" },
	.shown = "50",
	.bad = bad,
	.n_bad = sizeof(bad) / sizeof(bad[0]),
	.tell = tell,
	.mute = mute,
	.die = die,
	.revive = revive,
	.misbehave = misbehave,
	.behave = behave,
	.attempts = attempts,
};

LAWS(mqtt_tls_laws, &mqtt)
