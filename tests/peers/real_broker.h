/*
 * A real mosquitto in a private folder, on a free port, and its command line tools. It dies with the test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct real_broker {
	char folder[64];
	int port;
	pid_t pid; /* 0: not running */
};

void real_broker_begin(struct real_broker *r, const char *user, const char *password); /* NULL: anybody may come in */
void real_broker_begin_sealed(struct real_broker *r, const char *certs); /* TLS both ways, a folder of certs.h */
void real_broker_start(struct real_broker *r);                                         /* again, at the same port */
void real_broker_signal(struct real_broker *r, int signum); /* SIGKILL: and waits for the end */
void real_broker_publish(struct real_broker *r, const char *topic, const char *payload, bool retain);
/* So many retained messages at once, over one connection; returns when the broker has them. */
void real_broker_keep(struct real_broker *r, size_t n,
		      void (*message)(void *ctx, size_t i, char topic[256], char payload[2048]), void *ctx);
/* The next message on the topic, which `cause` brings about when it is called. */
void real_broker_listen(struct real_broker *r, const char *topic, void (*cause)(void *ctx), void *ctx, char *ret,
			size_t room);
/* A device of version 5 that answers the next message on the topic as it is asked to; returns when it listens. */
pid_t real_broker_answer(struct real_broker *r, const char *topic, const char *payload);
void real_broker_wait(pid_t device); /* until it has ended */
void real_broker_end(struct real_broker *r);
