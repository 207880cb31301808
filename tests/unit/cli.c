#include "core/cli/cli.h"
#include "core/base/mem.h"
#include "core/base/text.h"
#include "core/base/json.h"
#include "core/cli/daemon.h"
#include "core/conf/conf.h"
#include "core/conf/rows.h"
#include "core/drivers.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct said {
	int code;
	char *out, *err; /* memory of the C library */
};

/* line: words with one blank between them */
static struct said say(const char *line)
{
	char copy[PATH_MAX], *argv[16] = { NULL }, *at = copy;
	int argc = 0;
	struct said s = { 0 };
	size_t out_size, err_size;
	snprintf(copy, sizeof(copy), "%s", line);
	while (at && argc < 15) {
		argv[argc++] = at;
		at = strchr(at, ' ');
		if (at)
			*at++ = '\0';
	}
	FILE *out = open_memstream(&s.out, &out_size), *err = open_memstream(&s.err, &err_size);
	s.code = cli_main(argc, argv, out, err);
	fclose(out);
	fclose(err);
	return s;
}

static void end(struct said *s)
{
	free(s->out);
	free(s->err);
}

struct usage {
	char line[40], out[40], err[80];
	int code;
};

ParameterizedTestParameters(cli, knows_its_words)
{
	static struct usage usages[] = {
		{ "jidgate version", "jidgate " JIDGATE_VERSION "\n", "", 0 },
		{ "jidgate --version", "jidgate " JIDGATE_VERSION "\n", "", 0 },
		{ "jidgate chek", "", "jidgate: unknown word 'chek' - did you mean 'check'?\n", 2 },
		{ "jidgate frobnicate", "", "jidgate: unknown word 'frobnicate'; see jidgate help\n", 2 },
		{ "jidgate -x check", "", "jidgate: unknown option '-x'; see jidgate help\n", 2 },
		{ "jidgate check -x", "", "jidgate: unknown option '-x'; see jidgate help\n", 2 },
		{ "jidgate check all", "", "jidgate: check takes nothing behind it\n", 2 },
		{ "jidgate check -c", "", "jidgate: -c needs the name of a file\n", 2 },
		{ "jidgate version --json", "", "jidgate: version has no --json\n", 2 },
		{ "jidgate help me", "", "jidgate: help knows nothing of 'me'; settings, or nothing\n", 2 },
		{ "jidgate -c /nowhere/x show-config", "", "/nowhere/x: cannot read it: No such file or directory\n",
		  1 },
	};
	return cr_make_param_array(struct usage, usages, sizeof(usages) / sizeof(*usages));
}

ParameterizedTest(struct usage *u, cli, knows_its_words)
{
	struct said s = say(u->line);
	cr_expect_eq(s.code, u->code, "%s: %d", u->line, s.code);
	cr_expect_str_eq(s.out, u->out);
	cr_expect_str_eq(s.err, u->err);
	end(&s);
}

Test(cli, shows_its_usage_without_a_word)
{
	struct said asked = say("jidgate help"), wrong = say("jidgate");
	cr_expect_eq(asked.code, 0);
	cr_expect_eq(wrong.code, 2);
	cr_expect_str_eq(asked.out, wrong.err);
	for (const struct cli_word *w = cli_words; w->word; w++)
		cr_expect_not_null(strstr(asked.out, w->help), "%s", w->word);
	end(&asked);
	end(&wrong);
}

Test(cli, help_settings_has_every_driver)
{
	struct said s = say("jidgate help settings");
	cr_expect_eq(s.code, 0);
	for (size_t i = 0; driver_list[i]; i++) {
		char title[80];
		snprintf(title, sizeof(title), "Bus with `protocol = \"%s\"`", driver_list[i]->protocol.name);
		if (driver_list[i]->protocol.options && driver_list[i]->protocol.options->key)
			cr_expect_not_null(strstr(s.out, title), "%s", title);
	}
	end(&s);
}

struct folder {
	char path[PATH_MAX], file[PATH_MAX];
};

