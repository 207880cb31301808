#include "tests/bridges/mqtt_site.h"

#include <stdio.h>
#include <unistd.h>

static void on_peer(void *ctx, int events)
{
	struct mqtt_site *s = ctx;
	uint64_t n;
	(void)events;
	if (read(mqtt_broker_fd(s->peer), &n, sizeof(n)) < 0)
		n = 0;
}

void mqtt_site_begin_at(struct mqtt_site *s, int port, const char *options)
{
	char all[512];
	struct mqtt_broker *peer = s->peer;
	*s = (struct mqtt_site){ .peer = peer };
	snprintf(all, sizeof(all), "host=127.0.0.1; port=%d; %s", port, options);
	s->rig = rig_new(&driver_mqtt, all);
	s->log = open_memstream(&s->lines, &s->lines_size);
	s->rig->log.file = s->log;
	s->device = rig_device(s->rig, "lamp", "topic=house/lamp; availability.topic=~/availability");
	s->mark = rig_point(s->rig, rig_device(s->rig, "test", ""), "mark", TYPE_INT, "topic=test/mark; qos=2");
	if (peer)
		s->watch = watch_new(s->rig->loop, mqtt_broker_fd(peer), WATCH_READ, on_peer, s);
}

void mqtt_site_begin(struct mqtt_site *s, const char *options)
{
	s->peer = mqtt_broker_new();
	mqtt_site_begin_at(s, mqtt_broker_port(s->peer), options);
}

struct point *mqtt_site_point(struct mqtt_site *s, const char *id, enum type type, const char *options)
{
	struct point *p = rig_point(s->rig, s->device, id, type, options);
	if (strstr(options, "write."))
		p->access = ACCESS_BOTH;
	return p;
}

static bool sees_mark(const struct mqtt_site *s)
{
	int64_t mark;
	const struct sample *last = &s->mark->last;
	return last->quality == QUALITY_GOOD && decimal_integer(last->value.number, &mark) == 0 && mark == s->marks;
}

static void mark(struct mqtt_site *s)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%d", ++s->marks);
	mqtt_broker_publish(s->peer, "test/mark", text, (size_t)size, 0, false);
}

/* It is subscribed last (QoS 2), so when it is heard, everything is. */
void mqtt_site_wait(struct mqtt_site *s)
{
	RIG_UNTIL(s->rig, s->rig->bridge->state == BRIDGE_UP);
	do {
		mark(s);
		mqtt_site_let_be(s, 5);
	} while (!sees_mark(s));
}

void mqtt_site_up(struct mqtt_site *s)
{
	rig_start(s->rig);
	if (s->peer)
		mqtt_site_wait(s);
	else
		RIG_UNTIL(s->rig, s->rig->n_up);
}

static void end_of_peace(void *ctx)
{
	*(bool *)ctx = true;
}

void mqtt_site_let_be(struct mqtt_site *s, int64_t ms)
{
	bool over = false;
	struct timer t = { 0 };
	timer_set(s->rig->loop, &t, ms, end_of_peace, &over);
	RIG_UNTIL(s->rig, over);
}

void mqtt_site_end(struct mqtt_site *s)
{
	watch_free(s->watch);
	rig_free(s->rig);
	mqtt_broker_free(s->peer);
	fclose(s->log);
	free(s->lines);
}

void mqtt_site_tell_bytes(struct mqtt_site *s, const char *topic, const void *bytes, size_t size)
{
	mqtt_broker_publish(s->peer, topic, bytes, size, 0, false);
	mark(s);
	RIG_UNTIL(s->rig, sees_mark(s));
}

void mqtt_site_tell(struct mqtt_site *s, const char *topic, const char *payload)
{
	mqtt_site_tell_bytes(s, topic, payload, strlen(payload));
}

size_t mqtt_site_logged(struct mqtt_site *s, const char *words)
{
	size_t n = 0;
	fflush(s->log);
	for (const char *at = s->lines; at && (at = strstr(at, words)); at++)
		n++;
	return n;
}

const char *mqtt_site_shows(const struct point *p, char ret[128])
{
	char room[DECIMAL_ROOM];
	bool bad = p->last.quality == QUALITY_BAD;
	snprintf(ret, 128, "%s %s%s%s", value_print(&p->last.value, room), quality_word(p->last.quality),
		 bad ? ": " : "", bad ? trouble_word(p->last.trouble) : "");
	return ret;
}
