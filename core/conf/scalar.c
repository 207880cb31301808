#include "core/conf/scalar.h"

#include "core/base/mem.h"
#include "core/conf/amount.h"
#include "core/conf/nearest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse_word(const char *const *words, const char *wrong, struct err *e)
{
	struct text said = { 0 };
	nearest_say(words, wrong, &said);
	err_set(e, "must be %s", said.data);
	text_free(&said);
	return -1;
}

static int find_word(const char *const *words, const char *text)
{
	for (int i = 0; words && words[i]; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	return -1;
}

static bool bounded(const struct setting *row)
{
	return row->min != 0 || row->max != 0;
}

static int parse_text(const struct setting *row, const char *text, void *at, struct err *e)
{
	char **place = at;
	size_t size = strlen(text);
	if (!text_is_clean(text, size))
		return err_set(e, "the text has control characters or is not UTF-8");
	if (bounded(row) && ((int64_t)size < row->min || (int64_t)size > row->max))
		return size == 0 ? err_set(e, "the text is empty")
				 : err_set(e, "the text has %zu bytes; %" PRId64 " to %" PRId64 " are allowed", size,
					   row->min, row->max);
	mem_free(*place);
	*place = mem_text(text);
	return 0;
}

static bool print_text(const struct setting *row, const void *at, struct text *to)
{
	(void)row;
	const char *const *place = at;
	if (*place)
		scalar_quote(to, *place);
	return *place != NULL;
}

static int parse_bool(const struct setting *row, const char *text, void *at, struct err *e)
{
	bool yes = text_same_word(text, "true");
	if (!yes && !text_same_word(text, "false"))
		return err_set(e, "'%.60s' is neither true nor false", text);
	bool *place = at;
	*place = yes != ((row->flags & SETTING_NOT) != 0);
	return 0;
}

static bool print_bool(const struct setting *row, const void *at, struct text *to)
{
	const bool *place = at;
	text_add(to, *place != ((row->flags & SETTING_NOT) != 0) ? "true" : "false");
	return true;
}

static int integer_of(const struct setting *row, const char *text, int64_t *ret, struct err *e)
{
	int word = find_word(row->words, text);
	if (word >= 0) {
		*ret = -1 - word;
		return 0;
	}
	char *end;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (end == text || *end || errno)
		return err_set(e, "'%.60s' is not a whole number%s%s", text, row->words ? " or " : "",
			       row->words ? row->words[0] : "");
	if (bounded(row) && (n < row->min || n > row->max))
		return err_set(e, "%lld is not in %" PRId64 "..%" PRId64, n, row->min, row->max);
	*ret = n;
	return 0;
}

static int parse_int(const struct setting *row, const char *text, void *at, struct err *e)
{
	return integer_of(row, text, at, e);
}

static int parse_int32(const struct setting *row, const char *text, void *at, struct err *e)
{
	int64_t n = 0;
	if (integer_of(row, text, &n, e) < 0)
		return -1;
	int *place = at;
	if (n < INT32_MIN || n > INT32_MAX)
		return err_set(e, "%" PRId64 " is too large", n);
	*place = (int)n;
	return 0;
}

static bool add_integer(const struct setting *row, int64_t n, struct text *to)
{
	if (row->words && n < 0)
		scalar_quote(to, row->words[-1 - n]);
	else
		text_addf(to, "%" PRId64 "%s", n, n < INT32_MIN || n > INT32_MAX ? "L" : "");
	return true;
}

static bool print_int(const struct setting *row, const void *at, struct text *to)
{
	const int64_t *place = at;
	return add_integer(row, *place, to);
}

static bool print_int32(const struct setting *row, const void *at, struct text *to)
{
	const int *place = at;
	return add_integer(row, *place, to);
}

static int parse_decimal(const struct setting *row, const char *text, void *at, struct err *e)
{
	(void)row;
	if (decimal_parse(text, strlen(text), at) < 0)
		return err_set(e, "'%.60s' is not a number", text);
	return 0;
}

/* Bare when the file's double reads back as the same digits, else in quotes: 18446744073709551615 would not survive. */
bool scalar_print_decimal(struct decimal d, struct text *to)
{
	char room[DECIMAL_ROOM];
	int64_t integer;
	struct decimal again;
	decimal_print(d, room);
	if (decimal_integer(d, &integer) == 0)
		text_addf(to, "%" PRId64 "%s", integer, integer < INT32_MIN || integer > INT32_MAX ? "L" : "");
	else if (strchr(room, '.') && decimal_of_double(decimal_real(d), &again) && again.digits == d.digits &&
		 again.exp10 == d.exp10)
		text_add(to, room);
	else
		scalar_quote(to, room);
	return true;
}

static bool print_decimal(const struct setting *row, const void *at, struct text *to)
{
	(void)row;
	const struct decimal *place = at;
	return scalar_print_decimal(*place, to);
}

static int parse_word(const struct setting *row, const char *text, void *at, struct err *e)
{
	int index = find_word(row->words, text);
	if (index < 0)
		return refuse_word(row->words, text, e);
	index += (int)row->min;
	memcpy(at, &index, sizeof(index)); /* an int or an enum */
	return 0;
}

static bool print_word(const struct setting *row, const void *at, struct text *to)
{
	int index;
	memcpy(&index, at, sizeof(index));
	scalar_quote(to, row->words[index - (int)row->min]);
	return true;
}

static bool print_secret(const struct setting *row, const void *at, struct text *to)
{
	(void)row;
	const char *const *place = at;
	if (*place)
		text_add(to, "\"***\"");
	return *place != NULL;
}

/* U+0080 to U+009F, which a terminal may take for orders. */
static bool is_control(const char *at)
{
	const unsigned char *u = (const unsigned char *)at;
	return u[0] == 0xC2 && u[1] >= 0x80 && u[1] < 0xA0;
}

void scalar_quote(struct text *to, const char *text)
{
	const char special[] = "\"\\\n\r\t", letter[] = "\"\\nrt";
	text_add(to, "\"");
	for (; *text; text++) {
		const char *found = strchr(special, *text);
		if (found)
			text_addf(to, "\\%c", letter[found - special]);
		else if (is_control(text))
			text_addf(to, "\\xc2\\x%02x", (unsigned char)*++text);
		else
			text_add_n(to, text, 1);
	}
	text_add(to, "\"");
}

void scalar_put(struct text *to, const char *key, const char *text)
{
	if (!text)
		return;
	text_addf(to, " %s = ", key);
	scalar_quote(to, text);
	text_add(to, ";");
}

static const struct scalar_type types[SETTING_TYPES] = {
	[SETTING_TEXT] = { sizeof(char *), parse_text, print_text },
	[SETTING_BOOL] = { sizeof(bool), parse_bool, print_bool },
	[SETTING_INT] = { sizeof(int64_t), parse_int, print_int },
	[SETTING_INT32] = { sizeof(int), parse_int32, print_int32 },
	[SETTING_DECIMAL] = { sizeof(struct decimal), parse_decimal, print_decimal },
	[SETTING_WORD] = { sizeof(int), parse_word, print_word },
	[SETTING_SECRET] = { sizeof(char *), parse_text, print_secret },
};

const struct scalar_type *scalar_type(enum setting_type type)
{
	if (type == SETTING_DURATION)
		return &amount_duration;
	return type == SETTING_SIZE ? &amount_size : &types[type];
}
