/*
 * Certificates for tests, made anew: PEM files in a folder of their own, NAME.pem and NAME.key.
 *
 *   ca        who signs                     server    for localhost and 127.0.0.1, with ca behind it
 *   other-ca  another who signs             wrong     for elsewhere.test
 *   client    ours, signed by ca            expired   was for localhost and 127.0.0.1
 *   stranger  signed by other-ca            future    will be
 *                                           self      signed by itself
 */
#pragma once

struct certs {
	char folder[64];
};

void certs_begin(struct certs *c); /* aborts when it cannot */
void certs_end(struct certs *c);
const char *certs_file(const struct certs *c, const char *name, char ret[128]); /* "ca.pem" with its folder */
