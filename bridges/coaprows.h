/*
 * What an installer writes about CoAP: the rows of a bus, of its devices and of their points, and what can be refused
 * before anything runs.
 *
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

struct coaprows_bus {
	int64_t timeout_ms; /* how long a device may take to answer a request */
	int64_t ack_timeout_ms, max_retransmit, nstart;
};

struct coaprows_device {
	char *text;
	struct uri uri; /* of text, after the check */
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

int coaprows_check_device(struct device *d, struct err *e);
int coaprows_check(struct point *p, struct err *e);
