/*
 * What an installer writes about CoAP: the rows of a bus, of its devices and of their points, and what can be refused
 * before anything runs.
 *
 *   { id = "porch"; uri = "coaps://porch.example"; psk_identity = "gate"; psk_file = "porch.psk"; }    a device, DTLS
 *   { id = "hall"; uri = "coaps://[2001:db8::17]"; tls = { ca_file = "ca.pem"; server_name = "hall.example"; }; }
 *   { id = "t"; path = "/sensors/temp"; type = "real"; }                               GET at each poll, text or JSON
 *   { id = "h"; path = "/env"; pointer = "/hum"; type = "real"; observe = true; }      a number in a JSON object
 *   { id = "t2"; path = "/t?unit=c"; format = "text"; type = "real"; poll = "5m"; }    text asked for, and expected
 *   { id = "i"; path = "/s"; record = "urn:dev:1:i"; unit = "A"; type = "real"; }      a record of a SenML pack
 *   { id = "led"; path = "/led"; type = "bool"; on = "1"; off = "0"; access = "rw"; }  PUT 1 or 0
 *   { id = "set"; path = "/set"; format = "json"; type = "real"; access = "rw"; min = 5; max = 30;
 *     write = { method = "post"; payload = "{\"set\": ${value}}"; }; }                 POST {"set": 21.5}
 */
#pragma once

#include "bridges/uri.h"
#include "core/conf/setting.h"
#include "core/model/house.h"

enum coaprows_format {
	FORMAT_AUTO,
	FORMAT_TEXT,
	FORMAT_JSON,
	FORMAT_CBOR,
	FORMAT_SENML_JSON,
	FORMAT_SENML_CBOR,
};

enum { COAPROWS_KEY = 64, COAPROWS_IDENTITY = 64 }; /* libcoap's bounds */

struct coaprows_tls {
	bool given;
	char *ca_file, *cert_file, *key_file, *server_name;
};

struct coaprows_secure { /* a pre-shared key, certificates, or neither */
	char *psk_identity, *psk, *psk_file;
	struct coaprows_tls tls;
};

struct coaprows_bus {
	int64_t timeout_ms; /* how long a device may take to answer a request */
	int64_t ack_timeout_ms, max_retransmit, nstart;
	int64_t handshake_ms, max_lost;
	struct coaprows_secure secure; /* of devices that have none of their own */
};

struct coaprows_device {
	char *text;
	struct uri uri; /* of text, after the check */
	int64_t block;  /* bytes */
	struct coaprows_secure secure;
};

struct coaprows_write {
	int post; /* 0: PUT */
	char *payload;
};

struct coaprows_address {
	char *path, *pointer, *record, *on, *off;
	int format;
	bool observe;
	int64_t refresh_ms; /* 0: by the Max-Age of the answers */
	struct coaprows_write write;
};

extern const struct setting coaprows_bus[], coaprows_device[], coaprows_address[];

/* What protects the session with a device: its own, or the bus's. NULL: nothing. */
const struct coaprows_secure *coaprows_secure(const struct coaprows_bus *bus, const struct coaprows_device *device);

/* The bytes of a pre-shared key: those of the text, or "hex:" and digits. How many; -1: it is none. */
int coaprows_key(const char *text, uint8_t ret[COAPROWS_KEY]);

int coaprows_check_bus(struct bus *bus, struct err *e);
int coaprows_check_device(struct device *d, struct err *e);
int coaprows_check(struct point *p, struct err *e);
