/*
 * Happy path: dial → on_up → reads into the loop's one buffer, writes straight to the kernel. Only what the kernel does not
 * take at once waits in the queue, with one write request in flight.
 *
 * Every end goes through end(), which keeps the first reason; on_end and the freeing come from libuv's close callback or
 * dial's answer, never on the caller's stack.
 */
#include "core/loop/tcp.h"

#include "core/base/list.h"
#include "core/base/mem.h"
#include "core/loop/inside.h"

enum {
	PIECES = 64,              /* per write request */
	PIECES_BYTES = 256 * 1024 /* so that on_sent comes while a long queue drains, not at its end */
};

struct piece {
	struct list link;
	char *bytes;
	size_t size, sent;
};

struct tcp {
	struct loop *loop;
	struct tcp_events events;
	void *ctx;
	char *host;
	int port;
	struct dial *dial; /* until it is up */
	uv_tcp_t *uv;      /* from then on */
	uv_write_t writing;
	struct list queue, flying; /* flying: the write request's */
	size_t waiting;            /* bytes in queue */
	struct err why;
	bool paused, ending;
	bool broken; /* nothing can be written any more; what has come before the end is still read */
};

static bool is_up(const struct tcp *tcp)
{
	return tcp->uv && !tcp->ending;
}

static bool can_write(const struct tcp *tcp)
{
	return is_up(tcp) && !tcp->broken;
}

static uv_stream_t *stream_of(struct tcp *tcp)
{
	return (uv_stream_t *)tcp->uv;
}

static void piece_free(struct piece *piece)
{
	mem_free(piece->bytes);
	mem_free(piece);
}

static void free_pieces(struct list *pieces)
{
	for (struct list *link; (link = list_pop(pieces));)
		piece_free(list_of(link, struct piece, link));
}

static void finish(struct tcp *tcp)
{
	free_pieces(&tcp->flying);
	free_pieces(&tcp->queue);
	tcp->events.on_end(tcp->ctx, &tcp->why);
	mem_free(tcp->host);
	mem_free(tcp);
}

static void on_closed(uv_handle_t *handle)
{
	struct tcp *tcp = handle->data;
	loop_enter(tcp->loop);
	mem_free(handle);
	finish(tcp);
}

/* The reason is in tcp->why. */
static void end(struct tcp *tcp)
{
	tcp->ending = true;
	if (tcp->uv)
		uv_close((uv_handle_t *)tcp->uv, on_closed);
	else
		dial_cancel(tcp->dial);
}

static void lost(struct tcp *tcp, int status)
{
	if (tcp->ending)
		return;
	const char *what = status == UV_EOF ? "closed by the other side" : uv_strerror(status);
	if (!tcp->broken)
		err_set(&tcp->why, "connection to %s port %d lost: %s", tcp->host, tcp->port, what);
	end(tcp);
}

/* Who closes with unread words of ours in his hands resets the connection, and may have said why just before: that is read, up to its end. */
static void write_failed(struct tcp *tcp, int status)
{
	if (!can_write(tcp))
		return;
	if (tcp->paused || (status != UV_ECONNRESET && status != UV_EPIPE)) {
		lost(tcp, status);
		return;
	}
	err_set(&tcp->why, "connection to %s port %d lost: %s", tcp->host, tcp->port, uv_strerror(status));
	tcp->broken = true;
	free_pieces(&tcp->queue);
	tcp->waiting = 0;
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	(void)suggested;
	const struct tcp *tcp = handle->data;
	*ret = uv_buf_init(tcp->loop->buffer, LOOP_BUFFER);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct tcp *tcp = stream->data;
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
		piece_free(piece);
	}
}

static unsigned gather(struct tcp *tcp, uv_buf_t *ret)
{
	unsigned n = 0;
	size_t bytes = 0;
	list_each (link, &tcp->queue) {
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
	int status = uv_write(&tcp->writing, stream_of(tcp), bufs, n, on_written);
	if (status < 0)
		write_failed(tcp, status);
}

static void push(struct tcp *tcp)
{
	uv_buf_t bufs[PIECES];
	while (can_write(tcp) && list_empty(&tcp->flying) && !list_empty(&tcp->queue)) {
		unsigned n = gather(tcp, bufs);
		int sent = uv_try_write(stream_of(tcp), bufs, n);
		if (sent > 0)
			drop_sent(tcp, (size_t)sent);
		else if (sent == 0 || sent == UV_EAGAIN)
			fly(tcp, bufs, n);
		else
			write_failed(tcp, sent);
	}
}

static void on_written(uv_write_t *request, int status)
{
	struct tcp *tcp = request->data;
	loop_enter(tcp->loop);
	free_pieces(&tcp->flying);
	if (status < 0)
		write_failed(tcp, status);
	push(tcp);
	if (is_up(tcp) && tcp->events.on_sent)
		tcp->events.on_sent(tcp->ctx);
}

static void on_dialled(void *ctx, uv_tcp_t *take_uv, const struct err *why)
{
	struct tcp *tcp = ctx;
	tcp->dial = NULL;
	if (!take_uv) {
		if (!tcp->ending)
			tcp->why = *why;
		finish(tcp);
		return;
	}
	tcp->uv = take_uv;
	tcp->uv->data = tcp->writing.data = tcp;
	read_on(tcp);
	tcp->events.on_up(tcp->ctx);
	push(tcp);
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
	tcp->dial = dial_begin(loop, host, port, on_dialled, tcp);
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
	if (tcp->ending || tcp->broken || size == 0) {
		mem_free(take_bytes);
		return;
	}
	int sent = 0;
	if (is_up(tcp) && list_empty(&tcp->queue)) {
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
	size_t flying = tcp->uv ? uv_stream_get_write_queue_size((const uv_stream_t *)tcp->uv) : 0;
	return tcp->waiting + flying;
}

void tcp_pause(struct tcp *tcp, bool pause)
{
	tcp->paused = pause;
	if (is_up(tcp) && pause && tcp->broken)
		end(tcp); /* whoever pauses may wait for what is never sent */
	else if (is_up(tcp))
		read_on(tcp);
}