static struct folder make(const char *text)
{
	struct folder f;
	snprintf(f.path, sizeof(f.path), "%s/jidgate-cli-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	cr_assert_not_null(mkdtemp(f.path));
	snprintf(f.file, sizeof(f.file), "%.4000s/site.conf", f.path);
	FILE *file = fopen(f.file, "w");
	fputs(text, file);
	fclose(file);
	chmod(f.file, 0600);
	return f;
}

static struct said say_of(const struct folder *f, const char *words)
{
	char line[PATH_MAX + 40];
	snprintf(line, sizeof(line), "jidgate -c %.4000s %s", f->file, words);
	return say(line);
}

static void drop(struct folder *f)
{
	unlink(f->file);
	rmdir(f->path);
}

static const char site[] =
	"xmpp = { domain = \"t.example\"; secret = \"x\"; };\n"
	"provisioning = { service = \"p.example\"; };\n"
	"buses = ( { id = \"b\"; protocol = \"sim\"; } );\n"
	"devices = ( { id = \"d\"; bus = \"b\"; points = ( { id = \"p\"; type = \"real\"; },\n"
	"{ id = \"q\"; type = \"real\"; thing = false; }, { id = \"r\"; type = \"real\"; disable = true; } ); },\n"
	"{ id = \"e\"; bus = \"b\"; points = ( { id = \"p\"; type = \"rael\"; } ); } );\n";

Test(cli, check_counts_and_says_what_is_wrong)
{
	struct folder f = make(site);
	struct said s = say_of(&f, "check");
	cr_expect_eq(s.code, 1);
	cr_expect_str_eq(s.out, "1 bus, 1 device, 2 points, 1 thing, 1 device left out, 1 error\n");
	cr_expect_not_null(strstr(s.err, "/site.conf:6: device 'e': point 'p': type: must be bool, "), "%s", s.err);
	end(&s);
	s = say_of(&f, "check --json");
	cr_expect_eq(s.code, 1);
	cr_expect_not_null(strstr(s.out,
				  "{\"buses\": 1, \"devices\": 1, \"points\": 2, \"things\": 1, \"left_out\": 1, "
				  "\"errors\": 1, \"warnings\": 0, \"lines\": [\""),
			   "%s", s.out);
	cr_expect_str_eq(s.err, "");
	end(&s);
	drop(&f);
}

/* Numbers of the table of physical limits: 440 ms with 11 bits per character and 20 ms of turnaround. */
static const char meters[] =
	"xmpp = { domain = \"t.example\"; secret = \"x\"; };\n"
	"provisioning = { service = \"p.example\"; };\n"
	"buses = ( { id = \"rs485\"; protocol = \"modbus-rtu\"; device = \"/dev/ttyS0\"; baud = 9600; mode = \"8E1\"; "
	"} );\n"
	"devices = ( { id = \"d\"; bus = \"rs485\"; unit_id = 1; addressing = \"protocol\"; max_gap = 125; points = (\n"
	"{ id = \"a\"; type = \"float32\"; table = \"input\"; address = 0; poll = \"%s\"; },\n"
	"{ id = \"b\"; type = \"float32\"; table = \"input\"; address = 78; poll = \"%s\"; },\n"
	"{ id = \"c\"; type = \"float32\"; table = \"input\"; address = 300; poll = \"%s\"; },\n"
	"{ id = \"d\"; type = \"float32\"; table = \"input\"; address = 314; poll = \"%s\"; },\n"
	"{ id = \"e\"; type = \"float32\"; table = \"input\"; address = 500; poll = \"%s\"; },\n"
	"{ id = \"f\"; type = \"float32\"; table = \"input\"; address = 538; poll = \"%s\"; } ); } );\n";

static struct said check_meters(const char *poll, const char *words)
{
	char text[2048];
	snprintf(text, sizeof(text), meters, poll, poll, poll, poll, poll, poll);
	struct folder f = make(text);
	struct said s = say_of(&f, words);
	drop(&f);
	return s;
}

Test(cli, check_prints_what_polling_will_cost)
{
	struct said s = check_meters("1s", "check");
	cr_expect_eq(s.code, 0);
	cr_expect_str_eq(s.out, "rs485: 3 requests per cycle, 6 points in 136 registers, 440 ms of 1 s\n"
				"1 bus, 1 device, 6 points, 6 things\n");
	end(&s);
	s = check_meters("500ms", "check");
	cr_expect_eq(s.code, 0);
	cr_expect_str_eq(s.out,
			 "rs485: 3 requests per cycle, 6 points in 136 registers, 440 ms of 500 ms\n"
			 "rs485: warning: polling takes 88 % of the bus's time; poll less often, or fewer points\n"
			 "1 bus, 1 device, 6 points, 6 things, 1 warning\n");
	end(&s);
	s = check_meters("1s", "check --json");
	cr_expect_not_null(strstr(s.out, "\"plan\": [\"rs485: 3 requests per cycle"), "%s", s.out);
	end(&s);
}

Test(cli, show_config_leaves_a_broken_device_out)
{
	struct folder f = make(site);
	struct said s = say_of(&f, "show-config");
	cr_expect_eq(s.code, 0, "it would start");
	cr_expect_not_null(strstr(s.out, "id = \"d\";"));
	cr_expect_null(strstr(s.out, "id = \"e\";"));
	cr_expect_not_null(strstr(s.err, "type: must be"));
	end(&s);
	drop(&f);
}

Test(cli, what_a_device_says_gives_a_terminal_no_orders)
{
	static const char said[] = "{\"value\": \"on\\u001b[2J\\nhall@gw: off\", \"xmpp\": {\"why\": \"\\u009bK\"}, \"age_ms\": 7}";
	json_t *line = daemon_parse(said, sizeof(said) - 1);
	cr_assert(line);
	cr_expect_str_eq(daemon_text(line, "value"), "on?[2J hall@gw: off");
	cr_expect_str_eq(daemon_text(json_object_get(line, "xmpp"), "why"), "?K");
	cr_expect_eq(daemon_number(line, "age_ms"), 7);
	json_decref(line);
	cr_expect_null(daemon_parse("[", 1));
}

Test(cli, fails_when_the_output_cannot_be_written)
{
	char word[] = "version", program[] = "jidgate", *argv[] = { program, word, NULL };
	FILE *full = fopen("/dev/full", "w"), *err = fopen("/dev/null", "w");
	cr_expect_eq(cli_main(2, argv, full, err), 1);
	fclose(full);
	fclose(err);
}

Test(json, escapes_what_must_be)
{
	struct text t = { 0 };
	json_text(&t, "a\"\\\n\x01\xC3\xA4\xFF", 8);
	cr_expect_str_eq(t.data, "\"a\\\"\\\\\\u000a\\u0001\xC3\xA4?\"");
	text_free(&t);
}

static char *whole_file(const char *name)
{
	struct text t = { 0 };
	char bytes[4096];
	size_t n;
	FILE *file = fopen(name, "r");
	cr_assert_not_null(file, "%s", name);
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		text_add_n(&t, bytes, n);
	fclose(file);
	return t.data;
}

static char *shown(const char *text)
{
	struct folder f = make(text);
	struct said s = say_of(&f, "show-config");
	char *out = mem_text(s.out);
	cr_assert_eq(s.code, 0, "%s", s.err);
	cr_assert_str_eq(s.err, "");
	end(&s);
	drop(&f);
	return out;
}

/* "#key = ..." is a default, "# ..." an example or a word to people. */
static char *without_marks(const char *text, size_t *ret_n)
{
	struct text t = { 0 };
	for (const char *at = text; *at; at++) {
		bool mark =
			*at == '#' && at > text && (at[-1] == '\t' || at[-1] == '\n') && at[1] >= 'a' && at[1] <= 'z';
		*ret_n += mark;
		if (!mark)
			text_add_n(&t, at, 1);
	}
	return t.data;
}

static const char *const secrets[] = { "component", "provisioner", "mqtt", "mesh" };

/* Where systemd would have put the secrets of a unit. */
static struct folder make_secrets(void)
{
	struct folder f = make("");
	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++) {
		char name[PATH_MAX];
		snprintf(name, sizeof(name), "%.4000s/%s", f.path, secrets[i]);
		FILE *file = fopen(name, "w");
		fputs("geheim\n", file);
		fclose(file);
	}
	setenv("CREDENTIALS_DIRECTORY", f.path, 1);
	return f;
}

