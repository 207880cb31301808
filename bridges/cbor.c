#include "bridges/cbor.h"

#include "bridges/compose.h"
#include "core/base/limits.h"
#include "core/model/decimal.h"

#include <math.h>

enum { CBOR_DEPTH = 32 }; /* far more than any sensor says, far less than the stack holds */
enum { MAJOR_UNSIGNED, MAJOR_NEGATIVE, MAJOR_BYTES, MAJOR_TEXT, MAJOR_ARRAY, MAJOR_MAP, MAJOR_TAG, MAJOR_SIMPLE };
enum { INFO_INDEFINITE = 31, BREAK = 0xFF };
enum { TAG_DECIMAL = 4 };

struct reader {
	const uint8_t *at, *end;
	struct text *to;
	struct err *e;
	int depth;
};

struct head {
	unsigned major, info;
	uint64_t n;
};

static int item(struct reader *r);

static int take_head(struct reader *r, struct head *ret)
{
	if (r->at == r->end)
		return err_set(r->e, "is CBOR that is cut short");
	*ret = (struct head){ .major = *r->at >> 5, .info = *r->at & 31 };
	r->at++;
	if (ret->info < 24 || ret->info == INFO_INDEFINITE) {
		ret->n = ret->info;
		return 0;
	}
	if (ret->info > 27)
		return err_set(r->e, "is not CBOR");
	size_t n = (size_t)1 << (ret->info - 24);
	if ((size_t)(r->end - r->at) < n)
		return err_set(r->e, "is CBOR that is cut short");
	while (n-- > 0)
		ret->n = ret->n << 8 | *r->at++;
	return 0;
}

static bool take_break(struct reader *r)
{
	if (r->at == r->end || *r->at != BREAK)
		return false;
	r->at++;
	return true;
}

static int add_integer(struct reader *r, const struct head *h)
{
	bool negative = h->major == MAJOR_NEGATIVE;
	if (h->info == INFO_INDEFINITE)
		return err_set(r->e, "is not CBOR");
	if (negative && h->n == UINT64_MAX)
		return err_set(r->e, "has an integer of more than 64 bits");
	text_addf(r->to, "%s%llu", negative ? "-" : "", (unsigned long long)h->n + negative);
	return 0;
}

static void add_base64url(const uint8_t *at, size_t size, struct text *to)
{
	static const char codes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	for (; size; at += size < 3 ? size : 3, size -= size < 3 ? size : 3) {
		uint32_t bits = (uint32_t)at[0] << 16;
		bits |= size > 1 ? (uint32_t)at[1] << 8 : 0;
		bits |= size > 2 ? at[2] : 0;
		for (size_t i = 0; i <= 3 && i <= size; i++)
			text_add_n(to, &codes[bits >> (18 - 6 * i) & 63], 1);
	}
}

static int take_chunk(struct reader *r, const struct head *h, struct text *to)
{
	if (h->n > (uint64_t)(r->end - r->at))
		return err_set(r->e, "is CBOR that is cut short");
	text_add_n(to, (const char *)r->at, (size_t)h->n);
	r->at += h->n;
	return 0;
}

/* Chunks are put together first: a group of base64url may lie in two of them. */
static int take_string(struct reader *r, const struct head *h, struct text *to)
{
	struct head chunk;
	if (h->info != INFO_INDEFINITE)
		return take_chunk(r, h, to);
	while (!take_break(r)) {
		if (take_head(r, &chunk) < 0)
			return -1;
		if (chunk.major != h->major || chunk.info == INFO_INDEFINITE)
			return err_set(r->e, "is not CBOR");
		if (take_chunk(r, &chunk, to) < 0)
			return -1;
	}
	return 0;
}

static int add_string(struct reader *r, const struct head *h)
{
	struct text bytes = { 0 };
	text_add(&bytes, "");
	int status = take_string(r, h, &bytes);
	if (status == 0 && h->major == MAJOR_TEXT) {
		compose_quoted(bytes.data, bytes.size, r->to);
	} else if (status == 0) {
		text_add(r->to, "\"");
		add_base64url((const uint8_t *)bytes.data, bytes.size, r->to);
		text_add(r->to, "\"");
	}
	text_free(&bytes);
	return status;
}

static int add_array(struct reader *r, const struct head *h)
{
	bool open = h->info == INFO_INDEFINITE;
	text_add(r->to, "[");
	for (uint64_t i = 0; open ? !take_break(r) : i < h->n; i++) {
		text_add(r->to, i ? "," : "");
		if (item(r) < 0)
			return -1;
	}
	text_add(r->to, "]");
	return 0;
}

static int add_key(struct reader *r)
{
	struct head h;
	if (take_head(r, &h) < 0)
		return -1;
	if (h.major == MAJOR_TEXT)
		return add_string(r, &h);
	if (h.major != MAJOR_UNSIGNED && h.major != MAJOR_NEGATIVE)
		return err_set(r->e, "has a map with keys that are neither texts nor integers");
	text_add(r->to, "\"");
	int status = add_integer(r, &h);
	text_add(r->to, "\"");
	return status;
}

