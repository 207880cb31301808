#include "bridges/coaprows.h"

#include "bridges/compose.h"
#include "bridges/pointer.h"
#include "core/base/mem.h"

#include <stddef.h>
#include <string.h>

static const char *const formats[] = { "auto", "text", "json", "cbor", "senml+json", "senml+cbor", NULL };
static const char *const methods[] = { "put", "post", NULL };

#define AT(member) offsetof(struct coaprows_bus, member)
const struct setting coaprows_bus[] = {
	{ "timeout", SETTING_DURATION, AT(timeout_ms), "10s", 100, 600000,
	  .help = "how long a device may take to answer" },
	{ "ack_timeout", SETTING_DURATION, AT(ack_timeout_ms), "2s", 1000, 60000,
	  .help = "a message without answer is sent again after this time, then after twice as long, ..." },
	{ "max_retransmit", SETTING_INT, AT(max_retransmit), "4", 1, 10, .help = "... and at most so many times" },
	{ "nstart", SETTING_INT, AT(nstart), "4", 1, 32, .help = "requests under way to one device at a time" },
	{ 0 },
};
#undef AT

const struct setting coaprows_device[] = {
	{ "uri", SETTING_TEXT, offsetof(struct coaprows_device, text), .flags = SETTING_REQUIRED,
	  .help = "where the device is: coap://host or coap://host:port" },
	{ 0 },
};

#define AT(member) offsetof(struct coaprows_write, member)
static const struct setting write_rows[] = {
	{ "method", SETTING_WORD, AT(post), "put", .words = methods, .help = "how a value is sent" },
	{ "payload", SETTING_TEXT, AT(payload),
	  .help = "what is sent: ${value} is the value as JSON, ${raw} as bare text; default: the value" },
	{ 0 },
};
#undef AT

#define AT(member) offsetof(struct coaprows_address, member)
const struct setting coaprows_address[] = {
	{ "path", SETTING_TEXT, AT(path), .flags = SETTING_REQUIRED, .help = "of the resource at the device" },
	{ "observe", SETTING_BOOL, AT(observe), "false", .help = "the device tells changes; it is not polled" },
	{ "refresh", SETTING_DURATION, AT(refresh_ms), "0s", .max = 30LL * 24 * 3600 * 1000,
	  .help = "observe: ask again when it was silent this long; 0s: when its answers say that they are old" },
	{ "format", SETTING_WORD, AT(format), "auto", .words = formats,
	  .help = "of the payload; auto: what the answer says of itself" },
	{ "pointer", SETTING_TEXT, AT(pointer),
	  .help = "JSON Pointer (RFC 6901) to the value in JSON or CBOR; none: the whole payload" },
	{ "record", SETTING_TEXT, AT(record), .help = "name in a SenML pack, with its base name; none: the only one" },
	{ "on", SETTING_TEXT, AT(on), "true", .help = "the word of a bool for true" },
	{ "off", SETTING_TEXT, AT(off), "false", .help = "the word of a bool for false" },
	{ "write", SETTING_GROUP, AT(write), .rows = write_rows, .help = "how a value is written" },
	{ 0 },
};
#undef AT

int coaprows_check_device(struct device *d, struct err *e)
{
	struct coaprows_device *o = d->options;
	return uri_parse(o->text, &o->uri, e) < 0 ? err_wrap(e, "uri") : 0;
}

static bool is_senml(const struct coaprows_address *a)
{
	return a->format == FORMAT_SENML_JSON || a->format == FORMAT_SENML_CBOR;
}

static int check_place(const struct coaprows_address *a, struct err *e)
{
	if (a->pointer && pointer_check(a->pointer, e) < 0)
		return err_wrap(e, "pointer");
	if (a->pointer && a->format == FORMAT_TEXT)
		return err_set(e, "pointer: needs format = \"json\", there is nothing to point at in a text");
	if (a->pointer && (a->record || is_senml(a)))
		return err_set(e, "pointer: SenML has records; say record");
	if (a->record && a->format != FORMAT_AUTO && !is_senml(a))
		return err_set(e, "record: needs format = \"senml+json\" or \"senml+cbor\"");
	return 0;
}

static int check_read(struct point *p, struct coaprows_address *a, struct err *e)
{
	if (check_place(a, e) < 0)
		return -1;
	if (a->refresh_ms && !a->observe)
		return err_set(e, "refresh: only with observe = true; without, say poll");
	if (a->observe && !(p->access & ACCESS_READ))
		return err_set(e, "observe: the point is write-only");
	if (p->type == TYPE_BOOL && strcmp(a->on, a->off) == 0)
		return err_set(e, "on: is the same as off");
	if (a->observe || !(p->access & ACCESS_READ))
		p->poll_ms = 0;
	return 0;
}

static int check_write(const struct point *p, struct coaprows_address *a, struct err *e)
{
	if (!(p->access & ACCESS_WRITE))
		return a->write.payload || a->write.post ? err_set(e, "write: the point is read-only") : 0;
	if (p->confirm == CONFIRM_STATE && !a->observe)
		return err_set(e, "write.confirm: \"state\" needs observe = true; without, say \"readback\"");
	if (p->confirm == CONFIRM_READBACK && !(p->access & ACCESS_READ))
		return err_set(e, "write.confirm: the point is write-only");
	if (!a->write.payload && a->pointer && *a->pointer)
		return err_set(e, "write.payload: is missing; with pointer \"%s\" perhaps \"{\\\"%s\\\": ${value}}\"",
			       a->pointer, a->pointer + 1);
	if (!a->write.payload && (a->record || a->format == FORMAT_CBOR || is_senml(a)))
		return err_set(
			e, "write.payload: is missing; CBOR and SenML are only read, say what text or JSON is written");
	if (!a->write.payload)
		a->write.payload = mem_text(a->format == FORMAT_JSON ? "${value}" : "${raw}");
	struct compose_rule rule = { a->write.payload, a->on, a->off };
	return compose_check(&rule, p->type, e) < 0 ? err_wrap(e, "write.payload") : 0;
}

int coaprows_check(struct point *p, struct err *e)
{
	struct coaprows_address *a = p->address;
	const struct coaprows_device *d = p->device->options;
	if (uri_check_path(a->path, e) < 0)
		return err_wrap(e, "path");
	if (strlen(a->path) + strlen(d->uri.path) > URI_PATH)
		return err_set(e, "path: with that of the device it has more than %d bytes", URI_PATH);
	if (check_read(p, a, e) < 0)
		return -1;
	return check_write(p, a, e);
}
