/*
 * An MQTT broker in a thread of its own, on a free port of 127.0.0.1, that serves well until it is told to misbehave.
 *
 * Speaks 3.1.1 and 5, exact topics, QoS 0 to 2, retained messages, no session that outlives a connection. Functions may
 * be called from any thread. It also is a program: mqtt_broker FAULT [CODE].
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mqtt_broker_fault {
	MQTT_BROKER_WELL,
	MQTT_BROKER_RESET,        /* accepts and breaks each connection off */
	MQTT_BROKER_SILENT,       /* accepts and reads, but says nothing at all */
	MQTT_BROKER_REFUSES,      /* answers CONNECT with the code */
	MQTT_BROKER_NO_MQTT,      /* answers CONNECT with what is not MQTT */
	MQTT_BROKER_CLOSES,       /* closes when it gets a CONNECT */
	MQTT_BROKER_HALF_CONNACK, /* two bytes of a CONNACK, and no more */
	MQTT_BROKER_HOSTILE,      /* after the first SUBSCRIBE: mqtt_broker_hostile(code) */
	MQTT_BROKER_CUTS,         /* after the first SUBSCRIBE: half of a PUBLISH, then closes */
	MQTT_BROKER_STALLS,       /* after the first SUBSCRIBE: half of a PUBLISH, then not a byte more */
	MQTT_BROKER_ENDLESS,      /* after the first SUBSCRIBE: a PUBLISH of 256 MB, as fast as it is read */
	MQTT_BROKER_DISCONNECTS,  /* after the first SUBSCRIBE: DISCONNECT with the code (version 5) */
	MQTT_BROKER_NO_SUBACK,
	MQTT_BROKER_REFUSES_TOPICS, /* SUBACK with failure for each */
	MQTT_BROKER_NO_PUBACK,
	MQTT_BROKER_REFUSES_PUBLISH, /* PUBACK with the code (version 5) */
	MQTT_BROKER_REMEMBERS,       /* CONNACK says that there is a session of earlier */
	MQTT_BROKER_FAULTS
};

struct mqtt_broker_counts {
	unsigned connections, connects, disconnects, topics, publishes, pings;
	unsigned mid;            /* of the last PUBLISH */
	uint32_t maximum_packet, receive_maximum, session_expiry; /* of the last CONNECT; 0: not said */
	bool clean, says_expiry;
	bool no_local;           /* of the last SUBSCRIBE */
	char client_id[64], user[64], password[64], topic[128],
		payload[256]; /* of the last CONNECT, of the last PUBLISH */
	unsigned wills;           /* CONNECTs that had one */
	char response_topic[128]; /* of the last PUBLISH */
	uint8_t correlation[64];
	size_t correlation_size;
};

struct mqtt_broker *mqtt_broker_new(void);
void mqtt_broker_free(struct mqtt_broker *b); /* closes everything; NULL is allowed */
int mqtt_broker_port(const struct mqtt_broker *b);
int mqtt_broker_fd(const struct mqtt_broker *b); /* an eventfd that is written to whenever a count changes */
void mqtt_broker_fault(struct mqtt_broker *b, enum mqtt_broker_fault fault, unsigned code);
void mqtt_broker_die(struct mqtt_broker *b);    /* as by kill -9: nobody listens any more */
void mqtt_broker_revive(struct mqtt_broker *b); /* at the same port, without any memory */
void mqtt_broker_publish(struct mqtt_broker *b, const char *topic, const void *bytes, size_t size, int qos,
			 bool retain);
/* A PUBLISH with correlation data (NULL: none) and a user property "error" (NULL: none), where clients speak version 5. */
void mqtt_broker_respond(struct mqtt_broker *b, const char *topic, const void *correlation, size_t size,
			 const char *payload, const char *error);
/* What is kept on a topic; "": nothing. */
void mqtt_broker_kept(struct mqtt_broker *b, const char *topic, char *ret, size_t room);
void mqtt_broker_send(struct mqtt_broker *b, const void *bytes, size_t size); /* raw, to all clients */
struct mqtt_broker_counts mqtt_broker_counts(struct mqtt_broker *b);

/* Packets that no broker may send; false: there is no n-th. */
bool mqtt_broker_hostile(size_t n, const uint8_t **ret, size_t *ret_size);
const char *mqtt_broker_word(enum mqtt_broker_fault fault);
