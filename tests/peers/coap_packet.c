#include "tests/peers/coap_packet.h"

#include <string.h>

enum { URI_HOST = 3, URI_PATH = 11, ACCEPT = 17, SIZE1 = 60 };

void coap_packet_begin(struct coap_packet *p, int type, int code, uint16_t mid, const uint8_t *token, size_t token_size)
{
	p->bytes[0] = (uint8_t)(0x40 | type << 4 | (int)token_size);
	p->bytes[1] = (uint8_t)(code / 100 << 5 | code % 100);
	p->bytes[2] = (uint8_t)(mid >> 8);
	p->bytes[3] = (uint8_t)mid;
	memcpy(p->bytes + 4, token, token_size);
	p->size = 4 + token_size;
	p->last_option = 0;
}

void coap_packet_option(struct coap_packet *p, int number, uint32_t value)
{
	uint8_t bytes[4];
	size_t n = 0;
	int delta = number - p->last_option;
	for (int shift = 24; shift >= 0; shift -= 8)
		if (value >> shift)
			bytes[n++] = (uint8_t)(value >> shift);
	p->bytes[p->size++] = (uint8_t)((delta < 13 ? delta : 13) << 4 | (int)n);
	if (delta >= 13)
		p->bytes[p->size++] = (uint8_t)(delta - 13);
	memcpy(p->bytes + p->size, bytes, n);
	p->size += n;
	p->last_option = number;
}

void coap_packet_body(struct coap_packet *p, const char *body, size_t size)
{
	if (!size)
		return;
	p->bytes[p->size++] = 0xff;
	memcpy(p->bytes + p->size, body, size);
	p->size += size;
}

static size_t extended(const uint8_t **at, size_t nibble)
{
	if (nibble < 13)
		return nibble;
	size_t more = nibble == 13 ? 13U + **at : 269U + ((size_t)(*at)[0] << 8 | (*at)[1]);
	*at += nibble == 13 ? 1 : 2;
	return more;
}

static void take_option(struct coap_packet_request *r, size_t number, const uint8_t *at, size_t size)
{
	int value = 0;
	for (size_t i = 0; i < size && i < 4; i++)
		value = value << 8 | at[i];
	if (number == URI_PATH && strlen(r->path) + size + 2 < sizeof(r->path)) {
		size_t used = strlen(r->path);
		r->path[used] = '/';
		memcpy(r->path + used + 1, at, size);
	}
	r->observe = number == COAP_PACKET_OBSERVE ? value : r->observe;
	r->format = number == COAP_PACKET_FORMAT ? value : r->format;
	r->accept = number == ACCEPT ? value : r->accept;
	r->block1 = number == COAP_PACKET_BLOCK1 ? value : r->block1;
	r->block2 = number == COAP_PACKET_BLOCK2 ? value : r->block2;
	r->size1 = number == SIZE1 ? value : r->size1;
	r->host |= number == URI_HOST;
}

struct coap_packet_request coap_packet_decode(const uint8_t *bytes, size_t size)
{
	struct coap_packet_request r = {
		.observe = -1, .format = -1, .accept = -1, .block1 = -1, .block2 = -1, .size1 = -1
	};
	const uint8_t *at = bytes + 4, *end = bytes + size;
	size_t number = 0;
	r.type = bytes[0] >> 4 & 3;
	r.code = bytes[1];
	r.mid = (uint16_t)(bytes[2] << 8 | bytes[3]);
	r.token = at;
	r.token_size = bytes[0] & 15;
	for (at += r.token_size; at < end && *at != 0xff;) {
		size_t delta = *at >> 4, length = *at & 15;
		at++;
		number += extended(&at, delta);
		length = extended(&at, length);
		take_option(&r, number, at, length);
		at += length;
	}
	if (at < end) {
		r.body = at + 1;
		r.body_size = (size_t)(end - at - 1);
	}
	return r;
}