static int add_map(struct reader *r, const struct head *h)
{
	bool open = h->info == INFO_INDEFINITE;
	text_add(r->to, "{");
	for (uint64_t i = 0; open ? !take_break(r) : i < h->n; i++) {
		text_add(r->to, i ? "," : "");
		if (add_key(r) < 0)
			return -1;
		text_add(r->to, ":");
		if (item(r) < 0)
			return -1;
	}
	text_add(r->to, "}");
	return 0;
}

/* RFC 8949 section 3.4.4: [exponent, mantissa]. */
static int add_decimal(struct reader *r)
{
	struct head pair, exponent, mantissa;
	if (take_head(r, &pair) < 0 || take_head(r, &exponent) < 0 || take_head(r, &mantissa) < 0)
		return -1;
	if (pair.major != MAJOR_ARRAY || pair.info != 2 || exponent.major > MAJOR_NEGATIVE ||
	    mantissa.major > MAJOR_NEGATIVE)
		return err_set(r->e, "has a decimal fraction of other parts than two integers");
	if (add_integer(r, &mantissa) < 0)
		return -1;
	text_add(r->to, "e");
	return add_integer(r, &exponent);
}

/* Hints that change no value: times, expected encodings, URIs, patterns, MIME, "this is CBOR". */
static bool is_hint(uint64_t tag)
{
	return tag <= 1 || (tag >= 21 && tag <= 23) || (tag >= 32 && tag <= 36) || tag == 55799;
}

static int add_tagged(struct reader *r, const struct head *h)
{
	if (h->info == INFO_INDEFINITE)
		return err_set(r->e, "is not CBOR");
	if (h->n == TAG_DECIMAL)
		return add_decimal(r);
	if (is_hint(h->n))
		return item(r);
	text_addf(r->to, "{\"%llu\":", (unsigned long long)h->n);
	if (item(r) < 0)
		return -1;
	text_add(r->to, "}");
	return 0;
}

/* RFC 8949 appendix D; each half is a float. */
static float half(uint64_t n)
{
	int exponent = (int)(n >> 10 & 31);
	float mantissa = (float)(n & 0x3FF), size;
	if (exponent == 0)
		size = ldexpf(mantissa, -24);
	else if (exponent < 31)
		size = ldexpf(mantissa + 1024, exponent - 25);
	else
		size = INFINITY; /* or not a number: neither is one for us */
	return n & 0x8000 ? -size : size;
}

static bool decimal_of_bits(const struct head *h, struct decimal *ret)
{
	uint32_t bits = (uint32_t)h->n;
	float single;
	double real;
	memcpy(&single, &bits, sizeof(single));
	memcpy(&real, &h->n, sizeof(real));
	if (h->info == 27)
		return decimal_of_double(real, ret);
	return decimal_of_float(h->info == 25 ? half(h->n) : single, ret);
}

static int add_simple(struct reader *r, const struct head *h)
{
	struct decimal number;
	char room[DECIMAL_ROOM];
	if (h->info == INFO_INDEFINITE || (h->info == 24 && h->n < 32))
		return err_set(r->e, "is not CBOR");
	if (h->info == 20 || h->info == 21) {
		text_add(r->to, h->info == 21 ? "true" : "false");
	} else if (h->info >= 25 && decimal_of_bits(h, &number)) {
		decimal_print(number, room);
		text_add(r->to, room);
	} else {
		text_add(r->to, "null");
	}
	return 0;
}

static int (*const add_as[])(struct reader *, const struct head *) = {
	[MAJOR_UNSIGNED] = add_integer, [MAJOR_NEGATIVE] = add_integer, [MAJOR_BYTES] = add_string,
	[MAJOR_TEXT] = add_string,      [MAJOR_ARRAY] = add_array,      [MAJOR_MAP] = add_map,
	[MAJOR_TAG] = add_tagged,       [MAJOR_SIMPLE] = add_simple,
};

static int item(struct reader *r)
{
	struct head h;
	if (r->depth == CBOR_DEPTH)
		return err_set(r->e, "is CBOR of more than %d levels", CBOR_DEPTH);
	if (r->to->size > LIMIT_PAYLOAD)
		return err_set(r->e, "is CBOR of more than %d bytes of text", LIMIT_PAYLOAD);
	if (take_head(r, &h) < 0)
		return -1;
	r->depth++;
	int status = add_as[h.major](r, &h);
	r->depth--;
	return status;
}

int cbor_to_json(const void *bytes, size_t size, struct text *to, struct err *e)
{
	const uint8_t *at = bytes;
	struct reader r = { at, at + size, to, e, 0 };
	if (size > LIMIT_PAYLOAD)
		return err_set(e, "has %zu bytes, more than %d", size, LIMIT_PAYLOAD);
	if (item(&r) < 0)
		return -1;
	return r.at == r.end ? 0 : err_set(e, "has bytes behind its CBOR");
}
