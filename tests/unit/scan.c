#include "core/conf/scan.h"
#include "core/base/mem.h"

#include <criterion/criterion.h>
#include <libconfig.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_disable()
#define __lsan_enable()
#endif

/* The scan must be as strict as libconfig, never stricter but where that is meant: otherwise it refuses a good file, or the
 * installer gets "syntax error" and nothing more. So both read the same spoiled files and must agree. */

static const char base[] =
	"# comment\ngateway = { name = \"x \\\" y\" \"z\"; log : \"info\", };\n"
	"buses = ( { id = \"b\"; n = 12; f = -1.5e3; h = 0x7F; l = 5000000000L; }, { t = TRUE; g = { }; } );\n"
	"/* more\n */ a = [ 1, 2 ]; e = ( ); v = ( 1, \"two\", 3.0 ); // end\n last = false\n";

static const char *const fragments[] = { ",", ";",  "{", "}", "(", ")",  "[",    "]",  "=",  "\"", "#", "a ",
					 "1", "\n", " ", "L", "-", "0x", "true", "/*", "*/", "//", "\\" };

static uint32_t state = 1;

static size_t below(size_t n)
{
	state = state * 1664525 + 1013904223; /* the same files in every run */
	return n ? (state >> 8) % n : 0;
}

static bool no_include(void *ctx, const char *name, const char *from, int line, struct scan_file *ret)
{
	(void)ctx;
	(void)name;
	(void)from;
	(void)line;
	(void)ret;
	return false;
}

static enum scan_result scan(const struct text *t, struct conf *c)
{
	const struct scan_file file = { "x", t->data, t->size };
	*c = (struct conf){ 0 };
	return scan_file(c, &file, no_include, NULL);
}

static void spoil(struct text *t)
{
	size_t at = below(t->size);
	struct text spoiled = { 0 };
	text_add_n(&spoiled, t->data, at);
	if (below(2))
		text_add(&spoiled, fragments[below(sizeof(fragments) / sizeof(*fragments))]);
	else
		at += at < t->size;
	text_add_n(&spoiled, t->data + at, t->size - at);
	text_free(t);
	*t = spoiled;
}

/* Meant to be stricter: a text over two lines, "12e = 3". */
static bool stricter(const struct conf *c)
{
	return c->errors.data && (strstr(c->errors.data, "is not closed") || strstr(c->errors.data, "is no number"));
}

static bool compare(const struct text *t)
{
	struct conf c;
	config_t config;
	enum scan_result result = scan(t, &c);
	bool comparable = !stricter(&c);
	cr_expect(result == SCAN_CLEAN || c.n_errors > 0, "refused without a sentence:\n%s", t->data);
	if (comparable) {
		__lsan_disable(); /* libconfig 1.5 loses the text before a syntax error */
		config_init(&config);
		if (config_read_string(&config, t->data))
			cr_expect_neq(result, SCAN_BROKEN, "refused: %s\n%s", c.errors.data, t->data);
		else if (strcmp(config_error_text(&config), "syntax error") == 0)
			cr_expect_eq(result, SCAN_BROKEN, "line %d not seen:\n%s", config_error_line(&config), t->data);
		config_destroy(&config);
		__lsan_enable();
	}
	text_free(&c.errors);
	return comparable;
}

Test(scan, agrees_with_libconfig_on_spoiled_files)
{
	enum { FILES = 20000 };
	int n_compared = 0;
	for (int i = 0; i < FILES; i++) {
		struct text t = { 0 };
		size_t from = below(2) ? below(sizeof(base)) : 0;
		text_add(&t, base + from);
		for (size_t n = 1 + below(2); n > 0; n--)
			spoil(&t);
		text_add(&t, "\n");
		n_compared += compare(&t);
		text_free(&t);
	}
	cr_expect_gt(n_compared, FILES / 2);
}

Test(scan, leaves_the_good_file_alone)
{
	struct conf c;
	struct text t = { 0 };
	text_add(&t, base);
	cr_expect_eq(scan(&t, &c), SCAN_CLEAN, "%s", c.errors.data);
	cr_expect_null(c.errors.data);
	text_free(&t);
}

Test(scan, ends_at_a_bound_of_depth)
{
	struct conf c;
	struct text t = { 0 };
	for (int i = 0; i < 100000; i++)
		text_add(&t, "a={");
	cr_expect_eq(scan(&t, &c), SCAN_BROKEN);
	cr_expect_str_eq(c.errors.data, "x:1: more than 63 levels deep\n");
	text_free(&t);
	text_free(&c.errors);
}
