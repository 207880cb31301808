/*
 * One message of CoAP (RFC 7252, RFC 7641) between our terms and libcoap's: a request made, an answer judged.
 *
 * Nothing is owned: what an answer points to is libcoap's and valid during its callback. Loop thread.
 */
#pragma once

#include "bridges/uri.h"
#include "core/bridge/bridge.h"

#include <coap3/coap.h>

enum { COAPMSG_TOKEN = 8, COAPMSG_ETAG = 8, COAPMSG_SZX = 6 /* blocks of 1024 bytes, the largest */ };

enum coapmsg_kind { COAPMSG_GET, COAPMSG_ASK_ALL, COAPMSG_OBSERVE, COAPMSG_UNOBSERVE, COAPMSG_PUT, COAPMSG_POST };

enum { /* content formats */
       COAPMSG_TEXT = 0,
       COAPMSG_OCTETS = 42,
       COAPMSG_JSON = 50,
       COAPMSG_CBOR = 60,
       COAPMSG_SENML_JSON = 110,
       COAPMSG_SENML_CBOR = 112,
       COAPMSG_NO_FORMAT = -1,
};

struct coapmsg_block { /* RFC 7959 section 2.2 */
	bool there, more;
	uint32_t number;
	unsigned szx; /* 16 << szx bytes; 7 is none */
};

struct coapmsg_request {
	enum coapmsg_kind kind;
	const uint8_t *token; /* COAPMSG_TOKEN bytes */
	const struct uri *uri;
	const char *path;
	int format;       /* of body, or what a GET accepts; COAPMSG_NO_FORMAT: not said */
	const char *body; /* NULL: none */
	size_t body_size;
	struct coapmsg_block block1, block2;
	uint32_t size1; /* of the whole body; 0: not said */
};

struct coapmsg_answer {
	int code;      /* 205 is 2.05 */
	int format;    /* COAPMSG_NO_FORMAT: not said */
	bool observed; /* it is a notification, or the answer that says that there will be some */
	uint32_t sequence;
	int64_t max_age_s;
	bool cut; /* by the size of our buffer, perhaps */
	struct coapmsg_block block1, block2;
	uint32_t size2; /* of the whole body; 0: not said */
	uint8_t etag[COAPMSG_ETAG];
	size_t etag_size;
	const char *bytes;
	size_t size;
};

/* NULL: it does not fit into one datagram. */
coap_pdu_t *coapmsg_new(coap_session_t *session, const struct coapmsg_request *r);

struct coapmsg_answer coapmsg_read(const coap_pdu_t *pdu);

/* Is it an answer to this kind of request? REQUEST_DONE; REQUEST_REFUSED: an error of the device; REQUEST_GARBLED:
 * nothing that the protocol allows, or that we can take. */
int coapmsg_judge(const struct coapmsg_answer *a, enum coapmsg_kind kind, struct err *e);
