/*
 * Sessions over DTLS 1.2 (RFC 7252 section 9) by libcoap and OpenSSL: with a key that both sides know, or with
 * certificates. The device's certificate must be signed by somebody trusted, and be for the host of its uri or for
 * tls.server_name; libcoap by itself would not look at the name.
 *
 * libcoap keeps keys and certificates per context: one context for each different secret (struct coapway), so that nobody
 * ever greets a device with the identity of another.
 *
 * The handshake is over, has failed, or the session has ended: on_change tells, from inside (coapnet.h), perhaps while the
 * session is being made; then up or down says which, and why is set. A wrong key is silence: the deadline is the peer's.
 * Loop thread.
 */
#pragma once

#include "bridges/coapnet.h"
#include "bridges/coaprows.h"

struct coapdtls { /* of one peer; begin with zero but name, on_change and ctx */
	const struct coapway *way;
	const char *name; /* that the certificate must be for */
	bool up, down;
	struct err why;
	void (*on_change)(void *ctx);
	void *ctx;
};

/* What a bus or device says about it, as libcoap wants it; done once for each context. -1: a file is no good. */
int coapdtls_prepare(struct coapway *way, struct err *e);
void coapdtls_forget(struct coapway *way);

/* A new session, with its handshake begun; NULL: there is no socket. d lives longer than the session. */
coap_session_t *coapdtls_begin(struct coapdtls *d, const struct coapway *way, const coap_address_t *to);