static void drop_secrets(struct folder *f)
{
	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++) {
		char name[PATH_MAX];
		snprintf(name, sizeof(name), "%.4000s/%s", f->path, secrets[i]);
		unlink(name);
	}
	drop(f);
}

Test(example, loads_and_shows_what_loads_to_the_same)
{
	struct folder secret = make_secrets();
	struct said s = say("jidgate check -c " EXAMPLE_CONF);
	cr_expect_eq(s.code, 0);
	cr_expect_str_eq(s.err, "");
	cr_expect_str_eq(s.out, "plc: 1 request per cycle, 2 points in 10 registers, 10 ms of 1 s\n"
				"4 buses, 4 devices, 6 points, 5 things\n");
	end(&s);
	char *text = whole_file(EXAMPLE_CONF), *first = shown(text), *second = shown(first);
	cr_expect_str_eq(second, first);
	cr_expect_null(strstr(first, "geheim"));
	cr_expect_null(strstr(first, "***"), "each secret is shown by the name of its file");
	mem_free(text);
	mem_free(first);
	mem_free(second);
	drop_secrets(&secret);
}

Test(site_conf, has_the_built_in_defaults_behind_its_marks)
{
	size_t n = 0;
	struct folder f = make_secrets();
	char *shipped = whole_file(SITE_CONF), *given = without_marks(shipped, &n);
	cr_assert_gt(n, 5);
	char *built_in = shown(shipped), *as_written = shown(given);
	cr_expect_str_eq(as_written, built_in);
	mem_free(shipped);
	mem_free(given);
	mem_free(built_in);
	mem_free(as_written);
	drop_secrets(&f);
}

