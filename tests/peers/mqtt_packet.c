#include "tests/peers/mqtt_packet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mqtt_packet mqtt_packet_begin(uint8_t type)
{
	struct mqtt_packet p = { 0 };
	mqtt_packet_number(&p, type, 1);
	return p;
}

void mqtt_packet_bytes(struct mqtt_packet *p, const void *bytes, size_t size)
{
	p->bytes = realloc(p->bytes, p->size + size + 1);
	if (size)
		memcpy(p->bytes + p->size, bytes, size);
	p->size += size;
}

void mqtt_packet_number(struct mqtt_packet *p, unsigned n, int bytes)
{
	while (bytes-- > 0) {
		uint8_t byte = (uint8_t)(n >> 8 * bytes);
		mqtt_packet_bytes(p, &byte, 1);
	}
}

void mqtt_packet_text(struct mqtt_packet *p, const char *text, size_t size)
{
	mqtt_packet_number(p, (unsigned)size, 2);
	mqtt_packet_bytes(p, text, size);
}

uint8_t *mqtt_packet_end(struct mqtt_packet *p, size_t *ret_size)
{
	struct mqtt_packet whole = { 0 };
	size_t left = p->size - 1;
	mqtt_packet_bytes(&whole, p->bytes, 1);
	do {
		mqtt_packet_number(&whole, (unsigned)(left & 0x7F) | (left > 0x7F ? 0x80 : 0), 1);
		left >>= 7;
	} while (left);
	mqtt_packet_bytes(&whole, p->bytes + 1, p->size - 1);
	mqtt_packet_drop(p);
	*ret_size = whole.size;
	return whole.bytes;
}

void mqtt_packet_drop(struct mqtt_packet *p)
{
	free(p->bytes);
	*p = (struct mqtt_packet){ 0 };
}

static bool read_length(struct mqtt_reader *r, size_t *ret)
{
	size_t length = 0;
	for (int shift = 0; shift < 28 && r->at < r->end; shift += 7) {
		uint8_t byte = *r->at++;
		length |= (size_t)(byte & 0x7F) << shift;
		if (byte < 0x80) {
			*ret = length;
			return true;
		}
	}
	return false;
}

size_t mqtt_reader_take(struct mqtt_reader *ret, const uint8_t *bytes, size_t size)
{
	size_t length;
	if (size < 2)
		return 0;
	*ret = (struct mqtt_reader){ bytes + 1, bytes + size, bytes[0], false };
	if (!read_length(ret, &length) || (size_t)(ret->end - ret->at) < length)
		return 0;
	ret->end = ret->at + length;
	return (size_t)(ret->end - bytes);
}

unsigned mqtt_reader_number(struct mqtt_reader *r, int bytes)
{
	unsigned n = 0;
	if (r->end - r->at < bytes) {
		r->bad = true;
		return 0;
	}
	while (bytes-- > 0)
		n = n << 8 | *r->at++;
	return n;
}

void mqtt_reader_text(struct mqtt_reader *r, char *ret, size_t room)
{
	size_t size = mqtt_reader_number(r, 2);
	ret[0] = '\0';
	if ((size_t)(r->end - r->at) < size) {
		r->bad = true;
		return;
	}
	snprintf(ret, room, "%.*s", (int)size, (const char *)r->at);
	r->at += size;
}

void mqtt_reader_skip_properties(struct mqtt_reader *r)
{
	size_t length;
	if (!read_length(r, &length) || (size_t)(r->end - r->at) < length)
		r->bad = true;
	else
		r->at += length;
}

static void read_correlation(struct mqtt_reader *r, struct mqtt_properties *ret)
{
	size_t size = mqtt_reader_number(r, 2);
	if ((size_t)(r->end - r->at) < size || size > sizeof(ret->correlation)) {
		r->bad = true;
		return;
	}
	memcpy(ret->correlation, r->at, size);
	ret->correlation_size = size;
	r->at += size;
}

/* Of what a CONNECT or PUBLISH of ours may have. */
static void read_property(struct mqtt_reader *r, struct mqtt_properties *ret)
{
	switch (mqtt_reader_number(r, 1)) {
	case 0x08:
		mqtt_reader_text(r, ret->response_topic, sizeof(ret->response_topic));
		break;
	case 0x09:
		read_correlation(r, ret);
		break;
	case 0x11:
		ret->session_expiry = mqtt_reader_number(r, 4);
		ret->says_expiry = true;
		break;
	case 0x21:
		ret->receive_maximum = mqtt_reader_number(r, 2);
		break;
	case 0x27:
		ret->maximum_packet = mqtt_reader_number(r, 4);
		break;
	default:
		r->bad = true;
	}
}

void mqtt_reader_properties(struct mqtt_reader *r, struct mqtt_properties *ret)
{
	struct mqtt_reader inner = *r;
	size_t length;
	mqtt_reader_skip_properties(r);
	if (r->bad || !read_length(&inner, &length))
		return;
	inner.end = r->at;
	while (!inner.bad && inner.at < inner.end)
		read_property(&inner, ret);
}
