#include "bridges/linkformat.h"

/* One attribute as it is written; value is empty when there is none, and with its quotes when it is quoted. */
struct attribute {
	const char *name, *value;
	size_t name_size, value_size;
};

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n'))
		at++;
	return at;
}

/* Behind the closing quote; NULL: there is none. */
static const char *skip_quoted(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\' && at + 1 < end)
			at++;
	return at < end ? at + 1 : NULL;
}

static bool ends_name(char c)
{
	return c == '=' || c == ';' || c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool ends_word(char c)
{
	return ends_name(c) && c != '=';
}

/* at is behind the ';'. NULL: it is none. */
static const char *take_attribute(const char *at, const char *end, struct attribute *ret)
{
	at = skip_space(at, end);
	*ret = (struct attribute){ .name = at };
	while (at < end && !ends_name(*at) && *at != '"' && *at != '<' && *at != '>')
		at++;
	ret->name_size = (size_t)(at - ret->name);
	at = ret->value = skip_space(at, end);
	if (!ret->name_size || at == end || *at != '=')
		return ret->name_size ? at : NULL;
	at = ret->value = skip_space(at + 1, end);
	if (at < end && *at == '"')
		at = skip_quoted(at, end);
	else
		while (at < end && !ends_word(*at))
			at++;
	if (at)
		ret->value_size = (size_t)(at - ret->value);
	return at;
}

struct linkformat linkformat_of(const char *bytes, size_t size)
{
	return (struct linkformat){ bytes, bytes, bytes + size };
}

static int refuse(const struct linkformat *list, const char *at, const char *why, struct err *e)
{
	return err_set(e, "is no list of links: %s (byte %zu)", why, (size_t)(at - list->bytes));
}

static int take_target(const struct linkformat *list, const char **at, struct linkformat_link *ret, struct err *e)
{
	const char *close = **at == '<' ? memchr(*at, '>', (size_t)(list->end - *at)) : NULL;
	if (!close)
		return refuse(list, *at, **at == '<' ? "a '<' is not closed" : "a link begins with '<'", e);
	ret->target = *at + 1;
	ret->target_size = (size_t)(close - *at - 1);
	*at = close + 1;
	return 0;
}

static int take_attributes(const struct linkformat *list, const char **at, struct linkformat_link *ret, struct err *e)
{
	struct attribute a;
	*at = ret->attributes = skip_space(*at, list->end);
	while (*at < list->end && **at == ';') {
		const char *after = take_attribute(*at + 1, list->end, &a);
		if (!after)
			return refuse(list, *at, a.name_size ? "a quote is not closed" : "an attribute has no name", e);
		*at = skip_space(after, list->end);
	}
	ret->attributes_size = (size_t)(*at - ret->attributes);
	return 0;
}

/* Empty members of the list are skipped, as RFC 9110 section 5.6.1.2 wants it of such lists. */
int linkformat_next(struct linkformat *list, struct linkformat_link *ret, struct err *e)
{
	struct linkformat_link link = { 0 };
	const char *at = list->at;
	while (at < list->end && (*at == ',' || skip_space(at, list->end) != at))
		at++;
	if (at == list->end)
		return 0;
	if (take_target(list, &at, &link, e) < 0 || take_attributes(list, &at, &link, e) < 0)
		return -1;
	if (at < list->end && *at != ',')
		return refuse(list, at, "a ',' or ';' is missing", e);
	list->at = at;
	*ret = link;
	return 1;
}

static bool is_named(const struct attribute *a, const char *name, bool star)
{
	size_t size = strlen(name);
	if (a->name_size != size + star || (star && a->name[size] != '*'))
		return false;
	for (size_t i = 0; i < size; i++)
		if ((a->name[i] | 0x20) != (name[i] | 0x20))
			return false;
	return true;
}

static bool find(const struct linkformat_link *l, const char *name, bool star, struct attribute *ret)
{
	const char *at = l->attributes, *end = at + l->attributes_size;
	while (at && at < end) {
		at = take_attribute(at + 1, end, ret);
		if (at && is_named(ret, name, star))
			return true;
		at = at ? skip_space(at, end) : NULL;
	}
	return false;
}

static void add_plain(const struct attribute *a, struct text *to)
{
	const char *at = a->value, *end = at + a->value_size;
	if (at == end || *at != '"') {
		text_add_n(to, at, a->value_size);
		return;
	}
	for (at++, end--; at < end; at++) {
		if (*at == '\\' && at + 1 < end)
			at++;
		text_add_n(to, at, 1);
	}
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* UTF-8'language'text, percent-encoded. false: another character set, or not of this form. */
static bool add_extended(const struct attribute *a, struct text *to)
{
	static const char charset[] = "utf-8'";
	const char *at = a->value, *end = at + a->value_size;
	size_t size = sizeof(charset) - 1;
	if (a->value_size < size)
		return false;
	for (size_t i = 0; i < size; i++)
		if ((at[i] | 0x20) != (charset[i] | 0x20))
			return false;
	at = memchr(at + size, '\'', a->value_size - size);
	for (at = at ? at + 1 : end; at < end; at++) {
		bool encoded = *at == '%' && end - at > 2 && digit_of(at[1]) >= 0 && digit_of(at[2]) >= 0;
		char byte = encoded ? (char)(digit_of(at[1]) * 16 + digit_of(at[2])) : *at;
		text_add_n(to, &byte, 1);
		at += encoded ? 2 : 0;
	}
	return true;
}

bool linkformat_value(const struct linkformat_link *l, const char *name, struct text *to)
{
	struct attribute a;
	if (find(l, name, true, &a) && add_extended(&a, to))
		return true;
	if (!find(l, name, false, &a))
		return false;
	add_plain(&a, to);
	return true;
}

bool linkformat_has(const struct linkformat_link *l, const char *name)
{
	struct attribute a;
	return find(l, name, false, &a);
}

bool linkformat_has_word(const struct linkformat_link *l, const char *name, const char *word)
{
	struct text words = { 0 };
	bool found = false;
	text_add(&words, "");
	linkformat_value(l, name, &words);
	const char *at = words.data;
	for (size_t size; !found && *(at += strspn(at, " ")); at += size) {
		size = strcspn(at, " ");
		found = size == strlen(word) && memcmp(at, word, size) == 0;
	}
	text_free(&words);
	return found;
}
