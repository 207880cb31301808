#include "bridges/pointer.h"

#include <string.h>

enum { POINTER_LONGEST = 1024 }; /* longer than any path a person would write */

int pointer_check(const char *pointer, struct err *e)
{
	if (*pointer == '#')
		return err_set(e, "JSON Pointer '%.40s' is in its form for URIs; leave out the '#'", pointer);
	if (*pointer && *pointer != '/')
		return err_set(e, "JSON Pointer '%.40s' does not begin with '/'; write '/%.40s'", pointer, pointer);
	if (strlen(pointer) > POINTER_LONGEST)
		return err_set(e, "JSON Pointer has more than %d bytes", POINTER_LONGEST);
	if (!text_is_clean(pointer, strlen(pointer)))
		return err_set(e, "JSON Pointer is not clean UTF-8");
	for (const char *tilde = strchr(pointer, '~'); tilde; tilde = strchr(tilde + 1, '~'))
		if (tilde[1] != '0' && tilde[1] != '1')
			return err_set(e, "JSON Pointer '%.40s': write '~0' for '~' and '~1' for '/' in a name",
				       pointer);
	return 0;
}

/* One byte of a reference token and how far to go: "~0" is '~', "~1" is '/'. */
static char token_byte(const char *token, size_t *ret_step)
{
	*ret_step = *token == '~' ? 2 : 1;
	if (*token != '~')
		return *token;
	return token[1] == '1' ? '/' : '~';
}

static bool token_is(const char *token, const char *end, const char *name, size_t size)
{
	const char *name_end = name + size;
	size_t step;
	for (; token < end && name < name_end; token += step, name++)
		if (token_byte(token, &step) != *name)
			return false;
	return token >= end && name == name_end;
}

static bool key_is(struct literal key, const char *token, const char *end)
{
	if (!memchr(key.at, '\\', key.size))
		return token_is(token, end, key.at + 1, key.size - 2);
	struct text name = { 0 };
	text_reserve(&name, key.size);
	literal_text(key, &name);
	bool same = token_is(token, end, name.data, name.size);
	text_free(&name);
	return same;
}

static bool find_member(struct literal_walk w, const char *token, const char *end, struct literal *ret)
{
	struct literal key, value;
	while (literal_next(&w, &key, &value)) {
		if (!key_is(key, token, end))
			continue;
		*ret = value;
		return true;
	}
	return false;
}

/* Digits without a leading zero; "-" is the element behind the last, which is never there. */
static bool find_element(struct literal_walk w, const char *token, const char *end, struct literal *ret)
{
	size_t index = 0;
	if (token == end || end - token > 9 || (*token == '0' && end - token > 1))
		return false;
	for (; token < end; token++) {
		if (*token < '0' || *token > '9')
			return false;
		index = index * 10 + (size_t)(*token - '0');
	}
	struct literal none, value;
	do {
		if (!literal_next(&w, &none, &value))
			return false;
	} while (index-- > 0);
	*ret = value;
	return true;
}

bool pointer_find(const char *json, size_t size, const char *pointer, struct literal *ret)
{
	struct literal at;
	if (!literal_root(json, size, &at))
		return false;
	while (*pointer == '/') {
		const char *token = pointer + 1, *end = token + strcspn(token, "/");
		struct literal_walk w = literal_walk(at);
		if (!(w.object ? find_member : find_element)(w, token, end, &at))
			return false;
		pointer = end;
	}
	*ret = at;
	return true;
}
