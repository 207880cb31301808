#include "bridges/coapmsg.h"

#include "core/base/text.h"

#include <string.h>

enum { BODY_MOST = 1024, MAX_AGE_DEFAULT_S = 60 }; /* RFC 7252 sections 4.6 and 5.10.5 */

static const struct {
	coap_pdu_type_t type;
	coap_pdu_code_t code;
	int observe; /* value of the option, -1: none */
} kinds[] = {
	[COAPMSG_GET] = { COAP_MESSAGE_CON, COAP_REQUEST_CODE_GET, -1 },
	[COAPMSG_ASK_ALL] = { COAP_MESSAGE_NON, COAP_REQUEST_CODE_GET, -1 }, /* nobody of a group confirms */
	[COAPMSG_OBSERVE] = { COAP_MESSAGE_CON, COAP_REQUEST_CODE_GET, 0 },
	[COAPMSG_UNOBSERVE] = { COAP_MESSAGE_NON, COAP_REQUEST_CODE_GET, 1 }, /* nobody waits for its answer */
	[COAPMSG_PUT] = { COAP_MESSAGE_CON, COAP_REQUEST_CODE_PUT, -1 },
	[COAPMSG_POST] = { COAP_MESSAGE_CON, COAP_REQUEST_CODE_POST, -1 },
};

static bool add_number(coap_pdu_t *pdu, coap_option_num_t number, unsigned value)
{
	uint8_t room[4];
	unsigned size = coap_encode_var_safe(room, sizeof(room), value);
	return coap_add_option(pdu, number, size, room) != 0;
}

/* The parts of one kind: all of the path, then all of the query. */
static bool add_parts(coap_pdu_t *pdu, const char *path, bool query)
{
	struct uri_part part;
	bool ok = true;
	while (ok && uri_next(&path, &part))
		if (part.query == query)
			ok = coap_add_option(pdu, query ? COAP_OPTION_URI_QUERY : COAP_OPTION_URI_PATH, part.size,
					     (const uint8_t *)part.bytes) != 0;
	return ok;
}

static bool add_block(coap_pdu_t *pdu, coap_option_num_t number, const struct coapmsg_block *b)
{
	return !b->there || add_number(pdu, number, b->number << 4 | (unsigned)b->more << 3 | b->szx);
}

/* RFC 7252 section 6.4, step 8: of the path "/" nothing is sent, not an empty part. */
static bool is_root(const struct coapmsg_request *r)
{
	return !*r->uri->path && r->path[0] == '/' && (!r->path[1] || r->path[1] == '?');
}

/* Options stand in the order of their numbers: 3, 6, 11, 12, 15, 17, 23, 27, 60. */
static bool add_options(coap_pdu_t *pdu, const struct coapmsg_request *r)
{
	int observe = kinds[r->kind].observe;
	bool ok = coap_add_token(pdu, COAPMSG_TOKEN, r->token) != 0;
	if (!r->uri->numeric)
		ok = ok && coap_add_option(pdu, COAP_OPTION_URI_HOST, strlen(r->uri->host),
					   (const uint8_t *)r->uri->host) != 0;
	if (observe >= 0)
		ok = ok && add_number(pdu, COAP_OPTION_OBSERVE, (unsigned)observe);
	ok = ok && add_parts(pdu, r->uri->path, false);
	if (!is_root(r))
		ok = ok && add_parts(pdu, r->path, false);
	if (r->body && r->format >= 0)
		ok = ok && add_number(pdu, COAP_OPTION_CONTENT_FORMAT, (unsigned)r->format);
	ok = ok && add_parts(pdu, r->path, true);
	if (!r->body && r->format >= 0)
		ok = ok && add_number(pdu, COAP_OPTION_ACCEPT, (unsigned)r->format);
	ok = ok && add_block(pdu, COAP_OPTION_BLOCK2, &r->block2) && add_block(pdu, COAP_OPTION_BLOCK1, &r->block1);
	if (r->size1)
		ok = ok && add_number(pdu, COAP_OPTION_SIZE1, r->size1);
	if (r->body && r->body_size)
		ok = ok && coap_add_data(pdu, r->body_size, (const uint8_t *)r->body) != 0;
	return ok;
}

coap_pdu_t *coapmsg_new(coap_session_t *session, const struct coapmsg_request *r)
{
	if (r->body_size > BODY_MOST)
		return NULL;
	coap_pdu_t *pdu = coap_new_pdu(kinds[r->kind].type, kinds[r->kind].code, session);
	if (pdu && add_options(pdu, r))
		return pdu;
	coap_delete_pdu(pdu);
	return NULL;
}

/* Of more than three bytes: one that nobody can go on with, rather than none. */
static struct coapmsg_block block_of(unsigned value, uint32_t size)
{
	if (size > 3)
		return (struct coapmsg_block){ .there = true, .more = true, .szx = 7 };
	return (struct coapmsg_block){ .there = true, .more = value & 8, .number = value >> 4, .szx = value & 7 };
}

