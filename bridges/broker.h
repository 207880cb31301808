/*
 * A connection to an MQTT broker, plain or by TLS; these files (broker.c, broker_library.c) are the only ones that touch
 * libmosquitto.
 *
 * Owned by the driver, which frees it with broker_close; loop thread. broker_open leads to exactly one of on_up and
 * on_down; after on_up follows at most one on_down; then it may be opened again. Each opening is a new session with a
 * new handle that ends with the connection (clean start, session expiry 0): nothing that was published before is ever sent
 * again, and no message that waited at the broker is ever taken for a new one. After broker_close comes only on_closed, the
 * broker is freed then.
 *
 * Callbacks may publish, subscribe and close. Protocol: MQTT 3.1.1 and 5 (OASIS).
 */
#pragma once

#include "bridges/tls.h"
#include "core/base/err.h"
#include "core/loop/loop.h"

struct broker;

struct broker_options { /* texts are borrowed */
	const char *host;
	int port;
	bool version_5;        /* else 3.1.1 */
	const char *client_id; /* NULL: a random one */
	const char *user, *password;
	int keepalive_s;
	const struct tls_files *tls; /* NULL: not encrypted */
	/* What the broker keeps there for others: online when we are up; offline when we close, and the broker says it when we
	 * are gone (will). NULL: nothing. */
	const char *status_topic, *status_online, *status_offline;
};

struct broker_message { /* borrowed */
	const char *topic;
	const void *bytes;
	size_t size;
	bool retained;
	const void *correlation; /* version 5; NULL: none */
	size_t correlation_size;
	const char *error; /* version 5: its user property "error"; NULL: none */
};

struct broker_publication { /* borrowed */
	const char *topic;
	const void *bytes;
	size_t size;
	int qos;
	bool retain;
	const char *response_topic; /* version 5: where the answer should go; NULL: none is wanted */
	const void *correlation;
	size_t correlation_size;
};

struct broker_events {
	void (*on_up)(void *ctx);
	void (*on_down)(void *ctx, const struct err *why);
	void (*on_message)(void *ctx, const struct broker_message *message);
	/* The broker took it (QoS 1, 2) or it was sent (QoS 0); may come inside broker_publish. why: it refused. */
	void (*on_published)(void *ctx, int mid, const struct err *why);
	void (*on_subscribed)(void *ctx, int mid, const bool *refused, size_t n);
	void (*on_closed)(void *ctx);
};

struct broker *broker_new(struct loop *loop, const struct broker_options *options, const struct broker_events *events,
			  void *ctx);
void broker_open(struct broker *b);
void broker_close(struct broker *b);
void broker_drop(struct broker *b, const struct err *why); /* on_down follows in a later turn */

/* What a call of the driver comes to. A lost connection is also told by on_down, in a later turn. */
enum broker_answer { BROKER_TAKEN = 0, BROKER_LOST = -1, BROKER_REFUSED = -2 /* this message, for ever */ };

int broker_publish(struct broker *b, const struct broker_publication *publication, int *ret_mid, struct err *e);
int broker_subscribe(struct broker *b, char *const *topics, size_t n, int qos, int *ret_mid, struct err *e);
int broker_unsubscribe(struct broker *b, const char *topic, struct err *e);
