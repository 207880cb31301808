#include "core/xmpp/account_server.h"

#include "core/base/mem.h"
#include "core/loop/srv.h"

#include <stdio.h>
#include <string.h>

struct account_server {
	struct loop *loop;
	struct srv *srv; /* one of them is under way */
	struct resolve *resolve;
	struct srv_target targets[SRV_MOST];
	size_t n_targets, next;
	struct sockaddr_storage addresses[RESOLVE_MOST];
	size_t n;
	bool cancelled;
	struct err why; /* of the last target that has no address */
	void (*fn)(void *ctx, const struct sockaddr_storage *list, size_t n, const struct err *why);
	void *ctx;
};

static void resolve_next(struct account_server *s);

static void on_resolved(void *ctx, const struct sockaddr_storage *list, size_t n, const struct err *why)
{
	struct account_server *s = ctx;
	s->resolve = NULL;
	if (why)
		s->why = *why;
	for (size_t i = 0; i < n && s->n < RESOLVE_MOST; i++)
		s->addresses[s->n++] = list[i];
	resolve_next(s);
}

static void resolve_next(struct account_server *s)
{
	const struct srv_target *t = &s->targets[s->next];
	if (s->next == s->n_targets || s->n == RESOLVE_MOST || s->cancelled) {
		s->fn(s->ctx, s->n ? s->addresses : NULL, s->n, s->n ? NULL : &s->why);
		mem_free(s);
		return;
	}
	s->next++;
	s->resolve = resolve_all(s->loop, t->host, t->port, SOCK_STREAM, on_resolved, s);
}

static void on_srv(void *ctx, const struct srv_target *list, size_t n)
{
	struct account_server *s = ctx;
	s->srv = NULL;
	if (n)
		memcpy(s->targets, list, n * sizeof(*list));
	if (n)
		s->n_targets = n;
	resolve_next(s);
}

static void look_up(struct account_server *s, const char *domain)
{
	char *name = mem_format("_xmpp-client._tcp.%s", domain);
	s->srv = srv_begin(s->loop, name, on_srv, s);
	mem_free(name);
}

struct account_server *account_server_find(struct loop *loop, const char *host, const char *domain, int port,
					   void (*fn)(void *ctx, const struct sockaddr_storage *list, size_t n,
						      const struct err *why),
					   void *ctx)
{
	struct account_server *s = mem_new(sizeof(*s));
	*s = (struct account_server){ .loop = loop, .fn = fn, .ctx = ctx, .n_targets = 1 };
	s->targets[0].port = port;
	snprintf(s->targets[0].host, sizeof(s->targets[0].host), "%s", *host ? host : domain);
	if (*host)
		resolve_next(s);
	else
		look_up(s, domain);
	return s;
}

void account_server_cancel(struct account_server *s)
{
	s->cancelled = true;
	s->n = 0;
	err_set(&s->why, "cancelled");
	if (s->srv)
		srv_cancel(s->srv);
	if (s->resolve)
		resolve_cancel(s->resolve);
}
