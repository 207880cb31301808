#include "bridges/coaprows.h"

#include "bridges/compose.h"
#include "bridges/pointer.h"
#include "bridges/tls.h"
#include "core/base/mem.h"
#include "core/conf/secret.h"

#include <stddef.h>
#include <string.h>

static const char *const formats[] = { "auto", "text", "json", "cbor", "senml+json", "senml+cbor", NULL };
static const char *const methods[] = { "put", "post", NULL };

#define AT(member) offsetof(struct coaprows_tls, member)
static const struct setting tls_rows[] = {
	{ "ca_file", SETTING_TEXT, AT(ca_file), NULL, 1, 4000,
	  .help = "certificates of who may have signed the device's, PEM; default: those that the system trusts" },
	{ "cert_file", SETTING_TEXT, AT(cert_file), NULL, 1, 4000,
	  .help = "our certificate, and those between it and its CA, PEM" },
	{ "key_file", SETTING_TEXT, AT(key_file), NULL, 1, 4000, .help = "its key, PEM, without a password" },
	{ "server_name", SETTING_TEXT, AT(server_name), NULL, 1, URI_HOST,
	  .help = "name or address that the device's certificate must be for; default: the host of its uri" },
	{ 0 },
};
#undef AT

/* The same for a bus and for a device. */
#define SECURE_ROWS(base)                                                                                              \
	{ "psk_identity",                                                                                              \
	  SETTING_TEXT,                                                                                                \
	  (base) + offsetof(struct coaprows_secure, psk_identity),                                                     \
	  NULL,                                                                                                        \
	  1,                                                                                                           \
	  COAPROWS_IDENTITY,                                                                                           \
	  .help = "who we are to devices at coaps:// that know us by a pre-shared key (DTLS)" },                       \
		{ "psk", SETTING_SECRET, (base) + offsetof(struct coaprows_secure, psk),                               \
		  .file = (base) + offsetof(struct coaprows_secure, psk_file),                                         \
		  .help = "that key: text, or hex: and digits" },                                                      \
	{                                                                                                              \
		"tls", SETTING_GROUP, (base) + offsetof(struct coaprows_secure, tls),                                  \
			.rows = tls_rows, .flags = SETTING_GIVEN,                                                      \
			.given = (base) + offsetof(struct coaprows_secure, tls.given),                                 \
			.help = "certificates for coaps:// (DTLS); may be empty: tls = { }"                            \
	}

#define AT(member) offsetof(struct coaprows_bus, member)
const struct setting coaprows_bus[] = {
	{ "timeout", SETTING_DURATION, AT(timeout_ms), "10s", 100, 600000,
	  .help = "how long a device may take to answer" },
	{ "ack_timeout", SETTING_DURATION, AT(ack_timeout_ms), "2s", 1000, 60000,
	  .help = "a message without answer is sent again after this time, then after twice as long, ..." },
	{ "max_retransmit", SETTING_INT, AT(max_retransmit), "4", 1, 10, .help = "... and at most so many times" },
	{ "nstart", SETTING_INT, AT(nstart), "4", 1, 32, .help = "requests under way to one device at a time" },
	{ "handshake", SETTING_DURATION, AT(handshake_ms), "10s", 500, 600000,
	  .help = "how long a device may take to begin a session at coaps://" },
	{ "max_lost", SETTING_INT, AT(max_lost), "2", 1, 100,
	  .help = "coaps://: requests without answer after which a new session is begun: a device that was restarted "
		  "is silent" },
	SECURE_ROWS(AT(secure)),
	{ 0 },
};
#undef AT

