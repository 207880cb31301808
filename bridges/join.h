/*
 * Puts one end of a socket pair in the place of libmosquitto's connection. That library takes no descriptor, it can only
 * connect; so it is let connect to a port of ours on 127.0.0.1, where nobody but it is taken, and then gets the end of the
 * pair under the number of its socket. What it has said by then, its CONNECT, is kept for the other end.
 *
 *   join_begin → the library connects to join.port → join_end → join.inner and join.hello
 *
 * The caller's struct; join_drop ends it, after either. Any thread; waits only for this machine.
 */
#pragma once

#include "core/base/err.h"
#include "core/base/text.h"

struct join {
	int listener, port;
	int inner;         /* the other end of the library's connection, non-blocking; -1 until join_end, and when taken */
	struct text hello; /* what the library has said already */
};

int join_begin(struct join *j, struct err *e);
int join_end(struct join *j, int library_fd, struct err *e);
void join_drop(struct join *j);
