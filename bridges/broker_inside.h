/*
 * What broker.c, the connection, and broker_library.c, libmosquitto, share.
 */
#pragma once

#include "bridges/broker.h"
#include "bridges/guard.h"
#include "bridges/join.h"
#include "core/loop/tcp.h"
#include "core/loop/worker.h"

struct mosquitto;

enum broker_state {
	BROKER_IDLE,
	BROKER_LOADING, /* certificates; the worker has it */
	BROKER_DIALING,
	BROKER_GREETING, /* TLS */
	BROKER_JOINING,  /* the library connects; the worker has it */
	BROKER_HANDSHAKE,
	BROKER_UP,
	BROKER_ENDING /* its connection is being closed */
};

struct broker {
	struct loop *loop;
	struct broker_options options;
	const struct broker_events *events;
	void *ctx;
	enum broker_state state;
	struct worker *worker;
	struct job job;
	struct err job_why;
	int job_result;
	struct tls_trust *trust;
	struct tls *tls;
	struct tcp *wire; /* NULL: not there yet, or ended */
	struct join join;
	struct guard guard;
	struct mosquitto *m;
	struct timer deadline, misc, soon, more;
	int inside; /* calls into the library that are on the stack: nothing may be destroyed */
	bool met;   /* somebody opened when we dialled */
	bool over;  /* nothing more comes from the broker but what is in the guard */
	struct err over_why;
	bool accepted, lost, closing;
	struct err why; /* when lost */
};

void broker_lose(struct broker *b, const char *words); /* the first reason counts */
void broker_settle_soon(struct broker *b);             /* last line of what the driver called */

/* broker_library.c. Where an error can come of it, it is told by broker_lose. */
struct mosquitto *broker_handle_new(struct broker *b);
void broker_handle_free(struct mosquitto *m); /* NULL is allowed */
int broker_handle_connect(struct broker *b, struct err *e); /* to join.port; blocks: in the worker */
bool broker_is_connected(const struct broker *b);           /* the library has not given up */
void broker_read_packets(struct broker *b, int n);
bool broker_write_more(struct broker *b); /* true: the library has written something, or has nothing more to write */
void broker_keep_alive(struct broker *b);
void broker_say_online(struct broker *b);
void broker_take_leave(struct broker *b);