/* The examples have a blank behind the mark. */
static char *with_examples(const char *text)
{
	struct text t = { 0 };
	for (const char *at = text; *at; at++) {
		text_add_n(&t, at, 1);
		if (text_begins(at, "\t# "))
			at += 2;
	}
	return t.data;
}

Test(site_conf, has_examples_that_are_a_configuration)
{
	char *shipped = whole_file(SITE_CONF), *text = with_examples(shipped), templates[PATH_MAX];
	struct folder secret = make_secrets(), f = make(text);
	snprintf(templates, sizeof(templates), "%.4000s/templates.d", f.path);
	cr_assert_eq(symlink(TEMPLATES, templates), 0);
	struct said s = say_of(&f, "check");
	cr_expect_eq(s.code, 0);
	cr_expect_str_eq(s.err, "");
	cr_expect_not_null(strstr(s.out, "\n6 buses, 12 devices, 1 device for each level, 122 points, 121 things\n"), "%s",
			   s.out);
	end(&s);
	mem_free(shipped);
	mem_free(text);
	unlink(templates);
	drop_secrets(&secret);
	drop(&f);
}

/* A driver's rows may not take a key of the core, unless both are groups, and each has its line in the manual. */
static void look_at_rows(const char *driver, const struct setting *rows, const struct setting *cores)
{
	for (; rows && rows->key; rows++) {
		const struct setting *core = setting_find(cores, rows->key);
		cr_expect(!core || (core->type == SETTING_GROUP && rows->type == SETTING_GROUP),
			  "%s: '%s' is the core's", driver, rows->key);
		cr_expect(rows->help && *rows->help, "%s: '%s' has no help", driver, rows->key);
		cr_expect(rows->type != SETTING_WORD || rows->words, "%s: '%s' has no words", driver, rows->key);
		cr_expect(rows->type != SETTING_SECRET || rows->file, "%s: '%s' does not keep the name of its file",
			  driver, rows->key);
		if (rows->rows)
			look_at_rows(driver, rows->rows, core ? core->rows : NULL);
	}
}

Test(drivers, have_rows_that_keep_the_rules)
{
	size_t n = 0;
	for (; driver_list[n]; n++) {
		const struct protocol *p = &driver_list[n]->protocol;
		look_at_rows(p->name, p->options, rows_bus);
		look_at_rows(p->name, p->device, rows_device);
		look_at_rows(p->name, p->device, rows_device_bus);
		look_at_rows(p->name, p->address, rows_point);
		void *options = setting_new(p->options, p->options_size),
		     *device = setting_new(p->device, p->device_size),
		     *address = setting_new(p->address, p->address_size); /* dies of a default that is none */
		cr_expect(!p->options || options, "%s: rows without a struct", p->name);
		cr_expect(!p->device || device, "%s: rows without a struct", p->name);
		cr_expect(!p->address || address, "%s: rows without a struct", p->name);
		setting_drop(options);
		setting_drop(device);
		setting_drop(address);
	}
	cr_expect_gt(n, 0);
}

Test(rows, of_the_core_have_their_help)
{
	const struct setting *const all[] = { rows_file, rows_bus, rows_device, rows_device_bus, rows_point };
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		look_at_rows("core", all[i], NULL);
}

Test(rows, have_the_words_of_the_model)
{
	const struct setting *type = setting_find(rows_point, "type"), *kind = setting_find(rows_point, "kind");
	for (int i = 0; i < TYPE_COUNT; i++)
		cr_expect_str_eq(type->words[i], type_word((enum type)i));
	for (int i = 0; i < KIND_COUNT; i++)
		cr_expect_str_eq(kind->words[i], kind_word((enum kind)i));
	cr_expect_null(type->words[TYPE_COUNT]);
	cr_expect_null(kind->words[KIND_COUNT]);
}

/* Both need a JID for each thing; neither may invent a domain, and neither waits for a server that nobody named. */
Test(cli, runs_and_labels_nothing_without_an_xmpp_section)
{
	char file[] = "/tmp/jidgate-cli-XXXXXX", line[64];
	int fd = mkstemp(file);
	cr_assert_geq(fd, 0);
	FILE *f = fdopen(fd, "w");
	fputs("gateway = { state = \"/nonexistent/state\"; };\nbuses = ( { id = \"b\"; protocol = \"sim\"; } );\n"
	      "devices = ( { id = \"d\"; bus = \"b\"; points = ( { id = \"p\"; type = \"real\"; } ); } );\n",
	      f);
	fclose(f);
	for (int i = 0; i < 2; i++) {
		snprintf(line, sizeof(line), "jidgate %s -c %s", i ? "labels" : "run", file);
		struct said s = say(line);
		cr_expect_eq(s.code, CLI_FAILED);
		cr_expect(strstr(s.err, "there is no xmpp section"), "%s", s.err);
		end(&s);
	}
	unlink(file);
}
