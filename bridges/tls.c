#include "bridges/tls.h"

#include "core/base/mem.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stddef.h>
#include <string.h>

struct tls_trust {
	SSL_CTX *context;
	char *ca; /* for sentences: whose signature counts */
};

struct tls {
	SSL *ssl;
	BIO *in, *out;   /* the SSL's own */
	char *host, *ca; /* the host in quotes, and whose signature counts: for sentences */
	const char *who; /* the other side: "broker" */
	bool greeted;
};

#define N(table) (sizeof(table) / sizeof((table)[0]))

/* --- files --- */

/* The last error has the file's trouble, the first ones where in the library it was met. */
static int file_error(const char *key, const char *file, struct err *e)
{
	unsigned long code = ERR_peek_last_error();
	const char *words = ERR_reason_error_string(code);
	for (unsigned long one; (one = ERR_get_error());)
		if (ERR_GET_LIB(one) == ERR_LIB_SYS)
			words = strerror(ERR_GET_REASON(one));
	return err_set(e, "tls.%s: cannot use '%.200s': %s", key, file, words ? words : "no PEM in it");
}

static int load_trusted(SSL_CTX *context, const struct tls_files *f, struct err *e)
{
	if (f->ca_file && SSL_CTX_load_verify_file(context, f->ca_file) != 1)
		return file_error("ca_file", f->ca_file, e);
	if (f->ca_path && SSL_CTX_load_verify_dir(context, f->ca_path) != 1)
		return file_error("ca_path", f->ca_path, e);
	/* Not by the environment, which is set to something else for the accounts. */
	if (!f->ca_file && !f->ca_path && SSL_CTX_load_verify_dir(context, X509_get_default_cert_dir()) != 1)
		return file_error("ca_path", X509_get_default_cert_dir(), e);
	return 0;
}

static int load_own(SSL_CTX *context, const struct tls_files *f, struct err *e)
{
	if (f->cert_file && SSL_CTX_use_certificate_chain_file(context, f->cert_file) != 1)
		return file_error("cert_file", f->cert_file, e);
	if (f->key_file && SSL_CTX_use_PrivateKey_file(context, f->key_file, SSL_FILETYPE_PEM) != 1) {
		bool other = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
		int result = file_error("key_file", f->key_file, e);
		return other ? err_set(e, "tls.key_file: is not the key of '%.200s'", f->cert_file) : result;
	}
	return 0;
}

/* A key that wants a password would ask for it at the terminal. */
static int no_password(char *buffer, int size, int writing, void *ctx)
{
	(void)buffer, (void)size, (void)writing, (void)ctx;
	return 0;
}

struct tls_trust *tls_trust_load(const struct tls_files *files, struct err *e)
{
	ERR_clear_error();
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	must(context);
	must(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_default_passwd_cb(context, no_password);
	if (load_trusted(context, files, e) < 0 || load_own(context, files, e) < 0) {
		SSL_CTX_free(context);
		ERR_clear_error();
		return NULL;
	}
	struct tls_trust *trust = mem_new(sizeof(*trust));
	const char *ca = files->ca_file ? files->ca_file : files->ca_path;
	*trust = (struct tls_trust){ context,
				     ca ? mem_format("a CA of '%s'", ca) : mem_text("a CA that the system trusts") };
	return trust;
}

void tls_trust_free(struct tls_trust *trust)
{
	if (!trust)
		return;
	SSL_CTX_free(trust->context);
	mem_free(trust->ca);
	mem_free(trust);
}

/* --- a connection --- */

static void expect_host(SSL *ssl, const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1) {
		must(X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1);
		return;
	}
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	must(X509_VERIFY_PARAM_set1_host(param, host, 0) == 1);
	SSL_set_tlsext_host_name(ssl, host);
}

struct tls *tls_new(const struct tls_trust *trust, const char *host)
{
	struct tls *t = mem_new(sizeof(*t));
	*t = (struct tls){ SSL_new(trust->context),
			   BIO_new(BIO_s_mem()),
			   BIO_new(BIO_s_mem()),
			   mem_format("'%s'", host),
			   mem_text(trust->ca),
			   "broker",
			   false };
	must(t->ssl && t->in && t->out);
	SSL_set_bio(t->ssl, t->in, t->out);
	SSL_set_connect_state(t->ssl);
	expect_host(t->ssl, host);
	return t;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	SSL_free(t->ssl);
	mem_free(t->host);
	mem_free(t->ca);
	mem_free(t);
}

void tls_put(struct tls *t, const void *sealed, size_t size)
{
	must(BIO_write(t->in, sealed, (int)size) == (int)size);
}

