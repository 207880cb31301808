#include "core/base/mem.h"
#include "core/loop/inside.h"

struct watch {
	uv_poll_t uv;
	struct loop *loop;
	int events; /* as set, so that setting the same again costs no system call */
	void (*fn)(void *ctx, int events);
	void *ctx;
};

static const struct {
	int ours, uvs;
} bits[] = { { WATCH_READ, UV_READABLE }, { WATCH_WRITE, UV_WRITABLE }, { WATCH_HANGUP, UV_DISCONNECT } };

static int to_uv(int events)
{
	int uvs = 0;
	for (size_t i = 0; i < sizeof(bits) / sizeof(*bits); i++)
		uvs |= events & bits[i].ours ? bits[i].uvs : 0;
	return uvs;
}

static int from_uv(int uvs)
{
	int events = 0;
	for (size_t i = 0; i < sizeof(bits) / sizeof(*bits); i++)
		events |= uvs & bits[i].uvs ? bits[i].ours : 0;
	return events;
}

/* A negative status is libuv's word for POLLERR; it has then stopped polling. */
static void on_poll(uv_poll_t *handle, int status, int uvs)
{
	struct watch *w = handle->data;
	loop_enter(w->loop);
	if (status < 0)
		w->events = 0;
	w->fn(w->ctx, status < 0 ? WATCH_ERROR : from_uv(uvs));
}

static void on_closed(uv_handle_t *handle)
{
	mem_free(handle->data);
}

struct watch *watch_new(struct loop *loop, int fd, int events, void (*fn)(void *ctx, int events), void *ctx)
{
	struct watch *w = mem_new(sizeof(*w));
	w->loop = loop;
	w->fn = fn;
	w->ctx = ctx;
	must(uv_poll_init(&loop->uv, &w->uv, fd) == 0);
	w->uv.data = w;
	watch_set(w, events);
	return w;
}

void watch_set(struct watch *w, int events)
{
	if (events == w->events)
		return;
	w->events = events;
	must(uv_poll_start(&w->uv, to_uv(events), on_poll) == 0);
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	uv_close((uv_handle_t *)&w->uv, on_closed); /* takes the fd out of epoll now, frees later */
}
