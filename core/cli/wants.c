#include "core/cli/wants.h"

#include "core/base/mem.h"
#include "core/cli/kept.h"

#include <string.h>

static void note(void *ctx, int status, const struct err *why)
{
	if (status < 0)
		*(struct err *)ctx = *why;
}

static int want(struct cli *c, struct kept *k, const char *local, const char *what, const char *words)
{
	const char *const put[] = { local, what };
	struct err why = { "" };
	store_put(k->store, STORE_THING_WANT, put, note, &why);
	if (*why.text)
		return cli_fail(c, CLI_FAILED, "%s", why.text);
	fprintf(c->out, "%s: %s when jidgate starts next\n", local, words);
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

static int with_local(struct cli *c, int (*fn)(struct cli *c, struct kept *k))
{
	if (c->n_args != 1)
		return cli_fail(c, CLI_USAGE, "%s takes one thing", c->word);
	c->args[0][strcspn(c->args[0], "@")] = '\0';
	return kept_do(c, fn);
}

int wants_reset(struct cli *c)
{
	return with_local(c, reset);
}

int wants_forget(struct cli *c)
{
	return with_local(c, forget);
}
