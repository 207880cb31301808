/*
 * What a link of a device or of a resource directory (RFC 6690, RFC 9176) leads to: which device, which path, and what is
 * there. Pure; any thread.
 *
 *   read from          link                                              device               path             kind
 *   coap://porch       </sensors/t>;rt="temp";obs                        coap://porch         /sensors/t       resource
 *   coap://porch       <sensors/t>;ct=40                                 coap://porch         /sensors/t       list
 *   coap://rd          <coap://[2001:DB8::7]:5683/t>;rt="temp"           coap://[2001:db8::7] /t               resource
 *   coap://rd          </t>;anchor="coap://node:61616"                   coap://node:61616    /t               resource
 *   coap://rd          </rd-lookup/res>;rt="core.rd-lookup-res";ct=40    coap://rd            /rd-lookup/res   resource look-up
 *   coap://porch       <http://www.example/t>;rel="describedby"          nothing that is a resource of a device
 */
#pragma once

#include "bridges/linkformat.h"

enum coaplink_kind {
	COAPLINK_NOTHING,
	COAPLINK_RESOURCE,
	COAPLINK_LIST,             /* of links */
	COAPLINK_LOOKUP_RESOURCES, /* of a directory: lists of links, in pages */
	COAPLINK_LOOKUP_ENDPOINTS, /* of a directory: which device has which name */
	COAPLINK_SERVICE,          /* of a directory, and nothing to read */
};

struct coaplink { /* zero it first; coaplink_free */
	enum coaplink_kind kind;
	struct text device; /* "coap://host:port", lower case, without the default port */
	struct text path;
};

/* device: where the list was read, as above. What leads to nothing that can be asked is COAPLINK_NOTHING. */
void coaplink_take(const char *device, const struct linkformat_link *l, struct coaplink *ret);
void coaplink_free(struct coaplink *l);

/* An absolute URI, also one without a path. -1: none of CoAP. */
int coaplink_split(const char *uri, size_t size, struct coaplink *ret, struct err *e);
