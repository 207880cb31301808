/*
 * Where the server of a domain listens for accounts: at the configured host, or where DNS says (RFC 6120, section 3.2), or at the
 * domain itself. Exactly one call of fn, in a later turn, also after account_server_cancel. Loop thread.
 */
#pragma once

#include "core/base/err.h"
#include "core/loop/resolve.h"

struct account_server;

/* host "": unknown. fn: at most RESOLVE_MOST addresses with their ports, or none and why. */
struct account_server *account_server_find(struct loop *loop, const char *host, const char *domain, int port,
					   void (*fn)(void *ctx, const struct sockaddr_storage *list, size_t n,
						      const struct err *why),
					   void *ctx);
void account_server_cancel(struct account_server *s);
