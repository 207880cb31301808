#include "core/cli/cli.h"

#include "core/base/mem.h"
#include "core/cli/check.h"
#include "core/cli/discover.h"
#include "core/cli/help.h"
#include "core/cli/labels.h"
#include "core/cli/listen.h"
#include "core/cli/peek.h"
#include "core/cli/run.h"
#include "core/cli/running.h"
#include "core/cli/scan.h"
#include "core/cli/values.h"
#include "core/cli/wants.h"
#include "core/conf/nearest.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

const char cli_default_conf[] = "/etc/jidgate/site.conf";

static int print_version(struct cli *c)
{
	fprintf(c->out, "jidgate %s\n", JIDGATE_VERSION);
	return CLI_DONE;
}

const struct cli_word cli_words[] = {
	{ "run", run_run, "", false, "the gateway or the service or both, in the foreground, until SIGTERM" },
	{ "check", check_run, "", true, "say everything that is wrong with the configuration" },
	{ "show-config", check_show, "", false, "the effective configuration: defaults marked, secrets as ***" },
	{ "status", running_status, "", true, "what runs: XMPP, buses, things, requests, memory" },
	{ "things", running_things, "[THING|DEVICE]", true, "each point of the things: value, quality, age, owner" },
	{ "friends", running_friends, "[THING]", true, "who is let in, and who waits for an answer" },
	{ "log", running_log, "[N] [follow]", true, "the last lines that the daemon has logged, and those to come" },
	{ "labels", labels_run, "[--format FORMAT]", true,
	  "name, JID, claim key of each thing, to print: text, tsv, json; svg or html with QR codes" },
	{ "reset", wants_reset, "THING", true, "a thing as it came from the factory: no owner, no friends, a new key" },
	{ "forget", wants_forget, "THING", true, "unregister a thing that is no longer in the configuration" },
	{ "reload", running_reload, "", true, "apply the changed configuration to what runs" },
	{ "read", values_read, "DEVICE.POINT", true, "a point: value, unit, quality, age" },
	{ "write", values_write, "DEVICE.POINT VALUE", true, "a point, with its range, words and confirmation" },
	{ "watch", values_watch, "DEVICE.POINT...", true, "points, until Ctrl-C" },
	{ "scan", scan_run, "BUS|--device TTY|--host H:P ...", true,
	  "Modbus units that answer, what they are, and their configuration" },
	{ "peek", peek_run, "BUS UNIT TABLE ADDRESS N", false,
	  "Modbus registers in every type and order; the likely ones as configuration" },
	{ "listen", listen_run, "BUS [SECONDS] [--topics FILTER]", false,
	  "devices on an MQTT broker that nobody configured, as configuration" },
	{ "discover", discover_run, "[BUS] [WHERE...]", false,
	  "CoAP devices and directories at WHERE, or all that hear multicast; as configuration" },
	{ "help", help_run, "[settings]", false, "this; with settings: every key of the configuration, as Markdown" },
	{ "version", print_version, "", false, "the version" },
	{ NULL, NULL, NULL, false, NULL },
};

int cli_fail(const struct cli *c, int code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("jidgate: ", c->err);
	vfprintf(c->err, format, args);
	fputc('\n', c->err);
	va_end(args);
	return code;
}

void cli_suggest(const struct cli *c, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	bool elsewhere = strcmp(c->conf, cli_default_conf) != 0;
	fprintf(c->out, "#   jidgate %s%s%s", elsewhere ? "-c " : "", elsewhere ? c->conf : "", elsewhere ? " " : "");
	vfprintf(c->out, format, args);
	fputc('\n', c->out);
	va_end(args);
}

static const struct cli_word *find_word(const char *word)
{
	for (const struct cli_word *w = cli_words; w->word; w++)
		if (strcmp(w->word, word) == 0)
			return w;
	return NULL;
}

static int refuse_word(const struct cli *c)
{
	const char *nearest = NULL;
	size_t best = SIZE_MAX;
	for (const struct cli_word *w = cli_words; w->word; w++)
		if (nearest_better(w->word, c->word, &best))
			nearest = w->word;
	if (nearest)
		return cli_fail(c, CLI_USAGE, "unknown word '%s' - did you mean '%s'?", c->word, nearest);
	return cli_fail(c, CLI_USAGE, "unknown word '%s'; see jidgate help", c->word);
}

static int refuse_option(const struct cli *c, const char *option)
{
	return cli_fail(c, CLI_USAGE, "unknown option '%s'; see jidgate help", option);
}

/* Options may stand before or behind the word; "--" ends them. Negative: go on, else the exit code. */
static int parse(struct cli *c, int argc, char **argv)
{
	bool options = true;
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];
		if (options && strcmp(arg, "-c") == 0) {
			if (++i == argc)
				return cli_fail(c, CLI_USAGE, "-c needs the name of a file");
			c->conf = argv[i];
		} else if (options && strcmp(arg, "--json") == 0)
			c->json = true;
		else if (options && (strcmp(arg, "-h") == 0 || strcmp(arg, "--help") == 0))
			c->word = "help";
		else if (options && strcmp(arg, "--version") == 0)
			c->word = "version";
		else if (options && strcmp(arg, "--") == 0)
			options = false;
		else if (options && arg[0] == '-' && arg[1] && !c->word)
			return refuse_option(c, arg);
		else if (!c->word)
			c->word = arg;
		else
			c->args[c->n_args++] = argv[i];
	}
	return -1;
}

static int run_word(struct cli *c)
{
	const struct cli_word *w = c->word ? find_word(c->word) : NULL;
	if (!c->word) {
		help_usage(c->err);
		return CLI_USAGE;
	}
	if (!w)
		return refuse_word(c);
	if (c->json && !w->json)
		return cli_fail(c, CLI_USAGE, "%s has no --json", w->word);
	if (c->n_args && !*w->args)
		return c->args[0][0] == '-' ? refuse_option(c, c->args[0])
					    : cli_fail(c, CLI_USAGE, "%s takes nothing behind it", w->word);
	return w->run(c);
}

int cli_main(int argc, char **argv, FILE *out, FILE *err)
{
	struct cli c = { .conf = cli_default_conf, .out = out, .err = err };
	c.args = mem_array((size_t)argc, sizeof(char *));
	int code = parse(&c, argc, argv);
	if (code < 0)
		code = run_word(&c);
	mem_free(c.args);
	if (code == CLI_DONE && (fflush(out) != 0 || ferror(out)))
		code = cli_fail(&c, CLI_FAILED, "cannot write the output");
	return code;
}
