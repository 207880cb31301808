/*
 * Happy path: resolve → try the addresses one by one → on_up → reads into the loop's one buffer, writes straight to the
 * kernel. Only what the kernel does not take at once waits in the queue, with one write request in flight.
 *
 * Every end goes through end(): it keeps the first reason, closes, and the close callback (never the caller's stack)
 * calls on_end and frees. An attempt that failed has a socket of its own that closes by itself.
 */
#include "core/loop/tcp.h"

#include "core/base/list.h"
#include "core/base/mem.h"
#include "core/loop/inside.h"
#include "core/loop/resolve.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

enum {
	CONNECT_MS =
		10000, /* per address: a router that drops packets must not hide the next address for two minutes */
	PIECES = 64,   /* per write request */
	PIECES_BYTES = 256 * 1024 /* so that on_sent comes while a long queue drains, not at its end */
};

struct piece {
	struct list link;
	char *bytes;
	size_t size, sent;
};

struct attempt {
	uv_tcp_t uv;
	uv_connect_t connecting;
	uv_write_t writing;
	struct tcp *tcp; /* NULL: given up */
};

struct tcp {
	struct loop *loop;
	struct tcp_events events;
	void *ctx;
	char *host;
	int port;
	struct resolve *resolve;
	struct sockaddr_storage addresses[RESOLVE_MOST];
	size_t n_addresses, next_address;
	struct attempt *attempt;
	struct timer timer;
	struct list queue, flying;
	size_t waiting; /* bytes in queue */
	struct err why;
	bool up, paused, ending;
};

static void try_next(struct tcp *tcp);

static uv_stream_t *stream_of(struct tcp *tcp)
{
	return (uv_stream_t *)&tcp->attempt->uv;
}

static void free_pieces(struct list *pieces)
{
	for (struct list *link; (link = list_pop(pieces));) {
		struct piece *piece = list_of(link, struct piece, link);
		mem_free(piece->bytes);
		mem_free(piece);
	}
}

static void finish(void *ctx)
{
	struct tcp *tcp = ctx;
	free_pieces(&tcp->flying);
	free_pieces(&tcp->queue);
	tcp->events.on_end(tcp->ctx, &tcp->why);
	mem_free(tcp->host);
	mem_free(tcp);
}

static void on_closed(uv_handle_t *handle)
{
	struct attempt *attempt = handle->data;
	struct tcp *tcp = attempt->tcp;
	mem_free(attempt);
	if (!tcp)
		return;
	loop_enter(tcp->loop);
	finish(tcp);
}

static void close_attempt(struct attempt *attempt)
{
	uv_close((uv_handle_t *)&attempt->uv, on_closed);
}

/* The reason is in tcp->why. */
static void end(struct tcp *tcp)
{
	tcp->ending = true;
	tcp->up = false;
	timer_stop(tcp->loop, &tcp->timer);
	if (tcp->attempt)
		close_attempt(tcp->attempt);
	else if (tcp->resolve)
		resolve_cancel(tcp->resolve);
	else
		timer_set(tcp->loop, &tcp->timer, 0, finish, tcp);
}

static void lost(struct tcp *tcp, int status)
{
	if (tcp->ending)
		return;
	const char *what = status == UV_EOF ? "closed by the other side" : uv_strerror(status);
	err_set(&tcp->why, "connection to %s port %d lost: %s", tcp->host, tcp->port, what);
	end(tcp);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	(void)suggested;
	const struct attempt *attempt = handle->data;
	*ret = uv_buf_init(attempt->tcp->loop->buffer, LOOP_BUFFER);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct attempt *attempt = stream->data;
	struct tcp *tcp = attempt->tcp;
	loop_enter(tcp->loop);
	if (size < 0)
		lost(tcp, (int)size);
	else if (size > 0)
		tcp->events.on_data(tcp->ctx, buffer->base, (size_t)size);
}

static void read_on(struct tcp *tcp)
{
	if (tcp->paused)
		uv_read_stop(stream_of(tcp));
	else
		uv_read_start(stream_of(tcp), on_room, on_read);
}

static void drop_sent(struct tcp *tcp, size_t sent)
{
	tcp->waiting -= sent;
	while (sent) {
		struct piece *piece = list_of(tcp->queue.next, struct piece, link);
		size_t rest = piece->size - piece->sent;
		if (rest > sent) {
			piece->sent += sent;
			return;
		}
		sent -= rest;
		list_drop(&piece->link);
		mem_free(piece->bytes);
		mem_free(piece);
	}
}

static unsigned gather(struct tcp *tcp, uv_buf_t *ret)
{
	unsigned n = 0;
	size_t bytes = 0;
	list_each(link, &tcp->queue)
	{
		struct piece *piece = list_of(link, struct piece, link);
		if (n == PIECES || bytes >= PIECES_BYTES)
			break;
		size_t rest = piece->size - piece->sent;
		ret[n++] = uv_buf_init(piece->bytes + piece->sent, (unsigned)rest);
		bytes += rest;
	}
	return n;
}

static void on_written(uv_write_t *request, int status);

/* The gathered pieces belong to the request until on_written. */
static void fly(struct tcp *tcp, const uv_buf_t *bufs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct list *link = list_pop(&tcp->queue);
		tcp->waiting -= bufs[i].len;
		list_add(&tcp->flying, link);
	}
	int status = uv_write(&tcp->attempt->writing, stream_of(tcp), bufs, n, on_written);
	if (status < 0)
		lost(tcp, status);
}

