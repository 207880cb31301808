#include "bridges/coaplink.h"

#include <criterion/criterion.h>

#define N(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *from, *link, *device, *path; /* device NULL: nothing */
	enum coaplink_kind kind;
} links[] = {
	/* the examples of the header */
	{ "coap://porch", "</sensors/t>;rt=\"temp\";obs", "coap://porch", "/sensors/t", COAPLINK_RESOURCE },
	{ "coap://porch", "<sensors/t>;ct=40", "coap://porch", "/sensors/t", COAPLINK_LIST },
	{ "coap://rd", "<coap://[2001:DB8::7]:5683/t>;rt=\"temp\"", "coap://[2001:db8::7]", "/t", COAPLINK_RESOURCE },
	{ "coap://rd", "</t>;anchor=\"coap://node:61616\"", "coap://node:61616", "/t", COAPLINK_RESOURCE },
	{ "coap://rd", "</rd-lookup/res>;rt=\"core.rd-lookup-res\";ct=40", "coap://rd", "/rd-lookup/res",
	  COAPLINK_LOOKUP_RESOURCES },
	{ "coap://porch", "<http://www.example/t>;rel=\"describedby\"", NULL, NULL, COAPLINK_NOTHING },
	/* others */
	{ "coap://rd", "</rd>;rt=core.rd;ct=40", "coap://rd", "/rd", COAPLINK_SERVICE },
	{ "coap://rd", "</rd-lookup/ep>;rt=core.rd-lookup-ep;ct=40", "coap://rd", "/rd-lookup/ep", COAPLINK_LOOKUP_ENDPOINTS },
	{ "coap://h", "</t>;ct=\"0 50\"", "coap://h", "/t", COAPLINK_RESOURCE },
	{ "coap://h", "<COAP://Porch.Example/T>", "coap://porch.example", "/T", COAPLINK_RESOURCE },
	{ "coap://h", "<coap://node>", "coap://node", "/", COAPLINK_RESOURCE },
	{ "coap://h", "<coap://node?a=b>", "coap://node", "/?a=b", COAPLINK_RESOURCE },
	{ "coap://h", "<//node:7/t>", "coap://node:7", "/t", COAPLINK_RESOURCE },
	{ "coap://h", "</t?u=c#here>", "coap://h", "/t?u=c", COAPLINK_RESOURCE },
	{ "coap://h", "</a:b>", "coap://h", "/a:b", COAPLINK_RESOURCE },
	{ "coap://h", "</t>;rel=hosts", "coap://h", "/t", COAPLINK_RESOURCE },
	{ "coap://h", "</t>;anchor=\"/sensors\"", "coap://h", "/t", COAPLINK_RESOURCE },
	{ "coap://h", "<coap://other/.well-known/core>", "coap://other", "/.well-known/core", COAPLINK_LIST },
	/* nothing that could be asked */
	{ "coap://h", "</t>;rel=alternate", NULL, NULL, COAPLINK_NOTHING },
	{ "coap://h", "<>", NULL, NULL, COAPLINK_NOTHING },
	{ "coap://h", "<urn:dev:1>", NULL, NULL, COAPLINK_NOTHING },
	{ "coap://h", "<coap:t>", NULL, NULL, COAPLINK_NOTHING },
	{ "coap://h", "<coap://>", NULL, NULL, COAPLINK_NOTHING },
	{ "coap://h", "<coap://a b/t>", NULL, NULL, COAPLINK_NOTHING },
	{ "coap://h", "<coap://h:0/t>", NULL, NULL, COAPLINK_NOTHING },
	{ "coap://h", "<coap://[fe80::zz]/t>", NULL, NULL, COAPLINK_NOTHING },
	{ "coap://h", "<coap://[fe80::1%25wpan0]/t>", "coap://[fe80::1%25wpan0]", "/t", COAPLINK_RESOURCE },
	{ "coap://h", "<coap://[fe80::1%25w\x7f]/t>", NULL, NULL, COAPLINK_NOTHING },
	{ "coap://h", "<coap://[fe80::1%${unit}]/t>", NULL, NULL, COAPLINK_NOTHING },
	{ "coap://h", "</a b>", NULL, NULL, COAPLINK_NOTHING },
	{ "coap://h", "</a%4>", NULL, NULL, COAPLINK_NOTHING },
	{ "coap://h", "<../t>", NULL, NULL, COAPLINK_NOTHING },
	{ "coap://h", "</a/./t>", NULL, NULL, COAPLINK_NOTHING },
	{ "coap://h", "</a/..>", NULL, NULL, COAPLINK_NOTHING },
};

Test(coaplink, says_which_device_and_what_is_there)
{
	for (size_t i = 0; i < N(links); i++) {
		struct linkformat list = linkformat_of(links[i].link, strlen(links[i].link));
		struct linkformat_link l;
		struct coaplink got = { 0 };
		cr_assert_eq(linkformat_next(&list, &l, NULL), 1);
		coaplink_take(links[i].from, &l, &got);
		cr_expect_eq(got.kind, links[i].kind, "%s is %d", links[i].link, got.kind);
		if (links[i].device && got.kind == links[i].kind) {
			cr_expect_str_eq(got.device.data, links[i].device, "%s", links[i].link);
			cr_expect_str_eq(got.path.data, links[i].path, "%s", links[i].link);
		}
		coaplink_free(&got);
	}
}

Test(coaplink, takes_bytes_that_no_uri_has)
{
	static const char *const targets[] = { "/a\0b", "coap://h\0st/t", "coap://host/\xff\xfe", "\0" };
	static const size_t sizes[] = { 4, 14, 14, 1 };
	for (size_t i = 0; i < N(targets); i++) {
		struct linkformat_link l = { .target = targets[i], .target_size = sizes[i], .attributes = "" };
		struct coaplink got = { 0 };
		coaplink_take("coap://h", &l, &got);
		cr_expect_eq(got.kind, COAPLINK_NOTHING, "%zu", i);
		coaplink_free(&got);
	}
}

Test(coaplink, a_path_that_is_longer_than_a_message_is_nothing)
{
	char target[600];
	struct linkformat_link l = { .target = target, .target_size = sizeof(target), .attributes = "" };
	struct coaplink got = { 0 };
	memset(target, '/', sizeof(target));
	coaplink_take("coap://h", &l, &got);
	cr_expect_eq(got.kind, COAPLINK_NOTHING);
	coaplink_free(&got);
}
