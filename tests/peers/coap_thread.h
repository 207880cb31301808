/*
 * A misbehaving CoAP server in a thread with a loop of its own, for tests whose loop must not feed both sides.
 * It serves /t, which shows 23.40, and /s, to be written.
 */
#pragma once

#include "tests/peers/coap_server.h"

struct coap_thread;

struct coap_thread *coap_thread_new(void);
void coap_thread_free(struct coap_thread *t);
int coap_thread_port(const struct coap_thread *t);

/* Runs fn in the server's thread, and waits for it. */
void coap_thread_do(struct coap_thread *t, void (*fn)(struct coapd *d, void *ctx), void *ctx);
