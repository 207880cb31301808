/*
 * Happy path: resolve, try the addresses one by one, hand over the first connection that comes up. An attempt lives until
 * libuv has answered its connect request, given up or not; its handle is closed by itself.
 */
#include "core/base/mem.h"
#include "core/loop/inside.h"
#include "core/loop/resolve.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

enum { CONNECT_MS = 10000 }; /* per address: dropped packets must not hide the next address for two minutes */

struct attempt {
	uv_connect_t request;
	uv_tcp_t *uv;
	struct dial *dial; /* NULL: given up */
};

struct dial {
	struct loop *loop;
	char *host;
	int port;
	struct resolve *resolve;
	struct sockaddr_storage addresses[RESOLVE_MOST];
	size_t n, next;
	struct attempt *attempt;
	struct timer timer;
	bool cancelled;
	struct err why;
	void (*fn)(void *ctx, uv_tcp_t *take_uv, const struct err *why);
	void *ctx;
};

static void try_next(struct dial *d);

static void on_closed(uv_handle_t *handle)
{
	mem_free(handle);
}

static void dial_free(struct dial *d)
{
	timer_stop(d->loop, &d->timer);
	mem_free(d->host);
	mem_free(d);
}

static void fail(void *ctx)
{
	struct dial *d = ctx;
	d->fn(d->ctx, NULL, &d->why);
	dial_free(d);
}

static void give_up(struct dial *d)
{
	if (!d->attempt)
		return;
	d->attempt->dial = NULL;
	uv_close((uv_handle_t *)d->attempt->uv, on_closed);
	d->attempt = NULL;
}

static void failed(struct dial *d, int status)
{
	const char *what = status == UV_ETIMEDOUT ? "no answer" : uv_strerror(status);
	err_set(&d->why, "cannot connect to %s port %d: %s", d->host, d->port, what);
	give_up(d);
	if (d->next == d->n)
		fail(d);
	else
		try_next(d);
}

static void too_late(void *ctx)
{
	failed(ctx, UV_ETIMEDOUT);
}

static void on_connected(uv_connect_t *request, int status)
{
	struct attempt *attempt = request->data;
	struct dial *d = attempt->dial;
	uv_tcp_t *uv = attempt->uv;
	if (!d) {
		mem_free(attempt);
		return;
	}
	loop_enter(d->loop);
	if (status < 0) {
		failed(d, status);
	} else {
		d->fn(d->ctx, uv, NULL);
		dial_free(d);
	}
	mem_free(attempt);
}

static void set_options(uv_tcp_t *uv)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },   { IPPROTO_TCP, TCP_KEEPIDLE, 20 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 5 }, { IPPROTO_TCP, TCP_KEEPCNT, 3 },
		{ IPPROTO_TCP, TCP_NODELAY, 1 },   { IPPROTO_TCP, TCP_USER_TIMEOUT, 30000 },
	};
	uv_os_fd_t fd;
	must(uv_fileno((uv_handle_t *)uv, &fd) == 0);
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(options[i].value));
}

static int connect_to(struct dial *d, const struct sockaddr_storage *address)
{
	struct attempt *attempt = mem_new(sizeof(*attempt));
	attempt->uv = mem_new(sizeof(*attempt->uv));
	attempt->request.data = attempt;
	int status = uv_tcp_init_ex(&d->loop->uv, attempt->uv, address->ss_family);
	if (status < 0) { /* no file descriptor, no IPv6: libuv has taken the handle back */
		mem_free(attempt->uv);
		mem_free(attempt);
		return status;
	}
	set_options(attempt->uv);
	status = uv_tcp_connect(&attempt->request, attempt->uv, (const struct sockaddr *)address, on_connected);
	if (status < 0) {
		uv_close((uv_handle_t *)attempt->uv, on_closed);
		mem_free(attempt);
		return status;
	}
	attempt->dial = d;
	d->attempt = attempt;
	return 0;
}

static void try_next(struct dial *d)
{
	timer_set(d->loop, &d->timer, CONNECT_MS, too_late, d);
	int status = connect_to(d, &d->addresses[d->next++]);
	if (status < 0)
		failed(d, status);
}

static void on_resolved(void *ctx, const struct sockaddr_storage *list, size_t n, const struct err *why)
{
	struct dial *d = ctx;
	d->resolve = NULL;
	if (why) {
		if (!d->cancelled)
			d->why = *why;
		fail(d);
		return;
	}
	for (size_t i = 0; i < n; i++)
		d->addresses[i] = list[i];
	d->n = n;
	try_next(d);
}

struct dial *dial_begin(struct loop *loop, const char *host, int port,
			void (*fn)(void *ctx, uv_tcp_t *take_uv, const struct err *why), void *ctx)
{
	struct dial *d = mem_new(sizeof(*d));
	d->loop = loop;
	d->host = mem_text(host);
	d->port = port;
	d->fn = fn;
	d->ctx = ctx;
	d->resolve = resolve_all(loop, host, port, SOCK_STREAM, on_resolved, d);
	return d;
}

void dial_cancel(struct dial *d)
{
	d->cancelled = true;
	err_set(&d->why, "cancelled");
	if (d->resolve) {
		resolve_cancel(d->resolve);
		return;
	}
	give_up(d);
	timer_set(d->loop, &d->timer, 0, fail, d);
}
