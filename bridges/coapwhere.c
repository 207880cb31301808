#include "bridges/coapwhere.h"

#include "core/base/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORT_DEFAULT = 5683 };

struct parts {                            /* of what was written, cut but not judged */
	const char *scheme, *host, *rest; /* rest: from the port on */
	size_t scheme_size, host_size;
};

static size_t count(const char *at, char c)
{
	size_t n = 0;
	for (; *at; at++)
		n += *at == c;
	return n;
}

static int cut(const char *text, struct parts *ret, struct err *e)
{
	const char *host = strstr(text, "://");
	host = host ? host + 3 : text;
	*ret = (struct parts){ .scheme = text, .scheme_size = (size_t)(host - text), .host = host };
	if (*host == '[') {
		ret->host++;
		ret->host_size = strcspn(ret->host, "]");
		ret->rest = ret->host + ret->host_size;
		if (!*ret->rest++)
			return err_set(e, "the '[' of the address is not closed");
	} else {
		bool bare = count(host, ':') > 1 && !strpbrk(host, "/?"); /* an IPv6 address without brackets */
		ret->host_size = bare ? strlen(host) : strcspn(host, ":/?");
		ret->rest = host + ret->host_size;
	}
	return 0;
}

static int take_host(const struct parts *p, struct coapwhere *ret, struct err *e)
{
	const char *zone = memchr(p->host, '%', p->host_size);
	size_t size = zone ? (size_t)(zone - p->host) : p->host_size, rest;
	if (size == 0 || size > URI_HOST)
		return err_set(e, "'%.80s' is no place to look at", p->scheme);
	memcpy(ret->host, p->host, size);
	if (!zone)
		return 0;
	zone += strncmp(zone, "%25", 3) == 0 ? 3 : 1;
	rest = (size_t)(p->host + p->host_size - zone);
	if (rest == 0 || rest > COAPWHERE_ZONE)
		return err_set(e, "'%.80s': behind the '%%' stands the name of an interface", p->scheme);
	memcpy(ret->zone, zone, rest);
	return 0;
}

/* The host is a group: nothing may stand behind its port. */
static int take_port(const char *rest, struct coapwhere *ret, struct err *e)
{
	char *end;
	if (*rest == ':') {
		long port = strtol(rest + 1, &end, 10);
		if (end == rest + 1 || port < 1 || port > 65535)
			return err_set(e, "the port must be from 1 to 65535");
		ret->port = (int)port;
		rest = end;
	}
	return strcmp(rest, "/") == 0 || !*rest ? 0 : err_set(e, "'%.40s': everybody is asked for the same list", rest);
}

static bool is_group(const char *host)
{
	struct in6_addr six;
	struct in_addr four;
	if (inet_pton(AF_INET, host, &four) == 1)
		return IN_MULTICAST(ntohl(four.s_addr));
	return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_MULTICAST(&six);
}

static void write_uri(const struct parts *p, struct coapwhere *ret)
{
	bool six = strchr(ret->host, ':') != NULL;
	snprintf(ret->uri, sizeof(ret->uri), "%.*s%s%s%s%s%s%.*s", p->scheme_size ? (int)p->scheme_size : 7,
		 p->scheme_size ? p->scheme : "coap://", six ? "[" : "", ret->host, *ret->zone ? "%25" : "", ret->zone,
		 six ? "]" : "", URI_PATH, p->rest);
}

int coapwhere_parse(const char *text, struct coapwhere *ret, struct err *e)
{
	struct coapwhere w = { .port = PORT_DEFAULT };
	struct parts p;
	if (cut(text, &p, e) < 0 || take_host(&p, &w, e) < 0)
		return -1;
	w.everybody = !p.scheme_size && strcmp(w.host, "multicast") == 0;
	w.group = is_group(w.host);
	if ((w.everybody || w.group) && p.scheme_size && strncmp(p.scheme, "coap://", 7) != 0)
		return err_set(e, "a group is asked with coap:// only");
	if ((w.everybody || w.group) && take_port(p.rest, &w, e) < 0)
		return -1;
	write_uri(&p, &w);
	*ret = w;
	return 0;
}
