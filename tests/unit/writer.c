#include "core/xmpp/writer.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <string.h>

static void written(const char *in, const char *wanted)
{
	struct text t = { 0 };
	text_add(&t, "");
	writer_text(&t, in);
	cr_assert_str_eq(t.data, wanted);
	text_free(&t);
}

Test(writer, escapes_markup)
{
	written("21.5 °C", "21.5 °C");
	written("a<b>&'\"", "a&lt;b&gt;&amp;&apos;&quot;");
	written("]]>", "]]&gt;");
	written("", "");
	written(NULL, "");
	written("line\nline\ttab\r", "line\nline\ttab&#13;");
}

/* Each of these would make the server close the stream of all things. */
Test(writer, replaces_what_would_break_the_stream)
{
	written("a\x01z", "a\xEF\xBF\xBDz");
	written("\x7F", "\xEF\xBF\xBD");
	written("cut \xE2\x82", "cut \xEF\xBF\xBD\xEF\xBF\xBD");
	written("overlong \xC0\xAF!", "overlong \xEF\xBF\xBD\xEF\xBF\xBD!");
	written("surrogate \xED\xA0\x80", "surrogate \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
	written("not a character \xEF\xBF\xBF", "not a character \xEF\xBF\xBD");
	written("beyond \xF4\x90\x80\x80", "beyond \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
	written("lone \xFF", "lone \xEF\xBF\xBD");
}

Test(writer, makes_any_bytes_clean)
{
	char in[257];
	for (unsigned seed = 1; seed < 500; seed++) {
		unsigned x = seed;
		for (size_t i = 0; i < 256; i++) {
			x = x * 1103515245u + 12345u;
			in[i] = (char)((x >> 16) % 255 + 1);
		}
		in[256] = '\0';
		struct text t = { 0 };
		writer_attribute(&t, "v", in);
		cr_assert(text_is_clean(t.data, t.size));
		cr_assert_null(memchr(t.data, '<', t.size));
		cr_assert_eq(strchr(strchr(t.data, '\'') + 1, '\''), t.data + t.size - 1, "one value, no more");
		text_free(&t);
	}
}

Test(writer, keeps_blanks_of_attributes)
{
	struct text t = { 0 };
	writer_attribute(&t, "name", "it's\ta\n\"b\"");
	writer_attribute(&t, "none", NULL);
	writer_attribute(&t, "empty", "");
	cr_assert_str_eq(t.data, " name='it&apos;s&#9;a&#10;&quot;b&quot;' empty=''");
	text_free(&t);
}

Test(writer, writes_numbers)
{
	struct text t = { 0 };
	const long long numbers[] = { 0, 7, -1, 1234567890123, LLONG_MAX, LLONG_MIN };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		writer_number(&t, numbers[i]);
		writer_raw(&t, " ");
	}
	cr_assert_str_eq(t.data, "0 7 -1 1234567890123 9223372036854775807 -9223372036854775808 ");
	text_free(&t);
}

Test(writer, writes_start_tags)
{
	struct text t = { 0 };
	const struct writer_address thing = { .local = "meter.p", .domain = "things.example", .resource = "a'b" };
	const struct writer_address domain = { .domain = "things.example" };
	writer_stanza(&t, "iq", "result", &thing, "anna@b.example/<phone>", "x&1");
	cr_assert_str_eq(t.data, "<iq type='result' from='meter.p@things.example/a&apos;b' "
				 "to='anna@b.example/&lt;phone&gt;' id='x&amp;1'");
	text_clear(&t);
	writer_stanza(&t, "presence", NULL, &domain, "anna@b.example", NULL);
	cr_assert_str_eq(t.data, "<presence from='things.example' to='anna@b.example'");
	text_free(&t);
}
