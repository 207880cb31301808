#include "core/conf/repeat.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char repeat_unit[] = "${unit}", repeat_level[] = "${level}";

static const char digits[] = "0123456789";
static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz_-";

static int add(struct repeat *r, char *take, struct err *e)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->units[i], take) == 0) {
			err_set(e, "'%.40s' stands there twice", take);
			mem_free(take);
			return -1;
		}
	if (r->n == LIMIT_UNITS) {
		mem_free(take);
		return err_set(e, "more than %d units", LIMIT_UNITS);
	}
	r->units = mem_resize(r->units, (r->n + 1) * sizeof(*r->units));
	r->units[r->n++] = take;
	return 0;
}

static int add_range(struct repeat *r, const char *word, size_t first, struct err *e)
{
	unsigned long from = strtoul(word, NULL, 10), to = strtoul(word + first + 1, NULL, 10);
	if (first > 9 || strlen(word) - first > 10 || from > to)
		return err_set(e, "'%.40s' is no range: the smaller number comes first, as in 1-30", word);
	for (; from <= to; from++)
		if (add(r, mem_format("%lu", from), e) < 0)
			return -1;
	return 0;
}

static int add_word(struct repeat *r, const char *word, struct err *e)
{
	size_t first = strspn(word, digits), second = word[first] == '-' ? strspn(word + first + 1, digits) : 0;
	if (!*word)
		return err_set(
			e, "a unit is missing: write numbers, ranges and words, as in \"1-30\" or \"1-3, 8, hall\"");
	if (first && second && !word[first + 1 + second])
		return add_range(r, word, first, e);
	if (word[strspn(word, letters)])
		return err_set(e, "'%.40s' is neither a number, a range as 1-30, nor a word of a-z 0-9 _ -", word);
	return add(r, mem_text(word), e);
}

int repeat_parse(const char *text, struct repeat *ret, struct err *e)
{
	struct repeat r = { 0 };
	int result = 0;
	for (const char *at = text; at && result == 0;) {
		at += strspn(at, " \t");
		size_t size = strcspn(at, ","), end = size;
		while (end > 0 && (at[end - 1] == ' ' || at[end - 1] == '\t'))
			end--;
		char *word = mem_text_n(at, end);
		result = add_word(&r, word, e);
		mem_free(word);
		at = at[size] ? at + size + 1 : NULL;
	}
	if (result < 0)
		repeat_free(&r);
	else
		*ret = r;
	return result;
}

void repeat_free(struct repeat *r)
{
	for (size_t i = 0; i < r->n; i++)
		mem_free(r->units[i]);
	mem_free(r->units);
	*r = (struct repeat){ 0 };
}

bool repeat_is_in(const char *text, const char *mark)
{
	return strstr(text, mark) != NULL;
}

bool repeat_is_any(const char *text)
{
	return repeat_is_in(text, repeat_unit) || repeat_is_in(text, repeat_level);
}

bool repeat_knows(const struct repeat_mark *is, const char *mark)
{
	return is && (is->mark == mark || is->mark == repeat_level);
}

/* The first that is known, and behind it. */
static const char *find_mark(const char *text, const struct repeat_mark *is, const char **ret_end)
{
	const char *const marks[] = { repeat_unit, repeat_level };
	const char *first = NULL;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const char *found = repeat_knows(is, marks[i]) ? strstr(text, marks[i]) : NULL;
		if (!found || (first && found > first))
			continue;
		first = found;
		*ret_end = found + strlen(marks[i]);
	}
	return first;
}

char *repeat_text(const char *text, const struct repeat_mark *is)
{
	const char *end, *found = find_mark(text, is, &end);
	if (!found)
		return mem_text(text);
	struct text t = { 0 };
	for (; found; text = end, found = find_mark(text, is, &end)) {
		text_add_n(&t, text, (size_t)(found - text));
		text_add(&t, is->value);
	}
	text_add(&t, text);
	return t.data;
}
