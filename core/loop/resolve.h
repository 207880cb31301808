/*
 * Name to address, off the loop thread (libuv's pool of four). Exactly one call of fn, in a later turn; after resolve_cancel
 * it comes soon, without waiting for the resolver, and why says so. loop_free waits for the resolver.
 */
#pragma once

#include "core/base/err.h"
#include "core/loop/loop.h"

#include <sys/socket.h>

struct resolve;

/* address is NULL when why says what failed; it is valid during the call. Numeric hosts are answered too, in a later
 * turn. */
struct resolve *
resolve_begin(struct loop *loop, const char *host, int port, int socktype,
	      void (*fn)(void *ctx, const struct sockaddr *address, socklen_t size, const struct err *why), void *ctx);
void resolve_cancel(struct resolve *r);

/* As resolve_begin, with all addresses in the system's order of preference, at most RESOLVE_MOST; NULL when it failed. */
enum { RESOLVE_MOST = 8 };
struct resolve *resolve_all(struct loop *loop, const char *host, int port, int socktype,
			    void (*fn)(void *ctx, const struct sockaddr_storage *list, size_t n, const struct err *why),
			    void *ctx);
socklen_t resolve_size(const struct sockaddr_storage *address);
