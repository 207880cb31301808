/*
 * What tests of the MQTT driver have in common: a rig whose log can be read, and the misbehaving broker as its peer. The
 * broker's doings wake the loop, so that RIG_UNTIL may wait for its counts.
 */
#pragma once

#include "core/base/mem.h"
#include "tests/lib/rig.h"
#include "tests/peers/mqtt_broker.h"

#include <criterion/criterion.h>
#include <string.h>

extern const struct bridge_driver driver_mqtt;

struct mqtt_site {
	struct mqtt_broker *peer; /* NULL: another broker */
	struct rig *rig;
	struct device *device; /* topic=house/lamp, availability on ~/availability */
	struct point *mark;    /* what is told after something else, to know that that was taken */
	int marks;
	struct watch *watch;
	FILE *log;
	char *lines;
	size_t lines_size;
};

void mqtt_site_begin(struct mqtt_site *s, const char *options);              /* of the bus, beside host and port */
void mqtt_site_begin_at(struct mqtt_site *s, int port, const char *options); /* without the misbehaving broker */
struct point *mqtt_site_point(struct mqtt_site *s, const char *id, enum type type, const char *options);
void mqtt_site_up(struct mqtt_site *s); /* starts; returns when it is up and subscribed */
void mqtt_site_let_be(struct mqtt_site *s, int64_t ms);
void mqtt_site_end(struct mqtt_site *s);

void mqtt_site_wait(struct mqtt_site *s); /* until it is up and subscribed, again */
void mqtt_site_tell(struct mqtt_site *s, const char *topic, const char *payload); /* and waits until it was taken */
void mqtt_site_tell_bytes(struct mqtt_site *s, const char *topic, const void *bytes, size_t size);
size_t mqtt_site_logged(struct mqtt_site *s, const char *words); /* how often */

/* Value, quality and trouble as one text: "23.40 good", "23.40 bad: cannot be reached", " unknown". */
const char *mqtt_site_shows(const struct point *p, char ret[128]);
#define SHOWS(point, expected)                                                                                         \
	do {                                                                                                           \
		char room_[128];                                                                                       \
		cr_expect_str_eq(mqtt_site_shows(point, room_), expected);                                             \
	} while (0)
