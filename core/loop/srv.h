/*
 * On which hosts a domain offers a service (DNS SRV, RFC 2782), asked off the loop thread (libuv's pool). Exactly one call of
 * fn, in a later turn, also after srv_cancel. None is an answer, and so is that nobody could be asked: then the domain itself is
 * tried (RFC 6120, section 3.2.2).
 */
#pragma once

#include "core/loop/loop.h"

enum { SRV_MOST = 8 };

struct srv_target { /* in the order in which they are to be tried; a gateway is one client, so weight is only an order */
	char host[256];
	int port;
	unsigned priority, weight;
};

struct srv;
struct srv *srv_begin(struct loop *loop, const char *name, /* "_xmpp-client._tcp.example.org" */
		      void (*fn)(void *ctx, const struct srv_target *list, size_t n), void *ctx);
void srv_cancel(struct srv *s);

size_t srv_read(const unsigned char *answer, size_t size,
		struct srv_target ret[SRV_MOST]); /* the message of a DNS server */