const struct setting coaprows_device[] = {
	{ "uri", SETTING_TEXT, offsetof(struct coaprows_device, text), .flags = SETTING_REQUIRED,
	  .help = "where the device is: coap://host, coap://host:port, coaps://host" },
	{ "block", SETTING_SIZE, offsetof(struct coaprows_device, block), "1024B", 16, 1024,
	  .help = "larger bodies are asked for and sent in blocks of this size: 16B, 32B, ... 1KiB" },
	SECURE_ROWS(offsetof(struct coaprows_device, secure)),
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

static unsigned digit_of(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

int coaprows_key(const char *text, uint8_t ret[COAPROWS_KEY])
{
	static const char digits[] = "0123456789abcdef";
	bool hex = text_begins(text, "hex:");
	const char *at = hex ? text + 4 : text;
	size_t size = strlen(at) / (hex ? 2 : 1);
	if (size == 0 || size > COAPROWS_KEY || (hex && (strlen(at) % 2 || at[strspn(at, digits)])))
		return -1;
	for (size_t i = 0; i < size; i++)
		ret[i] = (uint8_t)(hex ? digit_of(at[2 * i]) << 4 | digit_of(at[2 * i + 1]) : (unsigned char)at[i]);
	return (int)size;
}

static bool is_given(const struct coaprows_secure *s)
{
	return s->psk_identity || s->psk || s->tls.given;
}

const struct coaprows_secure *coaprows_secure(const struct coaprows_bus *bus, const struct coaprows_device *device)
{
	if (!device->uri.secure)
		return NULL;
	return is_given(&device->secure) ? &device->secure : &bus->secure;
}

static int check_psk(const struct coaprows_secure *s, struct err *e)
{
	uint8_t key[COAPROWS_KEY];
	if (!s->psk_identity != !s->psk)
		return err_set(e, "%s: is missing; an identity and its key belong together",
			       s->psk ? "psk_identity" : "psk_file");
	int size = s->psk ? coaprows_key(s->psk, key) : 0;
	explicit_bzero(key, sizeof(key));
	return size < 0 ? err_set(e, "psk: must have from 1 to %d bytes; hex: needs pairs of 0 to 9 and a to f",
				  COAPROWS_KEY)
			: 0;
}

static void resolve_file(char **name, const char *beside)
{
	if (!*name)
		return;
	char *found = secret_find(*name, beside);
	mem_free(*name);
	*name = found;
}

static int check_secure(struct coaprows_secure *s, const char *beside, struct err *e)
{
	struct coaprows_tls *t = &s->tls;
	if (check_psk(s, e) < 0)
		return -1;
	if (!t->given)
		return 0;
	if (s->psk)
		return err_set(e, "tls: a session has a pre-shared key or certificates, not both");
	resolve_file(&t->ca_file, beside);
	resolve_file(&t->cert_file, beside);
	resolve_file(&t->key_file, beside);
	if (!t->cert_file != !t->key_file)
		return err_set(e, "tls.%s: is missing; a certificate and its key belong together",
			       t->cert_file ? "key_file" : "cert_file");
	struct tls_trust *trust = tls_trust_load(&(struct tls_files){ t->ca_file, NULL, t->cert_file, t->key_file }, e);
	tls_trust_free(trust);
	return trust ? 0 : -1;
}

int coaprows_check_bus(struct bus *bus, struct err *e)
{
	struct coaprows_bus *o = bus->options;
	return check_secure(&o->secure, bus->file, e);
}

int coaprows_check_device(struct device *d, struct err *e)
{
	struct coaprows_device *o = d->options;
	if (uri_parse(o->text, &o->uri, e) < 0)
		return err_wrap(e, "uri");
	if (o->block & (o->block - 1))
		return err_set(e, "block: must be 16, 32, 64, 128, 256, 512 or 1024 bytes");
	if (!o->uri.secure && is_given(&o->secure))
		return err_set(e, "%s: the uri is coap://, which protects nothing; say coaps://",
			       o->secure.tls.given ? "tls" : "psk_identity");
	if (o->uri.secure && !is_given(coaprows_secure(d->bus->options, o)))
		return err_set(e, "uri: coaps:// needs psk_identity and psk_file, or tls, here or at the bus");
	return check_secure(&o->secure, d->file, e);
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