static void take_etag(struct coapmsg_answer *a, const coap_opt_t *option, uint32_t size)
{
	if (size == 0 || size > COAPMSG_ETAG)
		return;
	memcpy(a->etag, coap_opt_value(option), size);
	a->etag_size = size;
}

static void take_option(struct coapmsg_answer *a, coap_option_num_t number, const coap_opt_t *option)
{
	uint32_t size = coap_opt_length(option);
	unsigned value = size <= 4 ? coap_decode_var_bytes(coap_opt_value(option), size) : 0;
	if (number == COAP_OPTION_CONTENT_FORMAT && size <= 2)
		a->format = (int)value;
	if (number == COAP_OPTION_MAXAGE)
		a->max_age_s = value;
	if (number == COAP_OPTION_ETAG)
		take_etag(a, option, size);
	if (number == COAP_OPTION_BLOCK2)
		a->block2 = block_of(value, size);
	if (number == COAP_OPTION_BLOCK1)
		a->block1 = block_of(value, size);
	if (number == COAP_OPTION_SIZE2)
		a->size2 = value;
	if (number == COAP_OPTION_OBSERVE) {
		a->observed = size <= 3;
		a->sequence = value;
	}
}

/*
 * libcoap 4.3.1 reads a datagram into COAP_RXBUFFER_SIZE bytes and does not say when it was longer: what fills the
 * buffer to the last byte may be the beginning of something.
 */
struct coapmsg_answer coapmsg_read(const coap_pdu_t *pdu)
{
	coap_pdu_code_t code = coap_pdu_get_code(pdu);
	struct coapmsg_answer a = { .format = COAPMSG_NO_FORMAT, .max_age_s = MAX_AGE_DEFAULT_S };
	coap_opt_iterator_t at;
	const uint8_t *bytes = NULL;
	size_t size = 0, whole = 4 + coap_pdu_get_token(pdu).length;
	unsigned last = 0;
	a.code = (int)(code >> 5) * 100 + (int)(code & 0x1f);
	coap_option_iterator_init(pdu, &at, COAP_OPT_ALL);
	for (const coap_opt_t *option; (option = coap_option_next(&at)); last = at.number) {
		whole += coap_opt_encode_size((uint16_t)(at.number - last), coap_opt_length(option));
		take_option(&a, at.number, option);
	}
	if (coap_get_data(pdu, &size, &bytes))
		whole += 1 + size;
	a.bytes = size ? (const char *)bytes : "";
	a.size = size;
	a.cut = whole >= COAP_RXBUFFER_SIZE;
	return a;
}

static const char *name_of(int code)
{
	static const struct {
		int code;
		const char *name;
	} names[] = {
		{ 400, " Bad Request" },
		{ 401, " Unauthorized" },
		{ 402, " Bad Option" },
		{ 403, " Forbidden" },
		{ 404, " Not Found" },
		{ 405, " Method Not Allowed" },
		{ 406, " Not Acceptable" },
		{ 408, " Request Entity Incomplete" },
		{ 409, " Conflict" },
		{ 412, " Precondition Failed" },
		{ 413, " Request Entity Too Large" },
		{ 415, " Unsupported Content-Format" },
		{ 422, " Unprocessable Entity" },
		{ 429, " Too Many Requests" },
		{ 500, " Internal Server Error" },
		{ 501, " Not Implemented" },
		{ 502, " Bad Gateway" },
		{ 503, " Service Unavailable" },
		{ 504, " Gateway Timeout" },
		{ 505, " Proxying Not Supported" },
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].code == code)
			return names[i].name;
	return "";
}

/* With the diagnostic payload (RFC 7252 section 5.5.2), which is a stranger's text. */
static int refused(const struct coapmsg_answer *a, struct err *e)
{
	char words[100];
	text_quote(words, sizeof(words), a->bytes, a->size);
	err_set(e, "the device answers %d.%02d%s%s%s%s", a->code / 100, a->code % 100, name_of(a->code),
		a->size ? " (\"" : "", a->size ? words : "", a->size ? "\")" : "");
	return REQUEST_REFUSED;
}

static bool is_success(int code, bool write)
{
	return write ? code / 100 == 2 && code != 231 : code == 205;
}

int coapmsg_judge(const struct coapmsg_answer *a, enum coapmsg_kind kind, struct err *e)
{
	bool write = kind == COAPMSG_PUT || kind == COAPMSG_POST;
	if (a->code >= 400 && a->code < 600)
		return refused(a, e);
	if (is_success(a->code, write) && (write || !a->cut))
		return REQUEST_DONE;
	if (is_success(a->code, write))
		err_set(e, "the answer is too large for one message, and the device does not send it in blocks");
	else
		err_set(e, "the device answers %d.%02d, which is no answer to a %s", a->code / 100, a->code % 100,
			write ? "write" : "read");
	return REQUEST_GARBLED;
}
