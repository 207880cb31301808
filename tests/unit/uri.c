#include "bridges/uri.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *text, *host;
	int port;
	bool numeric;
	const char *path;
} good[] = {
	{ "coap://porch.example", "porch.example", 5683, false, "" },
	{ "coap://192.0.2.7:61616/v1/", "192.0.2.7", 61616, true, "/v1" },
	{ "coap://[2001:db8::17]", "2001:db8::17", 5683, true, "" },
	{ "coap://[fe80::17%25wpan0]:5683", "fe80::17%wpan0", 5683, true, "" },
	{ "coap://[fe80::17%wpan0]/", "fe80::17%wpan0", 5683, true, "" },
	{ "coaps://porch.example", "porch.example", 5684, false, "" },
	{ "coaps://[2001:db8::17]:61617/v1", "2001:db8::17", 61617, true, "/v1" },
	{ "coap://a_b-c.d:1/%20/x", "a_b-c.d", 1, false, "/%20/x" },
};

Test(uri, takes_what_installers_write)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct uri u;
		struct err e = { "" };
		cr_assert_eq(uri_parse(good[i].text, &u, &e), 0, "%s: %s", good[i].text, e.text);
		cr_expect_str_eq(u.host, good[i].host);
		cr_expect_eq(u.port, good[i].port);
		cr_expect_eq(u.secure, good[i].text[4] == 's');
		cr_expect_eq(u.numeric, good[i].numeric);
		cr_expect_str_eq(u.path, good[i].path);
	}
}

static const struct {
	const char *text, *sentence;
} bad[] = {
	{ "http://porch.example", "'http://porch.example' must begin with coap:// or coaps://" },
	{ "coaps://", "the host must have from 1 to 255 bytes" },
	{ "coap://", "the host must have from 1 to 255 bytes" },
	{ "coap://:5683", "the host must have from 1 to 255 bytes" },
	{ "coap://[]", "the host must have from 1 to 255 bytes" },
	{ "coap://[2001:db8::17", "the '[' of the address is not closed" },
	{ "coap://[2001:db8::zz]", "'2001:db8::zz' is not an IPv6 address" },
	{ "coap://a b", "'a b' is not the name of a host" },
	{ "coap://user@host", "'user@host' is not the name of a host" },
	{ "coap://h:0", "the port must be from 1 to 65535" },
	{ "coap://h:65536", "the port must be from 1 to 65535" },
	{ "coap://h:99999999999999999999", "the port must be from 1 to 65535" },
	{ "coap://h:12x", "'x' is neither a port nor a path" },
	{ "coap://h/a?b", "a query belongs to the path of a point" },
	{ "coap://h/%4", "'%' must be followed by two hexadecimal digits" },
};

Test(uri, refuses_the_rest_with_a_reason)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct uri u = { .port = -7 };
		struct err e = { "" };
		cr_expect_eq(uri_parse(bad[i].text, &u, &e), -1, "%s", bad[i].text);
		cr_expect_str_eq(e.text, bad[i].sentence);
		cr_expect_eq(u.port, -7, "a failed call leaves the result alone");
	}
}

/* Parts as "p:text" or "q:text", joined by spaces. */
static void parts(const char *path, char ret[200])
{
	struct uri_part part;
	size_t used = 0;
	ret[0] = '\0';
	while (uri_next(&path, &part))
		used += (size_t)snprintf(ret + used, 200 - used, "%s%c:%.*s", used ? " " : "", part.query ? 'q' : 'p',
					 (int)part.size, part.bytes);
}

static const struct {
	const char *path, *parts;
} paths[] = {
	{ "/sensors/temp", "p:sensors p:temp" },
	{ "/a%2Fb/%C3%BC", "p:a/b p:\xc3\xbc" },
	{ "/log?n=1&unit=c", "p:log q:n=1 q:unit=c" },
	{ "/dir/", "p:dir p:" },
	{ "/a?x=/y?z", "p:a q:x=/y?z" },
	{ "/a&b/c", "p:a&b p:c" },
};

Test(uri, splits_paths_into_the_options_of_a_request)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char got[200];
		struct err e = { "" };
		cr_assert_eq(uri_check_path(paths[i].path, &e), 0, "%s: %s", paths[i].path, e.text);
		parts(paths[i].path, got);
		cr_expect_str_eq(got, paths[i].parts);
	}
}

Test(uri, refuses_paths_that_cannot_be_sent)
{
	char longest[300] = "/", whole[500] = "/";
	struct err e;
	memset(longest + 1, 'a', 256);
	memset(whole + 1, '/', 450);
	cr_expect_eq(uri_check_path("sensors", &e), -1);
	cr_expect_eq(uri_check_path("", &e), -1);
	cr_expect_eq(uri_check_path("/a#b", &e), -1);
	cr_expect_eq(uri_check_path("/a b", &e), -1);
	cr_expect_eq(uri_check_path("/%", &e), -1);
	cr_expect_eq(uri_check_path("/%0", &e), -1);
	cr_expect_eq(uri_check_path("/%0/g", &e), -1);
	cr_expect_eq(uri_check_path("/?%zz", &e), -1);
	cr_expect_eq(uri_check_path(longest, &e), -1);
	cr_expect_eq(uri_check_path(whole, &e), -1);
	longest[256] = '\0';
	cr_expect_eq(uri_check_path(longest, &e), 0);
}
