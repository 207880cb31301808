/*
 * One question to every CoAP device of a link (RFC 7252 section 8): who is there? It goes to a multicast group, is not
 * confirmed and may be lost, so it is asked twice. An answer only says where a device is: it is then asked for itself.
 *
 * Groups: 224.0.1.187 and ff02::fd are "All CoAP Nodes" (RFC 7252 section 12.8). A zone is the interface to ask on;
 * without one, all that are up and can multicast, but not loopback.
 *
 * Owned by who makes it; ends with free, before its net does. Loop thread.
 */
#pragma once

#include "bridges/coapnet.h"

struct coapcast;

/* uri: where the device is that answers, "coap://192.0.2.7" or "coap://[fe80::17%25eth0]:61616"; maybe more than once. */
struct coapcast *coapcast_new(struct coapnet *net, void (*on_peer)(void *ctx, const char *uri), void *ctx);
void coapcast_free(struct coapcast *c);

/* -1: it could be sent nowhere; the sentence is of the last interface. */
int coapcast_ask(struct coapcast *c, const char *group, const char *zone, int port, struct err *e);
