#include "bridges/coapwhere.h"

#include <criterion/criterion.h>
#include <string.h>

#define N(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *text, *host, *zone;
	int port;
	bool everybody;
} groups[] = {
	{ "multicast", "multicast", "", 5683, true },
	{ "multicast%eth0", "multicast", "eth0", 5683, true },
	{ "multicast%lo:7", "multicast", "lo", 7, true },
	{ "224.0.1.187%lo:61616", "224.0.1.187", "lo", 61616, false },
	{ "coap://224.0.1.187", "224.0.1.187", "", 5683, false },
	{ "[ff02::fd%lo]:61616", "ff02::fd", "lo", 61616, false },
	{ "ff02::fd%lo", "ff02::fd", "lo", 5683, false },
	{ "coap://[ff02::fd%25wpan0]/", "ff02::fd", "wpan0", 5683, false },
};

Test(coapwhere, knows_groups)
{
	for (size_t i = 0; i < N(groups); i++) {
		struct coapwhere w;
		struct err e = { "" };
		cr_assert_eq(coapwhere_parse(groups[i].text, &w, &e), 0, "%s: %s", groups[i].text, e.text);
		cr_expect_eq(w.everybody, groups[i].everybody);
		cr_expect_eq(w.group, !groups[i].everybody);
		cr_expect_str_eq(w.host, groups[i].host);
		cr_expect_str_eq(w.zone, groups[i].zone);
		cr_expect_eq(w.port, groups[i].port);
	}
}

static const struct {
	const char *text, *uri;
} devices[] = {
	{ "porch.example:61616", "coap://porch.example:61616" },
	{ "coap://porch.example:61616/", "coap://porch.example:61616/" },
	{ "coaps://porch", "coaps://porch" },
	{ "2001:db8::17", "coap://[2001:db8::17]" },
	{ "[2001:db8::17]:7", "coap://[2001:db8::17]:7" },
	{ "fe80::17%eth0", "coap://[fe80::17%25eth0]" },
	{ "coap://[fe80::17%25eth0]:5683/x", "coap://[fe80::17%25eth0]:5683/x" },
	{ "::1", "coap://[::1]" },
	{ "192.0.2.7", "coap://192.0.2.7" },
	{ "coap://rd.example/rd-lookup/res?d=home", "coap://rd.example/rd-lookup/res?d=home" },
};

Test(coapwhere, knows_devices)
{
	for (size_t i = 0; i < N(devices); i++) {
		struct coapwhere w;
		struct err e = { "" };
		cr_assert_eq(coapwhere_parse(devices[i].text, &w, &e), 0, "%s: %s", devices[i].text, e.text);
		cr_expect_not(w.everybody || w.group);
		cr_expect_str_eq(w.uri, devices[i].uri);
	}
}

static const struct {
	const char *text, *why;
} bad[] = {
	{ "", "'' is no place to look at" },
	{ "coap://", "'coap://' is no place to look at" },
	{ "[::1", "the '[' of the address is not closed" },
	{ "ff02::fd%", "'ff02::fd%': behind the '%' stands the name of an interface" },
	{ "ff02::fd%abcdefghijklmnop", "'ff02::fd%abcdefghijklmnop': behind the '%' stands the name of an interface" },
	{ "224.0.1.187:0", "the port must be from 1 to 65535" },
	{ "224.0.1.187:", "the port must be from 1 to 65535" },
	{ "coap://224.0.1.187/t", "'/t': everybody is asked for the same list" },
	{ "coaps://224.0.1.187", "a group is asked with coap:// only" },
};

Test(coapwhere, refuses_the_rest_with_a_reason)
{
	for (size_t i = 0; i < N(bad); i++) {
		struct coapwhere w = { .port = -7 };
		struct err e = { "" };
		cr_expect_eq(coapwhere_parse(bad[i].text, &w, &e), -1, "%s", bad[i].text);
		cr_expect_str_eq(e.text, bad[i].why);
		cr_expect_eq(w.port, -7);
	}
}
