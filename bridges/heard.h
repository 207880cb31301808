/*
 * Configuration for what was heard on a broker from devices that nobody configured: one device for each that the topics and
 * messages let expect, a point for each value. For tools; nothing that runs guesses.
 *
 *   topic and message                         becomes
 *   zigbee2mqtt/lamp {"state": "ON", ...}     device zigbee2mqtt-lamp, a point for each value in it
 *   zigbee2mqtt/lamp/availability online      its availability
 *   tele/plug/SENSOR {"ENERGY": {...}}        device tele-plug, whose topics are ~/SENSOR, ~/STATE, ...
 *   attic/temperature 21.5                    device attic with a point temperature
 *
 * Its user owns it: zero it, free it with heard_end. Strangers fill it: limits.h. Any thread.
 */
#pragma once

#include "core/base/map.h"
#include "core/base/text.h"
#include "core/model/house.h"

struct heard {
	struct map topics, groups;
	bool full; /* there was more than is kept */
};

void heard_take(struct heard *h, const char *topic, const void *bytes, size_t size);

/* Devices, each "  { ... }" with ",\n" before all but the first; n: how many stand in `to` already. Topics that stand in
 * `to` are left out, and ids of `known` (NULL is allowed) are not used again. How many there are now. */
size_t heard_print(struct heard *h, const char *bus, const struct house *known, size_t n, struct text *to);
void heard_end(struct heard *h);
