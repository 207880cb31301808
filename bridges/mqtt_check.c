#include "bridges/mqtt_check.h"

enum { PUBLISH = 3, LENGTH_MOST = 4 /* bytes */ };

struct reader {
	const uint8_t *at, *end;
	bool bad;
};

/* Variable byte integer (MQTT 5, 1.5.5). */
static size_t read_length(struct reader *r)
{
	size_t length = 0;
	for (int i = 0; i < LENGTH_MOST && r->at < r->end; i++) {
		uint8_t byte = *r->at++;
		length |= (size_t)(byte & 0x7F) << 7 * i;
		if (byte < 0x80)
			return length;
	}
	r->bad = true;
	return 0;
}

static void skip(struct reader *r, size_t n)
{
	if ((size_t)(r->end - r->at) < n)
		r->bad = true;
	else
		r->at += n;
}

static void skip_1(struct reader *r)
{
	skip(r, 1);
}

static void skip_2(struct reader *r)
{
	skip(r, 2);
}

static void skip_4(struct reader *r)
{
	skip(r, 4);
}

static void skip_length(struct reader *r)
{
	read_length(r);
}

static void skip_bytes(struct reader *r)
{
	const uint8_t *size = r->at;
	skip(r, 2);
	if (!r->bad)
		skip(r, (size_t)size[0] << 8 | size[1]);
}

static void skip_pair(struct reader *r)
{
	skip_bytes(r);
	skip_bytes(r);
}

/* MQTT 5, table 2-4. */
static void (*const properties[])(struct reader *r) = {
	[1] = skip_1,  [2] = skip_4,      [3] = skip_bytes,  [8] = skip_bytes,  [9] = skip_bytes,  [11] = skip_length,
	[17] = skip_4, [18] = skip_bytes, [19] = skip_2,     [21] = skip_bytes, [22] = skip_bytes, [23] = skip_1,
	[24] = skip_4, [25] = skip_1,     [26] = skip_bytes, [28] = skip_bytes, [31] = skip_bytes, [33] = skip_2,
	[34] = skip_2, [35] = skip_2,     [36] = skip_1,     [37] = skip_1,     [38] = skip_pair,  [39] = skip_4,
	[40] = skip_1, [41] = skip_1,     [42] = skip_1,
};

static void walk(struct reader *r)
{
	size_t size = read_length(r);
	if (r->bad || (size_t)(r->end - r->at) < size) {
		r->bad = true;
		return;
	}
	struct reader inner = { r->at, r->at + size, false };
	while (!inner.bad && inner.at < inner.end) {
		uint8_t id = *inner.at++;
		if (id < sizeof(properties) / sizeof(properties[0]) && properties[id])
			properties[id](&inner);
		else
			inner.bad = true;
	}
	r->bad = inner.bad;
	r->at += size;
}

/* Each leaves the reader where the properties begin; nothing left there: the packet has none. */
static void to_publish(struct reader *r, uint8_t type)
{
	skip_bytes(r);
	if (type & 0x06)
		skip(r, 2);
}

static void to_acknowledgement(struct reader *r, uint8_t type)
{
	(void)type;
	skip(r, 2);
	if (r->at < r->end)
		skip(r, 1);
}

static void to_two(struct reader *r, uint8_t type)
{
	(void)type;
	skip(r, 2);
}

static void to_one(struct reader *r, uint8_t type)
{
	(void)type;
	if (r->at < r->end)
		skip(r, 1);
}

static void (*const to_properties[16])(struct reader *r, uint8_t type) = {
	[2] = to_two,
	[PUBLISH] = to_publish,
	[4] = to_acknowledgement,
	[5] = to_acknowledgement,
	[6] = to_acknowledgement,
	[7] = to_acknowledgement,
	[9] = to_two,
	[11] = to_two,
	[14] = to_one,
	[15] = to_one,
};

int mqtt_check_header(const uint8_t *bytes, size_t size, size_t *ret_header, size_t *ret_body)
{
	if (size < 2)
		return 0;
	struct reader r = { bytes + 1, bytes + size, false };
	size_t body = read_length(&r);
	if (r.bad)
		return size > LENGTH_MOST ? -1 : 0;
	*ret_header = (size_t)(r.at - bytes);
	*ret_body = body;
	return 1;
}

bool mqtt_check_properties(uint8_t type, const uint8_t *body, size_t size)
{
	struct reader r = { body, body + size, false };
	if (!to_properties[type >> 4])
		return true;
	to_properties[type >> 4](&r, type);
	if (!r.bad && r.at < r.end)
		walk(&r);
	return !r.bad;
}

bool mqtt_check_cut(uint8_t type, const uint8_t *body, size_t size, bool version_5)
{
	struct reader r = { body, body + size, false };
	if (type >> 4 != PUBLISH)
		return false;
	to_publish(&r, type);
	if (!r.bad && version_5)
		walk(&r);
	return !r.bad && r.at < body + size / 2;
}
