#include "core/cli/wants.h"

#include "core/base/json.h"
#include "core/cli/daemon.h"
#include "core/cli/kept.h"

#include <string.h>

static void note(void *ctx, int status, const struct err *why)
{
	if (status < 0)
		*(struct err *)ctx = *why;
}

static void print_wanted(const struct cli *c, const char *local, const char *words)
{
	struct text line = { 0 };
	json_begin(&line, NULL, '{');
	json_put(&line, "thing", local);
	json_put(&line, "when", "next start");
	json_end(&line, '}');
	if (c->json)
		fprintf(c->out, "%s\n", line.data);
	else
		fprintf(c->out, "%s: %s when jidgate starts next\n", local, words);
	text_free(&line);
}

static int want(struct cli *c, struct kept *k, const char *local, const char *what, const char *words)
{
	const char *const put[] = { local, what };
	struct err why = { "" };
	store_put(k->store, STORE_THING_WANT, put, note, &why);
	if (*why.text)
		return cli_fail(c, CLI_FAILED, "%s", why.text);
	print_wanted(c, local, words);
	return CLI_DONE;
}

static int reset(struct cli *c, struct kept *k)
{
	const char *local = c->args[0];
	if (!house_find_thing(k->conf.house, local, strlen(local)))
		return cli_fail(c, CLI_FAILED, "there is no thing '%s' in %s; see jidgate labels", local, c->conf);
	return want(c, k, local, "reset", "forgets its owner and its friends and gets a new key");
}

static int forget(struct cli *c, struct kept *k)
{
	const char *local = c->args[0];
	if (house_find_thing(k->conf.house, local, strlen(local)))
		return cli_fail(c, CLI_FAILED, "thing '%s' is still in %s; take it out first", local, c->conf);
	return want(c, k, local, "forget", "is unregistered");
}

static void print_json(const struct cli *c, const char *text)
{
	fprintf(c->out, "%s\n", text);
}

static void print_reset(void *ctx, const json_t *line, const char *text)
{
	const struct cli *c = ctx;
	if (c->json)
		print_json(c, text);
	else
		fprintf(c->out, "%s: has no owner and no friends any more; its key is %s\n", daemon_text(line, "thing"),
			daemon_text(line, "key"));
}

static void print_forget(void *ctx, const json_t *line, const char *text)
{
	const struct cli *c = ctx;
	if (c->json)
		print_json(c, text);
	else
		fprintf(c->out, "%s: its friends are told; it is forgotten when the service has unregistered it\n",
			daemon_text(line, "thing"));
}

/* The daemon does it at once; without one it is noted for the next start. */
static int with_local(struct cli *c, void (*print)(void *ctx, const json_t *line, const char *text),
		      int (*fn)(struct cli *c, struct kept *k))
{
	struct err why;
	const struct daemon_lines lines = { print, c, false };
	if (c->n_args != 1)
		return cli_fail(c, CLI_USAGE, "%s takes one thing", c->word);
	c->args[0][strcspn(c->args[0], "@")] = '\0';
	int end = daemon_ask(c, c->word, c->args, 1, &lines, &why);
	if (end == DAEMON_NONE)
		return kept_do(c, fn);
	return end == DAEMON_DONE ? CLI_DONE : cli_fail(c, CLI_FAILED, "%s", why.text);
}

int wants_reset(struct cli *c)
{
	return with_local(c, print_reset, reset);
}

int wants_forget(struct cli *c)
{
	return with_local(c, print_forget, forget);
}
