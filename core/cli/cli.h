/*
 * The command line: `jidgate [-c FILE] [--json] WORD ...`. One row of the table in cli.c is one word.
 *
 * Exit codes: 0 done, 1 refused or failed with a sentence on stderr, 2 wrong usage.
 */
#pragma once

#include "core/conf/protocol.h"

#include <stdbool.h>
#include <stdio.h>

enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

struct cli {              /* what a word gets; lives in cli_main */
	const char *conf; /* -c FILE, else the default */
	bool json;
	const char *word;
	char **args; /* behind the word, without the options of all words */
	int n_args;
	FILE *out, *err;
};

struct cli_word {
	const char *word;
	int (*run)(struct cli *c); /* exit code */
	const char *args;          /* as the usage shows them; "": none are allowed */
	bool json;                 /* --json is understood */
	const char *help;          /* one line */
};

extern const struct cli_word cli_words[]; /* NULL at the end */
extern const char cli_default_conf[];

int cli_main(int argc, char **argv, FILE *out, FILE *err);

/* "#   jidgate [-c FILE] WORD ..." on out: what to type next, as a remark in what is printed for the configuration. */
void cli_suggest(const struct cli *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "jidgate: sentence" on err; returns the code, so that a word can end in it. */
int cli_fail(const struct cli *c, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
