/*
 * TLS in front of a plain server on 127.0.0.1, in threads of its own, that serves well until it is told to misbehave.
 * Functions may be called from any thread. What is told counts for connections from then on.
 */
#pragma once

#include "tests/peers/certs.h"

#include <stdbool.h>

enum tls_front_fault {
	TLS_FRONT_WELL,
	TLS_FRONT_RESET,   /* accepts and breaks each connection off */
	TLS_FRONT_SILENT,  /* accepts, and says nothing at all */
	TLS_FRONT_NO_TLS,  /* answers with what is not TLS */
	TLS_FRONT_CUTS,    /* half of the first flight of the handshake, then closes */
	TLS_FRONT_STALLS,  /* half of it, then not a byte more */
	TLS_FRONT_ALERT,   /* handshake_failure */
	TLS_FRONT_OLD,     /* TLS 1.1 and nothing else */
	TLS_FRONT_GARBLES, /* after the handshake: a record that nobody sealed */
	TLS_FRONT_BREAKS,  /* after the handshake: closes in the middle of a record */
	TLS_FRONT_FAULTS
};

struct tls_front *tls_front_new(const struct certs *certs, int upstream); /* with the certificate "server" */
void tls_front_free(struct tls_front *f);                                 /* NULL is allowed */
int tls_front_port(const struct tls_front *f);
void tls_front_fault(struct tls_front *f, enum tls_front_fault fault);
void tls_front_certificate(struct tls_front *f, const char *name); /* of certs.h */
void tls_front_wants(struct tls_front *f, bool certificate);       /* a certificate of the client, signed by ca */
void tls_front_die(struct tls_front *f);
void tls_front_revive(struct tls_front *f); /* at the same port */
unsigned tls_front_connections(struct tls_front *f);
