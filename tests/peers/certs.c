#include "tests/peers/certs.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CA, OTHER_CA, SELF = 6, DAY = 86400 };

static const struct {
	const char *name, *names; /* names: subjectAltName; NULL: a CA */
	int issuer;               /* its row */
	long from_days, to_days;
} rows[] = {
	{ "ca", NULL, CA, -1, 10 },
	{ "other-ca", NULL, OTHER_CA, -1, 10 },
	{ "server", "DNS:localhost,IP:127.0.0.1", CA, -1, 10 },
	{ "wrong", "DNS:elsewhere.test,IP:192.0.2.1", CA, -1, 10 },
	{ "expired", "DNS:localhost,IP:127.0.0.1", CA, -10, -1 },
	{ "future", "DNS:localhost,IP:127.0.0.1", CA, 5, 10 },
	{ "self", "DNS:localhost,IP:127.0.0.1", SELF, -1, 10 },
	{ "client", "DNS:gate.test", CA, -1, 10 },
	{ "stranger", "DNS:localhost,IP:127.0.0.1", OTHER_CA, -1, 10 },
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void need(bool well, const char *what)
{
	if (well)
		return;
	fprintf(stderr, "certs: %s\n", what);
	abort();
}

const char *certs_file(const struct certs *c, const char *name, char ret[128])
{
	snprintf(ret, 128, "%s/%s", c->folder, name);
	return ret;
}

static void add(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	need(e && X509_add_ext(x, e, -1) == 1, value);
	X509_EXTENSION_free(e);
}

static X509 *make(size_t row, EVP_PKEY *key, const X509 *issuer, EVP_PKEY *issuer_key)
{
	X509 *x = X509_new();
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), (long)row + 1);
	X509_gmtime_adj(X509_getm_notBefore(x), rows[row].from_days * DAY);
	X509_gmtime_adj(X509_getm_notAfter(x), rows[row].to_days * DAY);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const unsigned char *)rows[row].name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x));
	if (rows[row].names)
		add(x, NID_subject_alt_name, rows[row].names);
	else
		add(x, NID_basic_constraints, "critical,CA:TRUE");
	need(X509_sign(x, issuer_key, EVP_sha256()) > 0, "signing");
	return x;
}

static void write_files(const struct certs *c, size_t row, X509 *x, EVP_PKEY *key)
{
	char name[32], path[128];
	snprintf(name, sizeof(name), "%s.pem", rows[row].name);
	FILE *f = fopen(certs_file(c, name, path), "w");
	need(f && PEM_write_X509(f, x) == 1, path);
	fclose(f);
	snprintf(name, sizeof(name), "%s.key", rows[row].name);
	f = fopen(certs_file(c, name, path), "w");
	need(f && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1, path);
	fclose(f);
}

void certs_begin(struct certs *c)
{
	X509 *made[ROWS];
	EVP_PKEY *keys[ROWS];
	snprintf(c->folder, sizeof(c->folder), "/tmp/jidgate-certs-XXXXXX");
	need(mkdtemp(c->folder) != NULL, "no folder");
	for (size_t i = 0; i < ROWS; i++) {
		size_t by = (size_t)rows[i].issuer;
		keys[i] = EVP_EC_gen("P-256");
		need(keys[i] != NULL, "no key");
		made[i] = make(i, keys[i], by == i ? NULL : made[by], keys[by]);
		write_files(c, i, made[i], keys[i]);
	}
	for (size_t i = 0; i < ROWS; i++) {
		X509_free(made[i]);
		EVP_PKEY_free(keys[i]);
	}
}

void certs_end(struct certs *c)
{
	for (size_t i = 0; i < ROWS; i++) {
		char name[32], path[128];
		snprintf(name, sizeof(name), "%s.pem", rows[i].name);
		unlink(certs_file(c, name, path));
		snprintf(name, sizeof(name), "%s.key", rows[i].name);
		unlink(certs_file(c, name, path));
	}
	rmdir(c->folder);
}
