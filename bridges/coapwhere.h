/*
 * Where somebody on the command line wants CoAP devices to be looked for. Pure; any thread.
 *
 *   multicast             everybody on all interfaces, in both families
 *   multicast%eth0        everybody on that one
 *   224.0.1.187%lo:61616  whoever listens there; also [ff02::fd%lo]:61616 and ff02::fd%lo
 *   porch.example:61616   coap://porch.example:61616; so are coap://porch.example:61616 and ...:61616/
 *   2001:db8::17          coap://[2001:db8::17]; fe80::17%eth0 is coap://[fe80::17%25eth0]
 *   coap://rd.example/rd-lookup/res    a list of links that is not where it usually is
 */
#pragma once

#include "bridges/uri.h"

enum { COAPWHERE_ZONE = 15 }; /* bytes of the name of an interface */

struct coapwhere {
	bool everybody; /* the groups of both families */
	bool group;     /* a multicast address: host, zone, port */
	char host[URI_HOST + 1];
	char zone[COAPWHERE_ZONE + 1]; /* "": all, or the one that the system chooses */
	int port;
	char uri[URI_HOST + URI_PATH + 40]; /* of one device */
};

int coapwhere_parse(const char *text, struct coapwhere *ret, struct err *e);
