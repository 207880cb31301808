/*
 * A thread that logs accounts in and carries the bytes of their connections, and the pipe that the loop thread has of each:
 * like a struct tcp, but with TLS and SASL behind it.
 *
 * account_thread_open gives a pipe that ends in exactly one on_end (never inside a call); after it the pipe is freed. Nothing
 * here blocks: a thread that hangs in a handshake is freed by account_thread_cut. What is not taken by the loop thread is not
 * read: at most PIPE_READ bytes wait. Loop thread.
 */
#pragma once

#include "core/loop/loop.h"
#include "core/xmpp/account_login.h"

struct account_thread;
struct account_pipe;

struct account_pipe_events {
	void (*on_up)(void *ctx); /* authenticated: the server waits for the header of the stream */
	void (*on_data)(void *ctx, const char *bytes, size_t size);
	void (*on_sent)(void *ctx);
	void (*on_end)(void *ctx, const char *word, const struct err *why); /* word: as account_login_why */
};

struct account_thread *account_thread_new(struct loop *loop, const char *name, struct account_library *library);
void account_thread_free(struct account_thread *t); /* no pipe is open */

struct account_pipe *account_thread_open(struct account_thread *t, const struct account_who *who,
					 const struct account_pipe_events *events, void *ctx);
void account_thread_write(struct account_pipe *p, const char *bytes, size_t size);
size_t account_thread_backlog(const struct account_pipe *p); /* bytes that the kernel has not taken */
void account_thread_pause(struct account_pipe *p, bool pause);
void account_thread_cut(struct account_pipe *p); /* at once; what is not sent is lost */
