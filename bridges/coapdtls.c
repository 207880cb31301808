#include "bridges/coapdtls.h"

#include "bridges/tls.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

int coapdtls_prepare(struct coapway *way, struct err *e)
{
	const struct coaprows_tls *t = &way->secure->tls;
	if (!t->given)
		return 0;
	way->trust = tls_trust_load(&(struct tls_files){ t->ca_file, NULL, t->cert_file, t->key_file }, e);
	return way->trust ? 0 : -1;
}

void coapdtls_forget(struct coapway *way)
{
	tls_trust_free(way->trust);
}

static coap_session_t *begin_with_key(struct coapdtls *d, const coap_address_t *to)
{
	uint8_t key[COAPROWS_KEY];
	const char *identity = d->way->secure->psk_identity;
	coap_dtls_cpsk_t psk = {
		.version = COAP_DTLS_CPSK_SETUP_VERSION,
		.psk_info = { .identity = { strlen(identity), (const uint8_t *)identity },
			      .key = { (size_t)coaprows_key(d->way->secure->psk, key), key } },
	};
	coap_session_t *session =
		coap_new_client_session_psk2(d->way->context, NULL, to, COAP_PROTO_DTLS, &psk); /* it makes copies */
	explicit_bzero(key, sizeof(key));
	return session;
}

static bool is_address(const char *name)
{
	unsigned char room[sizeof(struct in6_addr)];
	return inet_pton(AF_INET, name, room) == 1 || inet_pton(AF_INET6, name, room) == 1;
}

/* libcoap by itself knows no names and trusts each root that a device brings along. Its SSL has sent one message now, and
 * has looked at none. */
static coap_session_t *begin_with_certificate(struct coapdtls *d, const coap_address_t *to)
{
	coap_tls_library_t library;
	char name[URI_HOST + 1];
	coap_dtls_pki_t pki = {
		.version = COAP_DTLS_PKI_SETUP_VERSION,
		.verify_peer_cert = 1,
		.check_common_ca = 1,
		.client_sni = is_address(d->name) ? NULL : name,
		.pki_key = { .key_type = COAP_PKI_KEY_PEM },
	};
	snprintf(name, sizeof(name), "%s", d->name);
	coap_session_t *session = coap_new_client_session_pki(d->way->context, NULL, to, COAP_PROTO_DTLS, &pki);
	void *ssl = session ? coap_session_get_tls(session, &library) : NULL;
	if (ssl)
		tls_dress(d->way->trust, ssl, d->name);
	else if (session)
		coap_session_release(session);
	return ssl ? session : NULL;
}

static void explain(struct coapdtls *d, coap_session_t *session)
{
	coap_tls_library_t library;
	void *ssl = coap_session_get_tls(session, &library);
	if (ssl && d->way->trust && tls_verdict(d->way->trust, ssl, d->name, &d->why) < 0)
		return;
	err_set(&d->why, d->up ? "the device ended the DTLS session" : "the device refuses the DTLS handshake%s",
		d->way->trust ? "; does it want a certificate of ours, or trust another CA?" : "");
}

static int on_event(coap_session_t *session, const coap_event_t event)
{
	struct coapdtls *d = coap_session_get_app_data(session);
	bool over = event == COAP_EVENT_DTLS_CLOSED || event == COAP_EVENT_DTLS_ERROR;
	if (!d || d->down || (!over && event != COAP_EVENT_DTLS_CONNECTED))
		return 0;
	if (over)
		explain(d, session);
	d->down = over;
	d->up = !over;
	d->on_change(d->ctx);
	return 0;
}

coap_session_t *coapdtls_begin(struct coapdtls *d, const struct coapway *way, const coap_address_t *to)
{
	d->way = way;
	d->up = d->down = false;
	coap_register_event_handler(way->context, on_event);
	coap_session_t *session = way->secure->tls.given ? begin_with_certificate(d, to) : begin_with_key(d, to);
	if (!session)
		return NULL;
	coap_session_set_app_data(session, d);
	coap_io_process(way->context,
			COAP_IO_NO_WAIT); /* else nobody sets the timer for a first message that is lost */
	return session;
}
