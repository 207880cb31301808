#include "bridges/coaplink.h"

#include "bridges/uri.h"

static bool has_scheme(const char *ref, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char c = (char)(ref[i] | 0x20);
		if (ref[i] == ':')
			return i > 0;
		if (!(c >= 'a' && c <= 'z') && !(i && strchr("0123456789+-.", ref[i])))
			return false;
	}
	return false;
}

static void add_lower(struct text *to, const char *at, size_t size)
{
	for (; size; at++, size--) {
		char c = *at >= 'A' && *at <= 'Z' ? (char)(*at | 0x20) : *at;
		text_add_n(to, &c, 1);
	}
}

static bool ends_with(const struct text *t, const char *end)
{
	size_t size = strlen(end);
	return t->size >= size && memcmp(t->data + t->size - size, end, size) == 0;
}

static void drop_default_port(struct text *device)
{
	const char *port = text_begins(device->data, "coaps:") ? ":5684" : ":5683";
	if (ends_with(device, port))
		device->data[device->size -= strlen(port)] = '\0';
}

static size_t until(const char *at, size_t size, const char *stops)
{
	size_t n = 0;
	while (n < size && !(at[n] && strchr(stops, at[n])))
		n++;
	return n;
}

/* Behind the device: "" is "/", and a fragment is nobody's business. */
static int take_path(const char *at, size_t size, struct coaplink *ret, struct err *e)
{
	text_clear(&ret->path);
	text_add(&ret->path, size && *at == '/' ? "" : "/");
	text_add_n(&ret->path, at, until(at, size, "#"));
	if (memchr(ret->path.data, '\0', ret->path.size))
		return err_set(e, "the path has a byte that is not allowed");
	return uri_check_path(ret->path.data, e);
}

int coaplink_split(const char *uri, size_t size, struct coaplink *ret, struct err *e)
{
	struct uri parts;
	size_t scheme = until(uri, size, ":") + 3, host;
	if (scheme > size || memcmp(uri + scheme - 3, "://", 3) != 0)
		return err_set(e, "is no coap:// address");
	host = until(uri + scheme, size - scheme, "/?#");
	text_clear(&ret->device);
	add_lower(&ret->device, uri, scheme + host);
	drop_default_port(&ret->device);
	if (strspn(ret->device.data, "abcdefghijklmnopqrstuvwxyz0123456789.:/[]%-_") != ret->device.size)
		return err_set(e, "the address has characters that none has");
	if (uri_parse(ret->device.data, &parts, e) < 0)
		return -1;
	return take_path(uri + scheme + host, size - scheme - host, ret, e);
}

/* RFC 3986 section 5.2, for what devices write; RFC 6690 section 2.1: an anchor is the base, else the device is. */
static int resolve(const char *device, const struct linkformat_link *l, struct coaplink *ret)
{
	struct text anchor = { 0 };
	int status = 0;
	if (has_scheme(l->target, l->target_size))
		return coaplink_split(l->target, l->target_size, ret, NULL);
	if (l->target_size > 1 && memcmp(l->target, "//", 2) == 0) {
		text_add_n(&anchor, device, strcspn(device, "/"));
		text_add_n(&anchor, l->target, l->target_size);
		status = coaplink_split(anchor.data, anchor.size, ret, NULL);
		text_free(&anchor);
		return status;
	}
	if (!linkformat_value(l, "anchor", &anchor) || !has_scheme(anchor.data, anchor.size))
		text_add(&ret->device, device);
	else
		status = coaplink_split(anchor.data, anchor.size, ret, NULL);
	text_free(&anchor);
	return status == 0 && l->target_size ? take_path(l->target, l->target_size, ret, NULL) : -1;
}

/* "." and ".." as parts: whose they are, only the device could say. */
static bool has_dots(const char *path)
{
	for (const char *at = path; (at = strstr(at, "/.")); at += 2) {
		const char *end = at + 2 + (at[2] == '.');
		if (*end == '/' || *end == '?' || !*end)
			return true;
	}
	return false;
}

static enum coaplink_kind kind_of(const struct linkformat_link *l, const char *path)
{
	static const struct {
		const char *attribute, *word;
		enum coaplink_kind kind;
	} kinds[] = {
		{ "rt", "core.rd-lookup-res", COAPLINK_LOOKUP_RESOURCES },
		{ "rt", "core.rd-lookup-ep", COAPLINK_LOOKUP_ENDPOINTS },
		{ "rt", "core.rd", COAPLINK_SERVICE },
		{ "rt", "core.rd-group", COAPLINK_SERVICE },
		{ "rt", "core.rd-lookup-gp", COAPLINK_SERVICE },
		{ "ct", "40", COAPLINK_LIST },
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (linkformat_has_word(l, kinds[i].attribute, kinds[i].word))
			return kinds[i].kind;
	return text_same(path, "/.well-known/core") ? COAPLINK_LIST : COAPLINK_RESOURCE;
}

void coaplink_take(const char *device, const struct linkformat_link *l, struct coaplink *ret)
{
	text_clear(&ret->device);
	text_clear(&ret->path);
	ret->kind = COAPLINK_NOTHING;
	if (linkformat_has(l, "rel") && !linkformat_has_word(l, "rel", "hosts"))
		return;
	if (resolve(device, l, ret) == 0 && !has_dots(ret->path.data))
		ret->kind = kind_of(l, ret->path.data);
}

void coaplink_free(struct coaplink *l)
{
	text_free(&l->device);
	text_free(&l->path);
}
