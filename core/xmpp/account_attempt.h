/*
 * The accounts of account.c one by one: when each tries to log in, what its stream says, and what the log hears of it. Inside
 * of account.c and account_attempt.c only. Loop thread.
 */
#pragma once

#include "core/loop/backoff.h"
#include "core/loop/resolve.h"
#include "core/xmpp/account.h"
#include "core/xmpp/account_server.h"
#include "core/xmpp/account_stream.h"

struct account {
	struct accounts *all;
	struct thing *thing; /* NULL: it has left the house, and the account ends with its stream */
	char *local, *jid;
	char *password;
	char address[64];
	struct account_who who;
	struct account_thread *thread;
	struct account_stream *stream;
	struct text out;
	struct list queued, dirty;
	struct timer timer;
	struct backoff backoff;
	int64_t up_since;
	unsigned failures; /* each tries the next address */
	bool tried, up;
};

struct accounts {
	struct link link;
	const struct conf_xmpp *settings;
	char *domain;
	struct account_library *library;
	struct account_thread **threads;
	size_t n_threads;
	struct account **list;
	size_t n, n_up, n_open; /* open: have a stream */
	size_t n_tried;         /* at least once */
	size_t n_made;          /* ever */
	size_t n_told;          /* n_up when it was last in the log */
	struct map by_local;
	struct account *writing;
	struct list queue, dirty;
	struct turn_hook hook;
	struct account_server *server; /* is looked up */
	struct sockaddr_storage addresses[RESOLVE_MOST];
	size_t n_addresses;
	int64_t resolved;
	struct timer closed;
	struct err said; /* of the server, in the log */
	int64_t said_ms;
	bool running, closing;
};

void account_attempt_due(struct account *a); /* as soon as it has its turn */
void account_attempt_free(struct account *a); /* it has no stream */
void account_attempt_end(struct accounts *all); /* on_closed follows when all are closed and nothing is in flight */
