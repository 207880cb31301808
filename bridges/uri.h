/*
 * Addresses of CoAP: the uri of a device, and the path of a resource at it (RFC 7252 section 6). Pure; any thread.
 *
 *   coap://porch.example              host porch.example, port 5683, no path
 *   coap://192.0.2.7:61616/v1/        host 192.0.2.7 (numeric), port 61616, path /v1
 *   coap://[2001:db8::17]             host 2001:db8::17 (numeric), port 5683
 *   coap://[fe80::17%25wpan0]:5683    host fe80::17%wpan0 (numeric)
 *   coaps://porch.example             the same with DTLS, port 5684
 *
 *   /sensors/temp                     Uri-Path sensors, temp
 *   /a%2Fb/%C3%BC                     Uri-Path a/b, ü
 *   /log?n=1&unit=c                   Uri-Path log, Uri-Query n=1, unit=c
 *   /dir/                             Uri-Path dir and an empty one
 *   sensors                           refused: must begin with '/'
 */
#pragma once

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	URI_HOST = 255, /* RFC 7252 table 4: Uri-Host has at most 255 bytes */
	URI_PART = 255, /* and so has each part of path and query */
	URI_PATH = 400, /* all of them: what fits into one datagram beside a payload */
};

struct uri {
	char host[URI_HOST + 1];
	int port;
	bool secure;             /* coaps */
	bool numeric;            /* an address, not a name: nothing to look up, and no Uri-Host is sent */
	char path[URI_PATH + 1]; /* "" or "/v1": goes before the path of each resource */
};

struct uri_part {
	bool query;
	char bytes[URI_PART];
	size_t size;
};

int uri_parse(const char *text, struct uri *ret, struct err *e);
int uri_check_path(const char *path, struct err *e);

/* Walks the parts of a path that was checked: for (at = path; uri_next(&at, &part);). */
bool uri_next(const char **at, struct uri_part *ret);
