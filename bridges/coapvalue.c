#include "bridges/coapvalue.h"

#include "bridges/coaprows.h"
#include "bridges/compose.h"
#include "bridges/payload.h"

static const enum trouble troubles[] = {
	[-REQUEST_DONE] = TROUBLE_NONE,       [-REQUEST_AWAY] = TROUBLE_AWAY,
	[-REQUEST_TIMEOUT] = TROUBLE_TIMEOUT, [-REQUEST_REFUSED] = TROUBLE_REFUSED,
	[-REQUEST_GARBLED] = TROUBLE_GARBLED,
};

enum trouble coapvalue_trouble(int status)
{
	return troubles[-status];
}

static bool is_known(int format)
{
	return format == COAPMSG_NO_FORMAT || format == COAPMSG_TEXT || format == COAPMSG_OCTETS ||
	       format == COAPMSG_JSON;
}

/* NULL: the whole payload as it is; "": the whole payload as JSON. */
static const char *path_of(const struct coaprows_address *address, int format)
{
	bool json = address->format == FORMAT_JSON || (address->format == FORMAT_AUTO && format == COAPMSG_JSON);
	if (address->pointer)
		return address->pointer;
	return json ? "" : NULL;
}

int coapvalue_take(const struct point *p, const struct coapmsg_answer *a, int64_t utc_ms, struct sample *ret,
		   struct err *e)
{
	const struct coaprows_address *address = p->address;
	const struct payload_rule rule = { p, path_of(address, a->format), address->on, address->off };
	struct payload payload = payload_of(a->bytes, a->size);
	enum trouble trouble = TROUBLE_GARBLED;
	struct value v = { 0 };
	if (!is_known(a->format)) {
		err_set(e, "the answer has content format %d, which is not supported", a->format);
		return REQUEST_GARBLED;
	}
	enum payload_result result = payload_take(&payload, &rule, &v, &trouble, e);
	if (result == PAYLOAD_MISSING)
		err_set(e, "there is nothing at '%s' in the answer", address->pointer);
	else if (result == PAYLOAD_BAD)
		err_wrap(e, "the answer");
	if (result != PAYLOAD_VALUE && trouble == TROUBLE_GARBLED)
		return REQUEST_GARBLED;
	*ret = result == PAYLOAD_VALUE ? sample_good(v, utc_ms) : sample_bad(trouble, utc_ms);
	return REQUEST_DONE;
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
	return a->format == FORMAT_JSON || (a->format == FORMAT_AUTO && looks_like_json) ? COAPMSG_JSON : COAPMSG_TEXT;
}
