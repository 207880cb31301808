/* Bytes of CoAP for a peer: an encoder that also says what libcoap refuses to say, a decoder for the requests of libcoap. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COAP_PACKET_CON, COAP_PACKET_NON, COAP_PACKET_ACK, COAP_PACKET_RST };
enum {
	COAP_PACKET_OBSERVE = 6,
	COAP_PACKET_ETAG = 4,
	COAP_PACKET_FORMAT = 12,
	COAP_PACKET_MAX_AGE = 14,
	COAP_PACKET_BLOCK2 = 23,
	COAP_PACKET_BLOCK1 = 27
};

struct coap_packet {
	uint8_t bytes[70000];
	size_t size;
	int last_option;
};

struct coap_packet_request {
	int type, code;
	uint16_t mid;
	const uint8_t *token;
	size_t token_size;
	char path[64];
	int observe, format, accept, block1, block2, size1; /* -1: none */
	bool host;
	const uint8_t *body;
	size_t body_size;
	struct sockaddr_in from;
};

void coap_packet_begin(struct coap_packet *p, int type, int code, uint16_t mid, const uint8_t *token,
		       size_t token_size);
void coap_packet_option(struct coap_packet *p, int number, uint32_t value); /* in the order of their numbers */
void coap_packet_body(struct coap_packet *p, const char *body, size_t size);
struct coap_packet_request coap_packet_decode(const uint8_t *bytes, size_t size);
