#include "bridges/linkformat.h"

#include "core/base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define N(table) (sizeof(table) / sizeof((table)[0]))

/* What a list says, link by link: "target|name=value|..." for the names that are asked for. */
static const char *const names[] = { "rt", "if", "ct", "obs", "sz", "title", "anchor", "rel" };

static void tell(const struct linkformat_link *l, struct text *to)
{
	text_add(to, "<");
	text_add_n(to, l->target, l->target_size);
	text_add(to, ">");
	for (size_t i = 0; i < N(names); i++) {
		struct text value = { 0 };
		text_add(&value, "");
		if (linkformat_value(l, names[i], &value))
			text_addf(to, " %s=%s", names[i], value.data);
		text_free(&value);
	}
	text_add(to, ".");
}

static int read_all(const char *bytes, size_t size, struct text *to, size_t *ret_n, struct err *e)
{
	struct linkformat list = linkformat_of(bytes, size);
	struct linkformat_link l;
	int status;
	text_add(to, "");
	while ((status = linkformat_next(&list, &l, e)) > 0) {
		tell(&l, to);
		++*ret_n;
	}
	return status;
}

static const struct {
	const char *list, *says;
} good[] = {
	/* the examples of the header */
	{ "</t>;rt=\"temperature-c\";if=\"sensor\";obs", "</t> rt=temperature-c if=sensor obs=." },
	{ "</l>;title=\"Say \\\"on\\\", or not\";ct=\"0 50\"", "</l> ct=0 50 title=Say \"on\", or not." },
	{ "<a?b;c>;sz=12;title=x , <>", "<a?b;c> sz=12 title=x.<>." },
	{ "</a>;title*=UTF-8''K%C3%BCche;title=x", "</a> title=K\xc3\xbc" "che." },
	/* RFC 6690 section 5 */
	{ "</sensors>;ct=40", "</sensors> ct=40." },
	{ "</sensors/temp>;if=\"sensor\",\r\n</sensors/light>;if=\"sensor\"",
	  "</sensors/temp> if=sensor.</sensors/light> if=sensor." },
	{ "</sensors>;ct=40;title=\"Sensor Index\",</sensors/temp>;rt=\"temperature-c\";if=\"sensor\","
	  "<http://www.example.com/sensors/t123>;anchor=\"/sensors/temp\";rel=\"describedby\",</t>;anchor=\"/sensors/temp\";rel=\"alternate\"",
	  "</sensors> ct=40 title=Sensor Index.</sensors/temp> rt=temperature-c if=sensor."
	  "<http://www.example.com/sensors/t123> anchor=/sensors/temp rel=describedby.</t> anchor=/sensors/temp rel=alternate." },
	{ "</firmware/v2.1>;rt=\"firmware\";sz=262144", "</firmware/v2.1> rt=firmware sz=262144." },
	/* RFC 9176 section 6.3 */
	{ "<coap://[2001:db8:3::123]:61616/temp>;rt=\"tag:example.org,2020:temperature\"",
	  "<coap://[2001:db8:3::123]:61616/temp> rt=tag:example.org,2020:temperature." },
	/* what devices do */
	{ "", "" },
	{ " \r\n", "" },
	{ ",,</a>,, </b> ,", "</a>.</b>." },
	{ "</a> ; rt = x ; obs ; if=\"\"", "</a> rt=x if= obs=." },
	{ "</a>;RT=x;rt=y", "</a> rt=x." },
	{ "</a>;rt=x;rt=y", "</a> rt=x." },
	{ "</a>;obs=1;ct=0", "</a> ct=0 obs=1." },
	{ "</a>;title*=ISO-8859-1''K%FCche;title=x", "</a> title=x." },
	{ "</a>;title*=utf-8'de'%zz%4;title=x", "</a> title=%zz%4." },
	{ "</a>;title*=UTF-8", "</a>." },
	{ "</a>;x=a\"b", "</a>." },
	{ "</a>;title=\"\\\\\"", "</a> title=\\." },
};

Test(linkformat, reads_what_devices_write)
{
	for (size_t i = 0; i < N(good); i++) {
		struct text says = { 0 };
		struct err e = { "" };
		size_t n = 0;
		cr_assert_eq(read_all(good[i].list, strlen(good[i].list), &says, &n, &e), 0, "%s: %s", good[i].list, e.text);
		cr_expect_str_eq(says.data, good[i].says);
		text_free(&says);
	}
}

