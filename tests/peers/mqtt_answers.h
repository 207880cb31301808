/*
 * What the files of the fault-injecting MQTT broker share. All of it under the broker's lock.
 */
#pragma once

#include "tests/peers/mqtt_broker.h"

#include <pthread.h>

enum { CLIENTS = 16, TOPICS = 1024, RETAINED = 64, CHUNK = 64 * 1024 };

struct client {
	int fd;
	uint8_t *in;
	size_t in_size;
	uint8_t *out; /* what its connection does not take yet */
	size_t out_size;
	bool v5, no_local, endless;
	char will_topic[128], will[64];
	bool will_retain;
	char *topics[TOPICS];
	size_t n_topics;
};

struct retained {
	char *topic;
	uint8_t *bytes;
	size_t size;
};

struct mqtt_broker {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t turned;
	unsigned turns; /* of the thread */
	int listener, wake, events, port;
	bool ending;
	enum mqtt_broker_fault fault;
	unsigned code;
	uint16_t mid; /* of the last message that we want an answer to */
	struct client clients[CLIENTS];
	struct retained retained[RETAINED];
	size_t n_retained;
	struct mqtt_broker_counts counts;
};

void mqtt_answers_counted(struct mqtt_broker *b);
void mqtt_answers_flush(struct client *c);
void mqtt_answers_send(struct client *c, const void *bytes, size_t size);
void mqtt_answers_route(struct mqtt_broker *b, const struct client *from, const char *topic, const void *bytes,
			size_t size, int qos, bool keep);
void mqtt_answers_respond(struct mqtt_broker *b, const char *topic, const void *correlation, size_t size,
			  const char *payload, const char *error);
void mqtt_answers_take(struct mqtt_broker *b, struct client *c); /* the packets that are whole */
void mqtt_answers_close(struct client *c, bool reset);
