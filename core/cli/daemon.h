/*
 * Asks the daemon that runs with this configuration, through its control socket (core/control/control.h). What the socket is called
 * is looked up in the file, or is the default where the file cannot be read: a daemon that runs can be asked also while its
 * configuration is being edited.
 */
#pragma once

#include "core/base/err.h"
#include "core/cli/cli.h"

#include <jansson.h>

enum daemon_end {
	DAEMON_DONE = 0,
	DAEMON_FAILED = -1, /* it refused, or cannot be asked: the sentence is in e */
	DAEMON_NONE = -2,   /* there is none: nobody listens; with a sentence, too */
};

/* For each line of the answer but the last, in order. text: as it came, without the newline. */
struct daemon_lines {
	void (*line)(void *ctx, const json_t *line, const char *text);
	void *ctx;
	bool endless; /* until SIGINT or SIGTERM, which is DAEMON_DONE then; else it must answer within a time */
};

int daemon_ask(const struct cli *c, const char *word, char *const *args, int n, const struct daemon_lines *lines,
	       struct err *e);

/* A line as it came; its texts are each one line that a terminal can be given. NULL: it is none. */
json_t *daemon_parse(const char *text, size_t size);

/* "" if it is not there or not a text. */
const char *daemon_text(const json_t *line, const char *key);
long long daemon_number(const json_t *line, const char *key);

/* "good", "bad, does not answer (last 21.5 °C)": the last good value stands behind the word that it is not that any more. */
void daemon_print_quality(const struct cli *c, const json_t *line);
