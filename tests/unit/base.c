#include "core/base/err.h"
#include "core/base/json.h"
#include "core/base/limits.h"
#include "core/base/list.h"
#include "core/base/log.h"
#include "core/base/map.h"
#include "core/base/mem.h"
#include "core/base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(err, wraps_outward)
{
	struct err e;
	cr_assert_eq(err_set(&e, "register %d is above 65535", 70000), -1);
	cr_assert_eq(err_wrap(&e, "bus '%s'", "plc"), -1);
	cr_assert_str_eq(e.text, "bus 'plc': register 70000 is above 65535");
	cr_assert_eq(err_set(NULL, "nobody listens"), -1);
}

Test(text, knows_clean_utf8)
{
	cr_assert(text_is_clean("21.5 \xC2\xB0"
				"C\n",
				9));
	cr_assert_not(text_is_clean("\x01", 1));
	cr_assert_not(text_is_clean("a\0b", 3));
	cr_assert_not(text_is_clean("\xC0\xAF", 2), "overlong");
	cr_assert_not(text_is_clean("\xED\xA0\x80", 3), "surrogate");
	cr_assert_not(text_is_clean("\xF4\x90\x80\x80", 4), "above U+10FFFF");
	cr_assert_not(text_is_clean("\xEF\xBF\xBF", 3), "U+FFFF is forbidden in XML");
	cr_assert_not(text_is_clean("\xE2\x82", 2), "cut");
}

Test(text, quotes_what_strangers_say)
{
	char room[8];
	cr_assert_str_eq(text_quote(room, sizeof(room),
				    "a\nb\xFF"
				    "c",
				    5),
			 "a?b?c");
	cr_assert_str_eq(text_quote(room, sizeof(room), "1234567\xC2\xB0", 9), "1234567");
	cr_assert_str_eq(text_quote(room, sizeof(room), "123456\xC2\xB0", 8), "123456",
			 "a character is not cut in two");
}

Test(text, gives_a_terminal_no_orders)
{
	char room[32];
	cr_expect_str_eq(text_quote(room, sizeof(room), "\xC2\x9B" "2J\xC2\xA0", 6), "?2J\xC2\xA0");
	char *plain = text_plain("a\tb\r\n\x1B[2J\x7F\xC2\x9B" "c\xC2\xB0");
	cr_expect_str_eq(plain, "a b  ?[2J??c\xC2\xB0");
	mem_free(plain);
}

Test(text, measures_distance_for_did_you_mean)
{
	cr_assert_eq(text_distance("adress", "address"), 1);
	cr_assert_eq(text_distance("", "abc"), 3);
	cr_assert_eq(text_distance("same", "same"), 0);
}

Test(text, prints_utc_to_the_millisecond)
{
	char at[25];
	text_utc(0, at);
	cr_assert_str_eq(at, "1970-01-01T00:00:00.000Z");
	text_utc(951827696789, at);
	cr_assert_str_eq(at, "2000-02-29T12:34:56.789Z");
	text_utc(-1, at);
	cr_assert_str_eq(at, "1969-12-31T23:59:59.999Z");
	text_utc(4102444800000, at);
	cr_assert_str_eq(at, "2100-01-01T00:00:00.000Z");
}

