#include "core/conf/rewrite.h"

#include "core/conf/scalar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void write_group(const struct file_node *n, struct text *to)
{
	text_add(to, "{ ");
	for (size_t i = 0; i < file_length(n); i++) {
		const struct file_node *member = file_at(n, i);
		text_addf(to, "%s = ", file_key(member));
		rewrite_node(member, to);
		text_add(to, "; ");
	}
	text_add(to, "}");
}

static void write_list(const struct file_node *n, struct text *to)
{
	text_add(to, "( ");
	for (size_t i = 0; i < file_length(n); i++) {
		text_add(to, i ? ", " : "");
		rewrite_node(file_at(n, i), to);
	}
	text_add(to, " )");
}

static void write_integer(const struct file_node *n, struct text *to)
{
	int64_t i = file_integer(n);
	text_addf(to, "%" PRId64 "%s", i, i < INT32_MIN || i > INT32_MAX ? "L" : "");
}

/* Without a point or an exponent it would be an integer. */
static void write_real(const struct file_node *n, struct text *to)
{
	char room[40];
	snprintf(room, sizeof(room), "%.17g", file_real(n));
	text_addf(to, "%s%s", room, strpbrk(room, ".e") ? "" : ".0");
}

void rewrite_node(const struct file_node *n, struct text *to)
{
	switch (file_kind(n)) {
	case FILE_GROUP:
		write_group(n, to);
		break;
	case FILE_LIST:
		write_list(n, to);
		break;
	case FILE_BOOL:
		text_add(to, file_bool(n) ? "true" : "false");
		break;
	case FILE_INTEGER:
		write_integer(n, to);
		break;
	case FILE_REAL:
		write_real(n, to);
		break;
	case FILE_TEXT:
		scalar_quote(to, file_text(n));
		break;
	}
}
