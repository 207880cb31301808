#include "tests/bridges/laws.h"
#include "tests/peers/mqtt_broker.h"

#include <stdio.h>

extern const struct bridge_driver driver_mqtt;

static void *start(void)
{
	return mqtt_broker_new();
}

static void stop(void *peer)
{
	mqtt_broker_free(peer);
}

static void bus(void *peer, char *ret, size_t room)
{
	snprintf(ret, room, "host=127.0.0.1; port=%d; keepalive=5s", mqtt_broker_port(peer));
}

static void device(void *peer, char *ret, size_t room)
{
	(void)peer;
	snprintf(ret, room, "topic=house/lamp; availability.topic=~/availability");
}

static void tell(void *peer)
{
	mqtt_broker_publish(peer, "house/lamp", "{\"lux\": 23.40}", 14, 0, false);
}

static void mute(void *peer, bool on)
{
	mqtt_broker_fault(peer, on ? MQTT_BROKER_SILENT : MQTT_BROKER_WELL, 0);
}

static void die(void *peer)
{
	mqtt_broker_die(peer);
}

static void revive(void *peer)
{
	mqtt_broker_revive(peer);
}

/* First each fault, met by who connects anew; then each hostile packet, in the middle of a good session. */
static bool misbehave(void *peer, size_t n)
{
	static const unsigned codes[MQTT_BROKER_FAULTS] = {
		[MQTT_BROKER_REFUSES] = 0x86, [MQTT_BROKER_DISCONNECTS] = 0x8E, [MQTT_BROKER_REFUSES_PUBLISH] = 0x87
	};
	const uint8_t *bytes;
	size_t size;
	if (n + 1 < MQTT_BROKER_FAULTS) {
		mqtt_broker_fault(peer, (enum mqtt_broker_fault)(n + 1), codes[n + 1]);
		mqtt_broker_die(peer);
		mqtt_broker_revive(peer);
		return true;
	}
	unsigned hostile = (unsigned)(n + 1 - MQTT_BROKER_FAULTS);
	if (!mqtt_broker_hostile(hostile, &bytes, &size))
		return false;
	mqtt_broker_send(peer, bytes, size);
	mqtt_broker_fault(peer, MQTT_BROKER_HOSTILE, hostile);
	return true;
}

static void behave(void *peer)
{
	mqtt_broker_fault(peer, MQTT_BROKER_WELL, 0);
	mqtt_broker_die(peer);
	mqtt_broker_revive(peer);
}

static size_t attempts(void *peer)
{
	return mqtt_broker_counts(peer).connections;
}

static const struct laws_bad bad[] = {
	{ .bus = "host=; port=1883" },
	{ .bus = "host=localhost; password=secret" },
	{ .bus = "host=localhost; status.topic=jidgate/#" },
	{ .bus = "host=localhost; status.topic=" },
	{ .bus = "host=localhost; status.topic=s; status.online=x; status.offline=x" },
	{ .device = "topic=house/+" },
	{ .device = "topic=~/lamp" },
	{ .device = "topic=house/lamp; availability.topic=#" },
	{ .device = "topic=house/lamp; availability.topic=a; availability.path=state" },
	{ .device = "topic=house/lamp; availability.topic=a; availability.online=x; availability.offline=x" },
	{ .device = "availability.topic=~/availability" },
	{ .device = "topic=$share/all/lamp" },
	{ .device = "" }, /* no topic at all */
	{ .reads = { TYPE_REAL, "topic=house/#" } },
	{ .reads = { TYPE_REAL, "path=lux" } },
	{ .reads = { TYPE_REAL, "path=/l~ux" } },
	{ .reads = { TYPE_BOOL, "on=yes; off=yes" } },
	{ .reads = { TYPE_BOOL, "on=" } },
	{ .reads = { TYPE_REAL, "write.topic=~/set" } }, /* read-only */
	{ .writes = { TYPE_INT, "path=/dim" } },         /* nowhere to write */
	{ .writes = { TYPE_INT, "path=/dim; write.topic=~/set" } },
	{ .writes = { TYPE_INT, "path=/dim; write.topic=~/set; write.payload=50" } },
	{ .writes = { TYPE_INT, "path=/dim; write.topic=~/set/+; write.payload=${raw}" } },
	{ .writes = { TYPE_TEXT, "path=/dim; write.topic=~/set; write.payload={\"text\": \"${raw}\"}" } },
	{ .bus = "host=127.0.0.1; version=3.1.1", .writes = { TYPE_INT, "write.topic=house/lamp" } },
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

LAWS(mqtt_laws, &mqtt)
