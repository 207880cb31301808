/*
 * MQTT packets byte by byte, for a broker that must be able to get them wrong.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mqtt_packet { /* being written */
	uint8_t *bytes;
	size_t size;
};

struct mqtt_packet mqtt_packet_begin(uint8_t type);
void mqtt_packet_number(struct mqtt_packet *p, unsigned n, int bytes);
void mqtt_packet_text(struct mqtt_packet *p, const char *text, size_t size); /* with two bytes of length */
void mqtt_packet_bytes(struct mqtt_packet *p, const void *bytes, size_t size);
uint8_t *mqtt_packet_end(struct mqtt_packet *p, size_t *ret_size); /* with its length in front; free() it */
void mqtt_packet_drop(struct mqtt_packet *p);

struct mqtt_reader { /* of one whole packet */
	const uint8_t *at, *end;
	uint8_t type; /* first byte */
	bool bad;     /* something was not there */
};

size_t mqtt_reader_take(struct mqtt_reader *ret, const uint8_t *bytes, size_t size); /* bytes used, 0: not yet whole */
unsigned mqtt_reader_number(struct mqtt_reader *r, int bytes);
void mqtt_reader_text(struct mqtt_reader *r, char *ret, size_t room);
void mqtt_reader_skip_properties(struct mqtt_reader *r);
/* Reads properties of CONNECT or PUBLISH; what is not there stays as it was. */
struct mqtt_properties {
	uint32_t maximum_packet, receive_maximum, session_expiry;
	bool says_expiry;
	char response_topic[128];
	uint8_t correlation[64];
	size_t correlation_size;
};
void mqtt_reader_properties(struct mqtt_reader *r, struct mqtt_properties *ret);
