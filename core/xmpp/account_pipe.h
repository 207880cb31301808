/*
 * The account thread's half of a pipe: login, then bytes in and out of TLS. What both threads touch is in `orders`, `news` and
 * `guard`, under the lock of account_thread.c; inside of account_thread.c only.
 */
#pragma once

#include "core/base/text.h"
#include "core/loop/worker.h"
#include "core/xmpp/account_thread.h"

#include <pthread.h>

enum { PIPE_READ = 64 * 1024 }; /* bytes that wait for the loop thread at most, and one read */

struct account_orders {
	struct list link; /* in thread.ordered */
	struct text bytes;
	bool cut, paused;
};

struct account_news {
	struct job job;
	bool posted;
	struct text bytes;
	size_t sent;
	bool up, ended;
	char word[32];
	struct err why;
};

struct account_pipe {
	struct account_thread *thread;

	/* loop thread */
	const struct account_pipe_events *events;
	void *ctx;
	size_t unsent;
	struct text taken;

	/* both */
	struct account_orders orders;
	struct account_news news;
	int guard; /* duplicate of the socket while a turn may block; -1: none */

	/* account thread */
	struct account_library *library;
	const struct account_who *who;
	struct account_login *login;
	SSL *tls; /* from LOGIN_DONE on */
	struct text out;
	size_t out_at;
	bool known, cut, paused;
	bool full;       /* the loop thread has not taken what was read */
	bool due;        /* there may be more to do than poll(2) shows */
	bool read_waits; /* for the socket to take something */
};

bool account_pipe_step(struct account_pipe *p, char buffer[PIPE_READ]); /* false: it is over, account_pipe_end */
bool account_pipe_logs_in(const struct account_pipe *p);
int account_pipe_fd(const struct account_pipe *p);
short account_pipe_events(const struct account_pipe *p);
void account_pipe_end(struct account_pipe *p); /* closes; the pipe may be gone when it returns */

/* account_thread.c's: */
void account_thread_lock(struct account_thread *t);
void account_thread_unlock(struct account_thread *t);
void account_thread_tell(struct account_pipe *p); /* unlocks; the news go to the loop thread, the pipe may be gone */
