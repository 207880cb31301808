/*
 * TLS 1.2 and later as bytes: what comes from a connection goes in sealed and out open, and the other way round. Knows no
 * socket, so that it cannot block and has no descriptor to lose. The certificate of the other side is always checked: its
 * signatures, its time, and that it is for the host that was asked for (RFC 6125; an address in its own right).
 *
 * tls_trust_load reads files and belongs in a worker; any thread. Everything else on the loop thread. A struct tls is owned by
 * its connection and borrows the trust's certificates by count: either may be freed first. Errors are in words for an
 * installer.
 */
#pragma once

#include "core/base/err.h"
#include "core/base/text.h"

struct tls_files { /* PEM; names, borrowed; NULL: not given */
	const char *ca_file, *ca_path;   /* who is trusted; neither: whom the system trusts */
	const char *cert_file, *key_file; /* who we are */
};

struct tls_trust;
struct tls;

struct tls_trust *tls_trust_load(const struct tls_files *files, struct err *e); /* NULL: a file is no good */
void tls_trust_free(struct tls_trust *trust);                                   /* NULL is allowed */

struct tls *tls_new(const struct tls_trust *trust, const char *host);
void tls_free(struct tls *t); /* NULL is allowed */

/*
 * The same for a handshake that somebody else drives, libcoap's over DTLS: at the latest after the first message,
 * which has the name of the host already. ssl is his SSL *. tls_verdict:
 * -1 and why, when it failed for the certificate of the device.
 */
void tls_dress(const struct tls_trust *trust, void *ssl, const char *host);
int tls_verdict(const struct tls_trust *trust, void *ssl, const char *host, struct err *e);

void tls_put(struct tls *t, const void *sealed, size_t size); /* what came from the connection */
int tls_greet(struct tls *t, struct err *e);                  /* the handshake: 1 it is over, 0 it goes on, -1 it failed */
/* Opened bytes: how many, 0 when there are none now, -1 when it is over: failed, or closed by the other side. */
int tls_get(struct tls *t, void *ret, size_t room, struct err *e);
void tls_say(struct tls *t, const void *bytes, size_t size); /* after the handshake */
void tls_say_end(struct tls *t);                             /* close_notify */
char *tls_take(struct tls *t, size_t *ret_size);             /* what the connection is to carry, heap; NULL: nothing */
