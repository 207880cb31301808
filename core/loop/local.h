/*
 * A Unix socket that listens, and who connects to it: people of this machine. Only root, the user this process runs as, and members
 * of his group get in (SO_PEERCRED, SO_PEERGROUPS); everybody else is told so and closed. The file is replaced when it was left
 * by a process that is dead; when somebody answers there it is left alone.
 *
 * A peer ends in one on_end, when it closes or fails, or in local_drop; after either it is freed. on_end does not come inside
 * another call. Reads come in pieces of at most 64 KiB, writes are queued and never block: it is the caller who must
 * stop at a backlog. Owned by who listens; loop thread.
 */
#pragma once

#include "core/base/err.h"
#include "core/loop/loop.h"

struct local;
struct local_peer;

struct local_events {
	void *(*on_peer)(void *ctx, struct local_peer *p); /* gives the peer's own ctx */
	void (*on_data)(void *peer_ctx, const char *bytes, size_t size); /* valid during the call */
	void (*on_sent)(void *peer_ctx);                                 /* nothing waits any more */
	void (*on_end)(void *peer_ctx);                                  /* last call */
};

enum local_fault {
	LOCAL_FAILED = -1, /* no such directory, not allowed, not a socket, ... */
	LOCAL_TAKEN = -2,  /* another process answers there */
};

/* 0, or a fault with its sentence. most: peers at once; who comes then is told so and closed. */
int local_listen(struct loop *loop, const char *path, size_t most, const struct local_events *events, void *ctx, struct local **ret,
		 struct err *e);
void local_close(struct local *l); /* takes the file away; after the peers were dropped; NULL is allowed */

void local_write(struct local_peer *p, const char *bytes, size_t size);
size_t local_backlog(const struct local_peer *p);
void local_finish(struct local_peer *p); /* drops it when all is sent, or after a second; no more calls come */
void local_drop(struct local_peer *p);   /* no more calls come; also inside one */

/* The other end, for the command line: a descriptor, or -1 with errno, without a sentence. */
int local_connect(const char *path);
