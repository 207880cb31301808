#include "core/cli/help.h"

#include "core/base/mem.h"
#include "core/conf/manual.h"
#include "core/drivers.h"

#include <string.h>

void help_usage(FILE *to)
{
	fprintf(to, "usage: jidgate [-c FILE] [--json] WORD ...\n\n");
	for (const struct cli_word *w = cli_words; w->word; w++) {
		char left[64];
		snprintf(left, sizeof(left), "%s %s%s%s", w->word, w->args, *w->args ? " " : "",
			 w->json ? "[--json]" : "");
		fprintf(to, "  %-24s %s\n", left, w->help);
	}
	fprintf(to, "\n-c FILE: the configuration, %s if not given\n", cli_default_conf);
	fprintf(to, "exit code: 0 done, 1 refused or failed, 2 wrong usage\n");
}

static int print_settings(struct cli *c)
{
	struct text t = { 0 };
	const struct protocol **protocols = drivers_protocols();
	manual_settings(protocols, &t);
	fputs(t.data, c->out);
	text_free(&t);
	mem_free(protocols);
	return CLI_DONE;
}

int help_run(struct cli *c)
{
	if (c->n_args == 1 && strcmp(c->args[0], "settings") == 0)
		return print_settings(c);
	if (c->n_args)
		return cli_fail(c, CLI_USAGE, "help knows nothing of '%s'; settings, or nothing", c->args[0]);
	help_usage(c->out);
	return CLI_DONE;
}