static void push(struct tcp *tcp)
{
	uv_buf_t bufs[PIECES];
	while (tcp->up && list_empty(&tcp->flying) && !list_empty(&tcp->queue)) {
		unsigned n = gather(tcp, bufs);
		int sent = uv_try_write(stream_of(tcp), bufs, n);
		if (sent > 0)
			drop_sent(tcp, (size_t)sent);
		else if (sent == 0 || sent == UV_EAGAIN)
			fly(tcp, bufs, n);
		else
			lost(tcp, sent);
	}
}

static void on_written(uv_write_t *request, int status)
{
	struct attempt *attempt = request->data;
	struct tcp *tcp = attempt->tcp;
	loop_enter(tcp->loop);
	free_pieces(&tcp->flying);
	if (status < 0)
		lost(tcp, status);
	push(tcp);
	if (tcp->up && tcp->events.on_sent)
		tcp->events.on_sent(tcp->ctx);
}

static void come_up(struct tcp *tcp)
{
	timer_stop(tcp->loop, &tcp->timer);
	tcp->up = true;
	read_on(tcp);
	if (tcp->events.on_up)
		tcp->events.on_up(tcp->ctx);
	push(tcp);
}

static void failed(struct tcp *tcp, int status)
{
	const char *what = status == UV_ETIMEDOUT ? "no answer" : uv_strerror(status);
	err_set(&tcp->why, "cannot connect to %s port %d: %s", tcp->host, tcp->port, what);
	if (tcp->next_address == tcp->n_addresses) {
		end(tcp);
		return;
	}
	if (tcp->attempt) {
		tcp->attempt->tcp = NULL;
		close_attempt(tcp->attempt);
		tcp->attempt = NULL;
	}
	try_next(tcp);
}

static void on_connected(uv_connect_t *request, int status)
{
	struct attempt *attempt = request->data;
	struct tcp *tcp = attempt->tcp;
	if (!tcp || tcp->ending)
		return;
	loop_enter(tcp->loop);
	if (status < 0)
		failed(tcp, status);
	else
		come_up(tcp);
}

static void too_late(void *ctx)
{
	failed(ctx, UV_ETIMEDOUT);
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
	if (uv_fileno((uv_handle_t *)uv, &fd) < 0)
		return;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(options[i].value));
}

static void try_next(struct tcp *tcp)
{
	const struct sockaddr_storage *address = &tcp->addresses[tcp->next_address++];
	struct attempt *attempt = mem_new(sizeof(*attempt));
	int status = uv_tcp_init_ex(&tcp->loop->uv, &attempt->uv, address->ss_family);
	if (status < 0) { /* no file descriptors, no IPv6: libuv has taken the handle back */
		mem_free(attempt);
		failed(tcp, status);
		return;
	}
	attempt->tcp = tcp;
	attempt->uv.data = attempt->connecting.data = attempt->writing.data = attempt;
	tcp->attempt = attempt;
	set_options(&attempt->uv);
	timer_set(tcp->loop, &tcp->timer, CONNECT_MS, too_late, tcp);
	status = uv_tcp_connect(&attempt->connecting, &attempt->uv, (const struct sockaddr *)address, on_connected);
	if (status < 0)
		failed(tcp, status);
}

static void on_resolved(void *ctx, const struct sockaddr_storage *list, size_t n, const struct err *why)
{
	struct tcp *tcp = ctx;
	tcp->resolve = NULL;
	if (tcp->ending) {
		finish(tcp);
		return;
	}
	if (why) {
		tcp->why = *why;
		end(tcp);
		return;
	}
	for (size_t i = 0; i < n; i++)
		tcp->addresses[i] = list[i];
	tcp->n_addresses = n;
	try_next(tcp);
}

struct tcp *tcp_open(struct loop *loop, const char *host, int port, const struct tcp_events *events, void *ctx)
{
	struct tcp *tcp = mem_new(sizeof(*tcp));
	tcp->loop = loop;
	tcp->events = *events;
	tcp->ctx = ctx;
	tcp->host = mem_text(host);
	tcp->port = port;
	list_init(&tcp->queue);
	list_init(&tcp->flying);
	tcp->resolve = resolve_all(loop, host, port, SOCK_STREAM, on_resolved, tcp);
	return tcp;
}

void tcp_close(struct tcp *tcp)
{
	if (tcp->ending)
		return;
	err_set(&tcp->why, "connection to %s port %d closed", tcp->host, tcp->port);
	end(tcp);
}

static void queue_add(struct tcp *tcp, char *take_bytes, size_t size, size_t sent)
{
	struct piece *piece = mem_new(sizeof(*piece));
	piece->bytes = take_bytes;
	piece->size = size;
	piece->sent = sent;
	tcp->waiting += size - sent;
	list_add(&tcp->queue, &piece->link);
}

void tcp_write(struct tcp *tcp, char *take_bytes, size_t size)
{
	if (tcp->ending || size == 0) {
		mem_free(take_bytes);
		return;
	}
	int sent = 0;
	if (tcp->up && list_empty(&tcp->queue) && list_empty(&tcp->flying)) {
		uv_buf_t buf = uv_buf_init(take_bytes, (unsigned)size);
		sent = uv_try_write(stream_of(tcp), &buf, 1);
	}
	if (sent == (int)size) {
		mem_free(take_bytes);
		return;
	}
	queue_add(tcp, take_bytes, size, sent > 0 ? (size_t)sent : 0);
	push(tcp);
}

size_t tcp_backlog(const struct tcp *tcp)
{
	size_t flying = tcp->attempt ? uv_stream_get_write_queue_size((const uv_stream_t *)&tcp->attempt->uv) : 0;
	return tcp->waiting + flying;
}

void tcp_pause(struct tcp *tcp, bool pause)
{
	tcp->paused = pause;
	if (tcp->up)
		read_on(tcp);
}