static const struct {
	long verdict;
	const char *words;
	size_t about; /* what stands behind the words; 0: nothing */
} verdicts[] = {
	{ X509_V_ERR_HOSTNAME_MISMATCH, "is not for", offsetof(struct tls, host) },
	{ X509_V_ERR_IP_ADDRESS_MISMATCH, "is not for", offsetof(struct tls, host) },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "is not signed by", offsetof(struct tls, ca) },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "is not signed by", offsetof(struct tls, ca) },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "is not signed by", offsetof(struct tls, ca) },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "is not signed by", offsetof(struct tls, ca) },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "is not signed by", offsetof(struct tls, ca) },
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE, "is not signed by", offsetof(struct tls, ca) },
	{ X509_V_ERR_CERT_HAS_EXPIRED, "has expired, or this clock is wrong", 0 },
	{ X509_V_ERR_CERT_NOT_YET_VALID, "is not valid yet, or this clock is wrong", 0 },
};

static int certificate_error(const struct tls *t, long verdict, struct err *e)
{
	for (size_t i = 0; i < N(verdicts); i++) {
		if (verdicts[i].verdict != verdict)
			continue;
		const char *about = "";
		if (verdicts[i].about)
			memcpy(&about, (const char *)t + verdicts[i].about, sizeof(about));
		return err_set(e, "the certificate of the %s %s%s%.200s", t->who, verdicts[i].words, *about ? " " : "",
			       about);
	}
	return err_set(e, "the certificate of the %s is no good: %s", t->who, X509_verify_cert_error_string(verdict));
}

void tls_dress(const struct tls_trust *trust, void *ssl, const char *host)
{
	STACK_OF(X509) *chain = NULL;
	X509 *own = SSL_CTX_get0_certificate(trust->context);
	must(SSL_set1_verify_cert_store(ssl, SSL_CTX_get_cert_store(trust->context)) == 1);
	if (own) {
		must(SSL_use_certificate(ssl, own) == 1);
		must(SSL_use_PrivateKey(ssl, SSL_CTX_get0_privatekey(trust->context)) == 1);
		must(SSL_CTX_get0_chain_certs(trust->context, &chain) == 1 && SSL_set1_chain(ssl, chain) == 1);
	}
	SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	expect_host(ssl, host);
}

int tls_verdict(const struct tls_trust *trust, void *ssl, const char *host, struct err *e)
{
	long verdict = SSL_get_verify_result(ssl);
	if (verdict == X509_V_OK)
		return 0;
	struct tls t = { .host = mem_format("'%s'", host), .ca = trust->ca, .who = "device" };
	certificate_error(&t, verdict, e);
	mem_free(t.host);
	return -1;
}

static const struct {
	int reason;
	const char *words;
} alerts[] = {
	{ SSL_R_WRONG_VERSION_NUMBER, "what answers there is not TLS; does this port want it?" },
	{ SSL_R_UNSUPPORTED_PROTOCOL, "the broker does not speak TLS 1.2 or later" },
	{ SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the broker does not speak TLS 1.2 or later" },
	{ SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,
	  "the broker wants a certificate of ours: tls.cert_file, tls.key_file" },
	{ SSL_R_TLSV1_ALERT_UNKNOWN_CA, "the broker does not trust the CA of our certificate" },
	{ SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the broker does not accept our certificate" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the broker does not accept our certificate" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "the broker says that our certificate has expired" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, "the broker says that our certificate is revoked" },
};

static int talk_error(const struct tls *t, struct err *e)
{
	unsigned long code = ERR_peek_error();
	long verdict = SSL_get_verify_result(t->ssl);
	const char *words = ERR_reason_error_string(code);
	ERR_clear_error();
	if (verdict != X509_V_OK)
		return certificate_error(t, verdict, e);
	for (size_t i = 0; i < N(alerts); i++)
		if (ERR_GET_REASON(code) == alerts[i].reason)
			return err_set(e, "%s", alerts[i].words);
	return err_set(e, "TLS failed: %s", words ? words : "no reason was given");
}

int tls_greet(struct tls *t, struct err *e)
{
	ERR_clear_error();
	int result = SSL_do_handshake(t->ssl);
	if (result == 1)
		t->greeted = true;
	else if (SSL_get_error(t->ssl, result) != SSL_ERROR_WANT_READ)
		return talk_error(t, e);
	return result == 1;
}

int tls_get(struct tls *t, void *ret, size_t room, struct err *e)
{
	ERR_clear_error();
	int n = SSL_read(t->ssl, ret, (int)room);
	if (n > 0)
		return n;
	int error = SSL_get_error(t->ssl, n);
	if (error == SSL_ERROR_WANT_READ)
		return 0;
	return error == SSL_ERROR_ZERO_RETURN ? err_set(e, "the broker closed the connection") : talk_error(t, e);
}

void tls_say(struct tls *t, const void *bytes, size_t size)
{
	must(t->greeted);
	ERR_clear_error();
	if (size)
		SSL_write(t->ssl, bytes, (int)size); /* memory takes all; what failed is told by tls_get */
}

void tls_say_end(struct tls *t)
{
	ERR_clear_error();
	if (t->greeted)
		SSL_shutdown(t->ssl);
}

char *tls_take(struct tls *t, size_t *ret_size)
{
	size_t size = BIO_ctrl_pending(t->out);
	if (!size)
		return NULL;
	char *bytes = mem_new(size);
	must(BIO_read(t->out, bytes, (int)size) == (int)size);
	*ret_size = size;
	return bytes;
}
