/*
 * The answer always comes in a later turn: from libuv's pool, or from a timer for numeric hosts (which must not wait
 * behind four dead names in the pool) and after a cancel (which must not wait for the resolver's timeout).
 */
#include "core/loop/resolve.h"

#include "core/base/mem.h"
#include "core/loop/inside.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct resolve {
	uv_getaddrinfo_t uv;
	struct loop *loop;
	struct timer answer;
	char *host;
	bool in_pool, answered;
	struct sockaddr_storage list[RESOLVE_MOST];
	size_t n;
	struct err why;
	void (*fn)(void *ctx, const struct sockaddr *address, socklen_t size, const struct err *why);
	void (*fn_all)(void *ctx, const struct sockaddr_storage *list, size_t n, const struct err *why);
	void *ctx;
};

socklen_t resolve_size(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static void free_when_done(struct resolve *r)
{
	if (r->in_pool || !r->answered)
		return;
	mem_free(r->host);
	mem_free(r);
}

static void answer(void *ctx)
{
	struct resolve *r = ctx;
	const struct err *why = r->n ? NULL : &r->why;
	r->answered = true;
	if (r->in_pool)
		r->loop->strays++;
	if (r->fn_all)
		r->fn_all(r->ctx, r->n ? r->list : NULL, r->n, why);
	else if (r->n)
		r->fn(r->ctx, (struct sockaddr *)&r->list[0], resolve_size(&r->list[0]), NULL);
	else
		r->fn(r->ctx, NULL, 0, why);
	free_when_done(r);
}

static void keep(struct resolve *r, const struct addrinfo *list)
{
	for (const struct addrinfo *at = list; at && r->n < RESOLVE_MOST; at = at->ai_next) {
		if (at->ai_family == AF_INET || at->ai_family == AF_INET6)
			memcpy(&r->list[r->n++], at->ai_addr, at->ai_addrlen);
	}
}

static void on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct resolve *r = request->data;
	loop_enter(r->loop);
	r->in_pool = false;
	if (r->answered) {
		r->loop->strays--;
		uv_freeaddrinfo(list);
		free_when_done(r);
		return;
	}
	timer_stop(r->loop, &r->answer);
	if (status == 0 && r->why.text[0] == '\0')
		keep(r, list);
	uv_freeaddrinfo(list);
	if (r->n == 0 && r->why.text[0] == '\0')
		err_set(&r->why, "cannot resolve '%s': %s", r->host, status ? uv_strerror(status) : "no address");
	answer(r);
}

static bool is_numeric(struct resolve *r, const char *host, int port)
{
	return uv_ip4_addr(host, port, (struct sockaddr_in *)&r->list[0]) == 0 ||
	       uv_ip6_addr(host, port, (struct sockaddr_in6 *)&r->list[0]) == 0;
}

static struct resolve *begin(struct resolve *r, const char *host, int port, int socktype)
{
	r->uv.data = r;
	r->host = mem_text(host);
	if (is_numeric(r, host, port)) {
		r->n = 1;
		timer_set(r->loop, &r->answer, 0, answer, r);
		return r;
	}
	char service[8];
	snprintf(service, sizeof(service), "%u", (unsigned)(uint16_t)port);
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = socktype, .ai_flags = AI_NUMERICSERV };
	int status = uv_getaddrinfo(&r->loop->uv, &r->uv, on_answer, host, service, &hints);
	r->in_pool = status == 0;
	if (status < 0) {
		err_set(&r->why, "cannot resolve '%s': %s", host, uv_strerror(status));
		timer_set(r->loop, &r->answer, 0, answer, r);
	}
	return r;
}

struct resolve *
resolve_begin(struct loop *loop, const char *host, int port, int socktype,
	      void (*fn)(void *ctx, const struct sockaddr *address, socklen_t size, const struct err *why), void *ctx)
{
	struct resolve *r = mem_new(sizeof(*r));
	r->loop = loop;
	r->fn = fn;
	r->ctx = ctx;
	return begin(r, host, port, socktype);
}

struct resolve *resolve_all(struct loop *loop, const char *host, int port, int socktype,
			    void (*fn)(void *ctx, const struct sockaddr_storage *list, size_t n, const struct err *why),
			    void *ctx)
{
	struct resolve *r = mem_new(sizeof(*r));
	r->loop = loop;
	r->fn_all = fn;
	r->ctx = ctx;
	return begin(r, host, port, socktype);
}

void resolve_cancel(struct resolve *r)
{
	if (!r || r->answered)
		return;
	r->n = 0;
	err_set(&r->why, "cancelled");
	timer_set(r->loop, &r->answer, 0, answer, r);
	if (r->in_pool)
		uv_cancel((uv_req_t *)&r->uv);
}
