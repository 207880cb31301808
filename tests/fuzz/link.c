#include "bridges/linkformat.h"
#include "bridges/uri.h"
#include "tests/fuzz/fuzz.h"

/* Lists of links, and addresses of CoAP: links stand inside of their list, and what is a path can be walked. */

static void walk_path(const char *path)
{
	struct uri_part part;
	struct err e;
	if (uri_check_path(path, &e) < 0)
		return;
	for (const char *at = path; uri_next(&at, &part);)
		must(part.size <= URI_PART);
}

static void take_uri(const char *text)
{
	struct uri u;
	struct err e;
	walk_path(text);
	if (uri_parse(text, &u, &e) == 0)
		must(u.port > 0 && u.port < 65536 && *u.host && (!*u.path || uri_check_path(u.path, &e) == 0));
}

static void take_link(const struct linkformat_link *l)
{
	static const char *const names[] = { "rt", "title", "ct", "obs", "anchor" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct text value = { 0 };
		bool found = linkformat_value(l, names[i], &value);
		must(found || !value.size);
		must(!linkformat_has(l, names[i]) || found);
		text_free(&value);
	}
	linkformat_has_word(l, "rt", "core.rd");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *from = (const char *)bytes;
	struct linkformat list = linkformat_of(from, size);
	struct linkformat_link l;
	struct text text = { 0 };
	struct err e;
	while (linkformat_next(&list, &l, &e) > 0) {
		must(l.target > from && l.target + l.target_size < from + size);
		must(l.attributes + l.attributes_size <= from + size);
		take_link(&l);
	}
	text_add_n(&text, from, size);
	take_uri(text.data);
	text_free(&text);
	return 0;
}
