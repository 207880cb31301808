#include "bridges/uri.h"

#include "core/base/text.h"

#include <arpa/inet.h>
#include <string.h>

enum { PORT = 5683, PORT_SECURE = 5684 };

static int digit_of(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* One byte of a percent-encoded text; -1: a '%' without two digits. */
static int byte_at(const char *at, size_t *ret_size)
{
	if (*at != '%') {
		*ret_size = 1;
		return (unsigned char)*at;
	}
	int high = digit_of(at[1]), low = high < 0 ? -1 : digit_of(at[2]);
	*ret_size = 3;
	return low < 0 ? -1 : high * 16 + low;
}

/* A part begins with the byte before it: '/' in the path, '?' or '&' in the query. */
static size_t part_size(const char *at)
{
	return strcspn(at + 1, *at == '/' ? "/?" : "&");
}

bool uri_next(const char **at, struct uri_part *ret)
{
	const char *from = *at + 1;
	size_t step;
	if (!**at)
		return false;
	*ret = (struct uri_part){ .query = **at != '/' };
	*at += 1 + part_size(*at);
	for (; from < *at; from += step)
		ret->bytes[ret->size++] = (char)byte_at(from, &step);
	return true;
}

static int check_part(const char *at, size_t size, struct err *e)
{
	size_t bytes = 0, step;
	for (const char *end = at + size; at < end; at += step, bytes++)
		if (byte_at(at, &step) < 0)
			return err_set(e, "'%%' must be followed by two hexadecimal digits");
	return bytes > URI_PART ? err_set(e, "a part of it has more than %d bytes", URI_PART) : 0;
}

int uri_check_path(const char *path, struct err *e)
{
	if (*path != '/')
		return err_set(e, "must begin with '/'");
	if (strlen(path) > URI_PATH)
		return err_set(e, "has more than %d bytes", URI_PATH);
	if (strchr(path, '#'))
		return err_set(e, "a '#' has no meaning in it; write %%23 if it is part of a name");
	if (!text_is_clean(path, strlen(path)) || strpbrk(path, " \t\r\n"))
		return err_set(e, "has white space or bytes that are not clean UTF-8; percent-encode them");
	for (; *path; path += 1 + part_size(path))
		if (check_part(path + 1, part_size(path), e) < 0)
			return -1;
	return 0;
}

static int take_host(const char **at, struct uri *ret, struct err *e)
{
	bool bracket = **at == '[';
	const char *from = *at + bracket;
	size_t size = strcspn(from, bracket ? "]" : ":/?");
	if (bracket && from[size] != ']')
		return err_set(e, "the '[' of the address is not closed");
	if (size == 0 || size > URI_HOST)
		return err_set(e, "the host must have from 1 to %d bytes", URI_HOST);
	memcpy(ret->host, from, size);
	ret->host[size] = '\0';
	*at = from + size + bracket;
	return 0;
}

/* "%25wpan0" (RFC 6874) and the "%wpan0" that people write. */
static void unquote_zone(char *host)
{
	char *zone = strchr(host, '%');
	if (zone && text_begins(zone, "%25"))
		memmove(zone + 1, zone + 3, strlen(zone + 3) + 1);
}

static int check_host(struct uri *u, bool bracket, struct err *e)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	unsigned char room[sizeof(struct in6_addr)];
	char plain[URI_HOST + 1];
	if (!bracket) {
		u->numeric = inet_pton(AF_INET, u->host, room) == 1;
		return u->host[strspn(u->host, name)] ? err_set(e, "'%.80s' is not the name of a host", u->host) : 0;
	}
	unquote_zone(u->host);
	memcpy(plain, u->host, sizeof(plain));
	plain[strcspn(plain, "%")] = '\0';
	u->numeric = true;
	return inet_pton(AF_INET6, plain, room) == 1 ? 0 : err_set(e, "'%.80s' is not an IPv6 address", u->host);
}

static int take_port(const char **at, struct uri *ret, struct err *e)
{
	if (**at != ':')
		return 0;
	ret->port = 0;
	for (++*at; **at >= '0' && **at <= '9' && ret->port <= 65535; ++*at)
		ret->port = ret->port * 10 + (**at - '0');
	if (ret->port < 1 || ret->port > 65535)
		return err_set(e, "the port must be from 1 to 65535");
	return 0;
}

static int take_path(const char *at, struct uri *ret, struct err *e)
{
	size_t size = strlen(at);
	if (*at && *at != '/')
		return err_set(e, "'%.40s' is neither a port nor a path", at);
	if (strchr(at, '?'))
		return err_set(e, "a query belongs to the path of a point");
	if (*at && uri_check_path(at, e) < 0)
		return -1;
	if (size && at[size - 1] == '/')
		size--;
	memcpy(ret->path, at, size);
	ret->path[size] = '\0';
	return 0;
}

int uri_parse(const char *text, struct uri *ret, struct err *e)
{
	bool secure = text_begins(text, "coaps://");
	struct uri u = { .port = secure ? PORT_SECURE : PORT, .secure = secure };
	if (!secure && !text_begins(text, "coap://"))
		return err_set(e, "'%.80s' must begin with coap:// or coaps://", text);
	text += strlen(secure ? "coaps://" : "coap://");
	bool bracket = *text == '[';
	if (take_host(&text, &u, e) < 0 || check_host(&u, bracket, e) < 0)
		return -1;
	if (take_port(&text, &u, e) < 0 || take_path(text, &u, e) < 0)
		return -1;
	*ret = u;
	return 0;
}
