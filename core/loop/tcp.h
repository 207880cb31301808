/*
 * An outgoing TCP connection for link.c's component mode: resolved off the loop, TCP_NODELAY, keepalive 20/5/3,
 * TCP_USER_TIMEOUT 30 s, CLOEXEC. Reads arrive in pieces of at most 64 KiB, writes are queued and never block.
 *
 * tcp_open gives a connection that ends in exactly one on_end (also after tcp_close, which may be called at any time,
 * also inside a callback; on_end never comes inside it); after it the struct is freed. Every address of the name is tried,
 * 10 s each. What the kernel has not taken at tcp_close is lost: wait for the backlog, or for the peer's end.
 * A peer that resets the connection is heard out: what it said before is still read, unless the reading is paused. Loop thread.
 */
#pragma once

#include "core/base/err.h"
#include "core/loop/loop.h"

struct tcp;

struct tcp_events {
	void (*on_up)(void *ctx);
	void (*on_data)(void *ctx, const char *bytes, size_t size); /* valid during the call */
	void (*on_sent)(void *ctx);                                 /* the backlog became smaller; may be NULL */
	void (*on_end)(void *ctx, const struct err *why);           /* refused, lost or closed; last call */
};

struct tcp *tcp_open(struct loop *loop, const char *host, int port, const struct tcp_events *events, void *ctx);
void tcp_close(struct tcp *tcp);
void tcp_write(struct tcp *tcp, char *take_bytes, size_t size); /* takes memory of mem.h; in order */
size_t tcp_backlog(const struct tcp *tcp);                      /* bytes taken and not yet given to the kernel */
void tcp_pause(struct tcp *tcp, bool pause);                    /* stop reading: TCP pushes back on the peer */
