/*
 * XEP-0323 sensor data, the thing's side: first what was (recall.h), then what is, in the one reply shape that satisfies all known clients
 * (wire.md 1.2, 2.6): accepted at once, all values in one message of type headline, done='true' on the last.
 */
#pragma once

#include "core/xmpp/things.h"

#define SENSOR_NS "urn:xmpp:iot:sensordata"

void sensor_take_req(void *self, struct incoming *in);
void sensor_take_cancel(void *self, struct incoming *in);
bool sensor_refuse(struct incoming *in); /* "forbidden" in the form all clients see, if it is a req */
void sensor_drop_all(struct things *t);
void sensor_drop_of(struct things *t, const struct thing *thing);  /* nobody hears the answers any more */
