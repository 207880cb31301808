#include "core/conf/amount.h"

#include <inttypes.h>
#include <string.h>

struct unit {
	const char *word;
	int64_t size;
};

static const struct unit durations[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }, { NULL, 0 },
};
static const struct unit sizes[] = {
	{ "GiB", 1 << 30 }, { "MiB", 1 << 20 }, { "KiB", 1 << 10 }, { "B", 1 }, { NULL, 0 },
};

/* "1.5s": a number that is not negative, then at once a unit; the product must be whole. */
static int amount_of(const struct unit *units, const char *text, int64_t *ret)
{
	size_t n = strspn(text, "0123456789.");
	struct decimal number;
	if (decimal_parse(text, n, &number) < 0)
		return -1;
	for (; units->word; units++)
		if (strcmp(units->word, text + n) == 0)
			return decimal_integer(decimal_multiply(number, decimal_of(units->size)), ret);
	return -1;
}

static void add_amount(const struct unit *units, int64_t amount, struct text *to)
{
	while (units[1].word && (amount == 0 ? units->size > 1000 : amount % units->size != 0))
		units++;
	text_addf(to, "%" PRId64 "%s", amount / units->size, units->word);
}

static int parse_amount(const struct setting *row, const struct unit *units, const char *text, int64_t *at,
			struct err *e)
{
	int64_t amount;
	if (amount_of(units, text, &amount) < 0)
		return units == durations
			       ? err_set(e, "'%.60s' is no duration - a number and ms, s, m, h or d, as \"5s\"", text)
			       : err_set(e, "'%.60s' is no size - a number and B, KiB, MiB or GiB, as \"64KiB\"", text);
	if ((row->min != 0 || row->max != 0) && (amount < row->min || amount > row->max)) {
		struct text range = { 0 };
		add_amount(units, row->min, &range);
		text_add(&range, "..");
		add_amount(units, row->max, &range);
		err_set(e, "'%.60s' is not in %s", text, range.data);
		text_free(&range);
		return -1;
	}
	*at = amount;
	return 0;
}

static int parse_duration(const struct setting *row, const char *text, void *at, struct err *e)
{
	return parse_amount(row, durations, text, at, e);
}

static int parse_size(const struct setting *row, const char *text, void *at, struct err *e)
{
	return parse_amount(row, sizes, text, at, e);
}

static bool print_amount(const struct unit *units, int64_t amount, struct text *to)
{
	if (amount < 0)
		return false;
	text_add(to, "\"");
	add_amount(units, amount, to);
	text_add(to, "\"");
	return true;
}

static bool print_duration(const struct setting *row, const void *at, struct text *to)
{
	(void)row;
	const int64_t *place = at;
	return print_amount(durations, *place, to);
}

static bool print_size(const struct setting *row, const void *at, struct text *to)
{
	(void)row;
	const int64_t *place = at;
	return print_amount(sizes, *place, to);
}

const struct scalar_type amount_duration = { sizeof(int64_t), parse_duration, print_duration };
const struct scalar_type amount_size = { sizeof(int64_t), parse_size, print_size };