Test(text, reads_times_with_and_without_a_zone)
{
	static const struct {
		const char *text;
		int64_t wanted; /* -1: refused */
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2000-02-29T12:34:56.789Z", 951827696789 },
		{ "2000-02-29T13:34:56+01:00", 951827696000 },
		{ "2000-02-29T12:34:56", 951827696000 },
		{ "2001-02-29T12:34:56Z", -1 },
		{ "2000-13-01T00:00:00Z", -1 },
		{ "2000-01-01T24:00:00Z", -1 },
		{ "2000-01-01", -1 },
		{ "2000-01-01T00:00:00Zx", -1 },
		{ "2000-01-01T00:00:00.Z", -1 },
		{ "2000-01-01T00:00:00+25:00", -1 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t got = -1;
		int bad = text_parse_utc(rows[i].text, strlen(rows[i].text), &got);
		cr_expect_eq(bad, rows[i].wanted < 0 ? -1 : 0, "%s", rows[i].text);
		cr_expect_eq(got, rows[i].wanted, "%s", rows[i].text);
	}
}

Test(map, holds_many_and_forgets_what_is_dropped)
{
	enum { N = 5000 };
	struct map m = { 0 };
	char **keys = mem_array(N, sizeof(*keys));
	for (size_t i = 0; i < N; i++) {
		keys[i] = mem_format("thing-%zu", i);
		map_put(&m, keys[i], keys[i]);
	}
	for (size_t i = 0; i < N; i += 2)
		cr_assert_eq(map_drop(&m, keys[i]), keys[i]);
	cr_assert_eq(m.n, N / 2);
	for (size_t i = 0; i < N; i++)
		cr_assert_eq(map_find(&m, keys[i]), i % 2 ? keys[i] : NULL);
	size_t seen = 0;
	for (size_t at = 0; map_next(&m, &at);)
		seen++;
	cr_assert_eq(seen, N / 2);
	map_free(&m);
	for (size_t i = 0; i < N; i++)
		mem_free(keys[i]);
	mem_free(keys);
}

Test(map, does_not_grow_when_keys_come_and_go)
{
	struct map m = { 0 };
	char key[32];
	for (int i = 0; i < 100000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		map_put(&m, key, key);
		cr_assert_eq(map_drop(&m, key), key);
	}
	cr_assert_leq(m.room, 64);
	map_free(&m);
}

Test(list, drops_while_it_is_walked)
{
	struct item {
		int n;
		struct list link;
	} items[3] = { { .n = 1 }, { .n = 2 }, { .n = 3 } };
	struct list head;
	list_init(&head);
	for (int i = 0; i < 3; i++)
		list_add(&head, &items[i].link);
	int sum = 0;
	list_each(at, &head)
	{
		sum += list_of(at, struct item, link)->n;
		list_drop(at);
	}
	cr_assert_eq(sum, 6);
	cr_assert(list_empty(&head));
	list_drop(&items[0].link);
}

Test(log, counts_repeats_instead_of_writing_them)
{
	char *written;
	size_t size;
	FILE *file = open_memstream(&written, &size);
	struct log log;
	log_init(&log, LOG_LEVEL_INFO, file);
	for (int i = 0; i < 3; i++)
		log_warn(&log, "bus '%s': away", "plc");
	log_debug(&log, "not at this level");
	log_info(&log, "bus 'plc': up");
	log_end(&log);
	fclose(file);
	const char *wanted = "<4>bus 'plc': away\n<6>the last line 2 more times\n<6>bus 'plc': up\n";
	cr_expect_str_eq(written, wanted);
	free(written); /* memory of the C library */
}

/* A minute of lines begins with the first of them, wherever the clock stands. */
Test(log, leaves_out_what_others_make_it_say_too_often)
{
	char *written = NULL;
	size_t size, n = 0;
	FILE *file = open_memstream(&written, &size);
	struct log log;
	log_init(&log, LOG_LEVEL_INFO, file);
	for (int i = 0; i < LIMIT_LOG_MINUTE + 5; i++)
		log_outside(&log, LOG_LEVEL_INFO, "line %d", i);
	for (int i = 0; i < 11; i++) {
		log.since_s -= 5; /* as if five seconds had passed */
		log_outside(&log, LOG_LEVEL_INFO, "still");
	}
	fflush(file);
	for (const char *at = written; (at = strchr(at, '\n')); at++)
		n++;
	cr_expect_eq(n, LIMIT_LOG_MINUTE);
	log.since_s -= 5;
	log_outside(&log, LOG_LEVEL_INFO, "again");
	log_outside(&log, LOG_LEVEL_INFO, "and again");
	log_end(&log);
	fclose(file);
	cr_expect(strstr(written, "<4>16 lines about what others do were left out\n<6>again\n<6>and again\n"), "%s", written);
	free(written); /* memory of the C library */
}

static void count_line(void *ctx)
{
	++*(size_t *)ctx;
}

Test(log, keeps_the_last_lines_and_no_more)
{
	struct log log;
	size_t n = 0;
	FILE *file = fopen("/dev/null", "w");
	log_init(&log, LOG_LEVEL_INFO, file);
	log_info(&log, "before anybody wants them");
	log_keep(&log);
	log.on_line = count_line;
	log.ctx = &n;
	cr_expect_null(log_kept(&log, 0));
	for (int i = 0; i < 2 * LIMIT_LOG_KEPT; i++)
		log_info(&log, "line %d", i);
	log_debug(&log, "not at this level");
	cr_expect_eq(n, 2 * LIMIT_LOG_KEPT);
	cr_expect_eq(log_oldest(&log), LIMIT_LOG_KEPT);
	cr_expect_str_eq(log_kept(&log, LIMIT_LOG_KEPT)->text, "line 500");
	cr_expect_str_eq(log_kept(&log, 2 * LIMIT_LOG_KEPT - 1)->text, "line 999");
	cr_expect_eq(log_kept(&log, LIMIT_LOG_KEPT)->level, LOG_LEVEL_INFO);
	cr_expect_null(log_kept(&log, LIMIT_LOG_KEPT - 1), "not any more");
	cr_expect_null(log_kept(&log, 2 * LIMIT_LOG_KEPT), "not yet");
	for (int i = 0; i < 3; i++)
		log_warn(&log, "again");
	log_info(&log, "another");
	cr_expect_str_eq(log_kept(&log, log.n_kept - 2)->text, "the last line 2 more times");
	log_end(&log);
	fclose(file);
}

Test(json, writes_what_a_parser_reads)
{
	struct text t = { 0 };
	json_begin(&t, NULL, '{');
	json_put(&t, "text", "a \"b\" \\ \n \xFF \xC3\xA4");
	json_put(&t, "none", NULL);
	json_put_number(&t, "number", INT64_MIN);
	json_put_bool(&t, "yes", true);
	json_begin(&t, "list", '[');
	json_put_number(&t, NULL, 1);
	json_begin(&t, NULL, '{');
	json_end(&t, '}');
	json_end(&t, ']');
	json_begin(&t, "empty", '{');
	json_end(&t, '}');
	json_end(&t, '}');
	cr_expect_str_eq(t.data, "{\"text\": \"a \\\"b\\\" \\\\ \\u000a ? \xC3\xA4\", \"none\": null, "
				 "\"number\": -9223372036854775808, \"yes\": true, \"list\": [1, {}], \"empty\": {}}");
	text_free(&t);
}
