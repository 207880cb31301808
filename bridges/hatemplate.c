#include "bridges/hatemplate.h"

#include "core/base/mem.h"
#include "core/base/text.h"

#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t\r\n", digits[] = "0123456789";
static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

enum { DECIMALS_MOST = 9 };

static const char *skip(const char *at)
{
	return at + strspn(at, blanks);
}

/* The word at *at, which must end there; moves behind it and the blanks. */
static bool take(const char **at, const char *word)
{
	size_t size = strlen(word);
	if (strncmp(*at, word, size) != 0 || (strspn(word, letters) == size && strspn(*at + size, letters)))
		return false;
	*at = skip(*at + size);
	return true;
}

static void add_step(struct text *path, const char *name, size_t size)
{
	text_add(path, "/");
	for (; size; name++, size--) {
		if (*name == '~' || *name == '/')
			text_add(path, *name == '~' ? "~0" : "~1");
		else
			text_add_n(path, name, 1);
	}
}

static bool take_name(const char **at, struct text *path)
{
	size_t size = strspn(*at, letters);
	if (size == 0 || strchr(digits, **at))
		return false;
	add_step(path, *at, size);
	*at = skip(*at + size);
	return **at != '(';
}

/* ['name'], ["name"] or [0], behind the bracket */
static bool take_index(const char **at, struct text *path)
{
	char quote = **at;
	bool quoted = quote == '\'' || quote == '"';
	const char *from = *at + quoted;
	size_t size = quoted ? strcspn(from, quote == '"' ? "\"\\" : "'\\") : strspn(from, digits);
	if (size == 0 || (quoted && from[size] != quote))
		return false;
	add_step(path, from, size);
	*at = skip(from + size + quoted);
	return take(at, "]");
}

static bool take_path(const char **at, struct text *path)
{
	while (**at == '.' || **at == '[') {
		bool dot = **at == '.';
		*at += 1;
		if (!dot)
			*at = skip(*at);
		if (!(dot ? take_name : take_index)(at, path))
			return false;
	}
	return true;
}

static bool take_number(const char **at, long *ret)
{
	size_t size = strspn(*at, digits);
	if (size == 0 || size > 4)
		return false;
	*ret = strtol(*at, NULL, 10);
	*at = skip(*at + size);
	return true;
}

/* What stands in the brackets of a filter that is to be left out: a number or an empty text. */
static bool take_fallback(const char **at)
{
	long number;
	if (!take(at, "("))
		return true;
	if (!take_number(at, &number) && !take(at, "''") && !take(at, "\"\""))
		(void)(take(at, "None") || take(at, "true"));
	return take(at, ")");
}

static bool take_round(const char **at, int *ret_decimals)
{
	long n = 0;
	if (take(at, "(") && !(take_number(at, &n) && take(at, ")")))
		return false;
	if (n > DECIMALS_MOST)
		return false;
	*ret_decimals = (int)n;
	return true;
}

/* What a missing value would become is left out: here it is no update. */
static bool take_filters(const char **at, int *ret_decimals, bool *ret_json)
{
	static const char *const harmless[] = { "float", "int", "is_defined", "default", "d", "string" };
	while (take(at, "|")) {
		size_t i = 0, n = sizeof(harmless) / sizeof(harmless[0]);
		if (take(at, "tojson") || take(at, "to_json")) {
			*ret_json = true;
			continue;
		}
		if (take(at, "round")) {
			if (!take_round(at, ret_decimals))
				return false;
			continue;
		}
		while (i < n && !take(at, harmless[i]))
			i++;
		if (i == n || !take_fallback(at))
			return false;
	}
	return true;
}

static bool take_end(const char **at)
{
	return take(at, "-}}") || take(at, "}}");
}

static int refuse(const char *template, struct err *e)
{
	char room[80];
	return err_set(e, "the template '%s' is more than a path",
		       text_quote(room, sizeof(room), template, strlen(template)));
}

int hatemplate_value(const char *template, char **ret_path, int *ret_decimals, struct err *e)
{
	const char *at = skip(template);
	struct text path = { 0 };
	int decimals = -1;
	bool json = false;
	bool good = take(&at, "{{-") || take(&at, "{{");
	bool whole = good && take(&at, "value");
	good = good && (whole || (take(&at, "value_json") && take_path(&at, &path) && path.size));
	good = good && take_filters(&at, &decimals, &json) && !json && take_end(&at) && !*at;
	if (!good) {
		text_free(&path);
		return refuse(template, e);
	}
	*ret_path = path.data;
	*ret_decimals = decimals;
	return 0;
}

/* Quotes around the placeholder go: a text brings its own. */
static const char *add_value(const char *at, const char *from, bool is_text, bool json, struct text *to)
{
	bool quoted = from[0] == '"' && *at == '"';
	if (is_text && quoted && to->size) {
		to->data[--to->size] = '\0';
		at++;
	}
	text_add(to, json || (is_text && quoted) ? "${value}" : "${raw}");
	return at;
}

int hatemplate_command(const char *template, bool is_text, char **ret_payload, struct err *e)
{
	const char *open = strstr(template, "{{"), *at = open;
	struct text to = { 0 };
	int decimals = -1;
	bool json = false;
	bool good = open && !strstr(template, "{%") && !strstr(template, "${");
	good = good && (take(&at, "{{-") || take(&at, "{{")) && take(&at, "value") &&
	       take_filters(&at, &decimals, &json);
	good = good && (text_begins(at, "}}") || text_begins(at, "-}}")) && !strstr(at + 2, "{{");
	if (!good)
		return refuse(template, e);
	at = strstr(at, "}}") + 2;
	text_add_n(&to, template, (size_t)(open - template));
	at = add_value(at, open > template ? open - 1 : "", is_text, json, &to);
	text_add(&to, at);
	*ret_payload = to.data;
	return 0;
}