static const struct {
	const char *list, *says, *why;
} bad[] = {
	{ "</a>;rt=\"x", "", "is no list of links: a quote is not closed (byte 4)" },
	{ "</a>,</b>;rt=\"x\\\"", "</a>.", "is no list of links: a quote is not closed (byte 9)" },
	{ "</a>,</b", "</a>.", "is no list of links: a '<' is not closed (byte 5)" },
	{ "21.5", "", "is no list of links: a link begins with '<' (byte 0)" },
	{ "{\"v\": 1}", "", "is no list of links: a link begins with '<' (byte 0)" },
	{ "</a>;", "", "is no list of links: an attribute has no name (byte 4)" },
	{ "</a>;=x", "", "is no list of links: an attribute has no name (byte 4)" },
	{ "</a></b>", "", "is no list of links: a ',' or ';' is missing (byte 4)" },
	{ "</a>;rt=\"x\"y", "", "is no list of links: a ',' or ';' is missing (byte 11)" },
	{ "</a>;rt x", "", "is no list of links: a ',' or ';' is missing (byte 8)" },
};

Test(linkformat, refuses_the_rest_with_a_reason_and_keeps_what_stood_before)
{
	for (size_t i = 0; i < N(bad); i++) {
		struct text says = { 0 };
		struct err e = { "" };
		size_t n = 0;
		cr_expect_eq(read_all(bad[i].list, strlen(bad[i].list), &says, &n, &e), -1, "%s", bad[i].list);
		cr_expect_str_eq(says.data, bad[i].says);
		cr_expect_str_eq(e.text, bad[i].why);
		text_free(&says);
	}
}

Test(linkformat, knows_the_words_of_a_list)
{
	static const char bytes[] = "</rd-lookup/res>;rt=\"core.rd-lookup-res  core.rd\";if=x;obs";
	struct linkformat list = linkformat_of(bytes, strlen(bytes));
	struct linkformat_link l;
	cr_assert_eq(linkformat_next(&list, &l, NULL), 1);
	cr_expect(linkformat_has_word(&l, "rt", "core.rd"));
	cr_expect(linkformat_has_word(&l, "rt", "core.rd-lookup-res"));
	cr_expect_not(linkformat_has_word(&l, "rt", "core.rd-lookup"));
	cr_expect_not(linkformat_has_word(&l, "rt", ""));
	cr_expect_not(linkformat_has_word(&l, "rel", "x"));
	cr_expect(linkformat_has(&l, "obs"));
	cr_expect_not(linkformat_has(&l, "ob"));
}

/* Property: whatever the bytes, it ends, stays inside, and what it found stands in the document. */
static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

Test(linkformat, takes_any_bytes_without_leaving_them, .timeout = 60)
{
	static const char alphabet[] = "<>;,=\"\\ /a*'%\n\xff";
	uint32_t seed = 7;
	for (int round = 0; round < 200000; round++) {
		size_t size = next_random(&seed) % 40, n = 0;
		char *bytes = mem_new(size ? size : 1); /* of its own, so that one byte too far is seen */
		for (size_t i = 0; i < size; i++)
			bytes[i] = alphabet[next_random(&seed) % (sizeof(alphabet) - 1)];
		struct text says = { 0 };
		read_all(bytes, size, &says, &n, NULL);
		cr_assert_leq(n, size / 2);
		text_free(&says);
		mem_free(bytes);
	}
}

Test(linkformat, gives_back_every_value_that_was_quoted)
{
	uint32_t seed = 11;
	for (int round = 0; round < 2000; round++) {
		struct text list = { 0 }, value = { 0 }, got = { 0 };
		struct linkformat_link l;
		text_add(&list, "</a>;rt=x;title=\"");
		text_add(&value, "");
		for (size_t left = next_random(&seed) % 30; left; left--) {
			char c = (char)(' ' + next_random(&seed) % 95);
			text_add_n(&value, &c, 1);
			if (c == '"' || c == '\\')
				text_add(&list, "\\");
			text_add_n(&list, &c, 1);
		}
		text_add(&list, "\";obs,</b>");
		struct linkformat links = linkformat_of(list.data, list.size);
		cr_assert_eq(linkformat_next(&links, &l, NULL), 1, "%s", list.data);
		text_add(&got, "");
		cr_assert(linkformat_value(&l, "title", &got));
		cr_expect_str_eq(got.data, value.data);
		cr_expect(linkformat_has(&l, "obs"));
		cr_expect_eq(linkformat_next(&links, &l, NULL), 1);
		cr_expect_eq(linkformat_next(&links, &l, NULL), 0);
		text_free(&list);
		text_free(&value);
		text_free(&got);
	}
}

/* A document of the greatest size that is taken is read in the time of its bytes, not of their square. */
Test(linkformat, sixty_five_thousand_links_and_quotes_cost_nothing, .timeout = 10)
{
	static const char *const parts[] = { "<>,", "<a>;", "\"", ";a", "<a>;a=\"", ",", "</a>;rt=x;" };
	for (size_t i = 0; i < N(parts); i++) {
		struct text list = { 0 }, says = { 0 };
		size_t n = 0;
		while (list.size < 196608)
			text_add(&list, parts[i]);
		read_all(list.data, list.size, &says, &n, NULL);
		text_free(&list);
		text_free(&says);
	}
}
