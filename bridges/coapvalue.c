#include "bridges/coapvalue.h"

#include "bridges/cbor.h"
#include "bridges/coaprows.h"
#include "bridges/compose.h"
#include "bridges/payload.h"
#include "bridges/senml.h"

static const enum trouble troubles[] = {
	[-REQUEST_DONE] = TROUBLE_NONE,       [-REQUEST_AWAY] = TROUBLE_AWAY,
	[-REQUEST_TIMEOUT] = TROUBLE_TIMEOUT, [-REQUEST_REFUSED] = TROUBLE_REFUSED,
	[-REQUEST_GARBLED] = TROUBLE_GARBLED,
};

enum trouble coapvalue_trouble(int status)
{
	return troubles[-status];
}

#define TEXTS (1u << FORMAT_TEXT | 1u << FORMAT_JSON | 1u << FORMAT_SENML_JSON)
#define CBORS (1u << FORMAT_CBOR | 1u << FORMAT_SENML_CBOR)

/* What a Content-Format means when the configuration says nothing, and what else it may be by configuration: bytes of
 * the one family taken for the other are a wrong value, not an error. */
static const struct content {
	int number;
	enum coaprows_format plain, pointed, record;
	unsigned may_be;
} contents[] = {
	{ COAPMSG_NO_FORMAT, FORMAT_TEXT, FORMAT_JSON, FORMAT_SENML_JSON, TEXTS | CBORS },
	{ COAPMSG_TEXT, FORMAT_TEXT, FORMAT_JSON, FORMAT_SENML_JSON, TEXTS },
	{ COAPMSG_OCTETS, FORMAT_TEXT, FORMAT_JSON, FORMAT_SENML_JSON, TEXTS | CBORS },
	{ COAPMSG_JSON, FORMAT_JSON, FORMAT_JSON, FORMAT_SENML_JSON, TEXTS },
	{ COAPMSG_CBOR, FORMAT_CBOR, FORMAT_CBOR, FORMAT_SENML_CBOR, CBORS },
	{ COAPMSG_SENML_JSON, FORMAT_SENML_JSON, FORMAT_JSON, FORMAT_SENML_JSON, TEXTS },
	{ COAPMSG_SENML_CBOR, FORMAT_SENML_CBOR, FORMAT_CBOR, FORMAT_SENML_CBOR, CBORS },
};

static int format_of(const struct coaprows_address *address, int number, enum coaprows_format *ret, struct err *e)
{
	const struct content *c = contents, *end = contents + sizeof(contents) / sizeof(contents[0]);
	while (c < end && c->number != number)
		c++;
	if (c == end)
		return err_set(e, "the answer has content format %d, which is not supported", number);
	if (address->format != FORMAT_AUTO && !(c->may_be & 1u << address->format))
		return err_set(e, "the answer has content format %d, which is not the configured one", number);
	if (address->format != FORMAT_AUTO)
		*ret = (enum coaprows_format)address->format;
	else
		*ret = address->record ? c->record : address->pointer ? c->pointed : c->plain;
	return 0;
}

static int judge(const struct point *p, struct payload *payload, const char *path, int64_t utc_ms, struct sample *ret,
		 struct err *e)
{
	const struct coaprows_address *address = p->address;
	const struct payload_rule rule = { p, path, address->on, address->off };
	enum trouble trouble = TROUBLE_GARBLED;
	struct value v = { 0 };
	enum payload_result result = payload_take(payload, &rule, &v, &trouble, e);
	if (result == PAYLOAD_MISSING)
		err_set(e, "there is nothing at '%s' in the answer", path);
	else if (result == PAYLOAD_BAD)
		err_wrap(e, "the answer");
	if (result != PAYLOAD_VALUE && trouble == TROUBLE_GARBLED)
		return REQUEST_GARBLED;
	*ret = result == PAYLOAD_VALUE ? sample_good(v, utc_ms) : sample_bad(trouble, utc_ms);
	return REQUEST_DONE;
}

static int take_record(const struct point *p, struct payload *pack, int64_t utc_ms, struct sample *ret, struct err *e)
{
	const struct coaprows_address *address = p->address;
	struct senml_record record = { 0 };
	if (payload_check_json(pack, e) < 0 ||
	    senml_find(pack->bytes, pack->size, address->record, utc_ms, &record, e) != 0) {
		err_wrap(e, "the answer");
		return REQUEST_GARBLED;
	}
	struct payload value = payload_of(record.value.data, record.value.size);
	int status = judge(p, &value, "", record.utc_ms, ret, e);
	if (status == REQUEST_DONE && ret->quality == QUALITY_GOOD && p->stale_ms &&
	    utc_ms - record.utc_ms >= p->stale_ms)
		ret->quality = QUALITY_OLD;
	senml_free(&record);
	return status;
}

static int take_json(const struct point *p, struct payload *json, enum coaprows_format format, int64_t utc_ms,
		     struct sample *ret, struct err *e)
{
	const struct coaprows_address *address = p->address;
	if (format == FORMAT_SENML_JSON || format == FORMAT_SENML_CBOR)
		return take_record(p, json, utc_ms, ret, e);
	return judge(p, json, address->pointer ? address->pointer : "", utc_ms, ret, e);
}

int coapvalue_take(const struct point *p, const struct coapmsg_answer *a, int64_t utc_ms, struct sample *ret,
		   struct err *e)
{
	enum coaprows_format format = FORMAT_TEXT;
	struct payload payload = payload_of(a->bytes, a->size);
	if (format_of(p->address, a->format, &format, e) < 0)
		return REQUEST_GARBLED;
	if (format == FORMAT_TEXT)
		return judge(p, &payload, NULL, utc_ms, ret, e);
	if (!(CBORS & 1u << format))
		return take_json(p, &payload, format, utc_ms, ret, e);
	struct text json = { 0 };
	int status = REQUEST_GARBLED;
	if (cbor_to_json(a->bytes, a->size, &json, e) < 0) {
		err_wrap(e, "the answer");
	} else {
		payload = payload_of(json.data, json.size);
		status = take_json(p, &payload, format, utc_ms, ret, e);
	}
	text_free(&json);
	return status;
}

struct sample coapvalue_sample(const struct point *p, const struct coapmsg_answer *a, int64_t utc_ms, struct err *e)
{
	struct sample s = { 0 };
	int status = coapvalue_take(p, a, utc_ms, &s, e);
	return status == REQUEST_DONE ? s : sample_bad(coapvalue_trouble(status), utc_ms);
}

int coapvalue_body(const struct point *p, const struct value *raw, struct text *to)
{
	const struct coaprows_address *a = p->address;
	const char *template = a->write.payload;
	const struct compose_rule rule = { template, a->on, a->off };
	bool looks_like_json = *template == '{' || *template == '[';
	compose_payload(&rule, p->type, raw, to);
	if (a->format == FORMAT_SENML_JSON)
		return COAPMSG_SENML_JSON;
	return a->format == FORMAT_JSON || (a->format == FORMAT_AUTO && looks_like_json) ? COAPMSG_JSON : COAPMSG_TEXT;
}
