/* A CoAP bus in a rig, and the misbehaving device that it talks to; every good value must prove where it comes from. */
#pragma once

#include "tests/lib/rig.h"
#include "tests/peers/coap_server.h"

struct coap_field {
	struct rig *rig;
	struct coapd *d;
	struct device *device;
};

/* Messages are repeated after 1 to 1.5 s of real time, libcoap does not do it faster. options are added to those of the bus. */
struct coap_field coap_field_new(const char *options);
struct point *coap_field_point(struct coap_field *f, enum type type, const char *options); /* not polled */
void coap_field_free(struct coap_field *f);

/* The point holds the value of this resource as it is now. */
bool coap_field_is_current(const struct point *p, const struct coapd_resource *r);
