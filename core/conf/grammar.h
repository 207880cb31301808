/*
 * The shape of a configuration file: groups, lists, names and values in their order, with a sentence for each slip and the
 * line where what is not closed was opened. Fed with tokens by scan.c; faults go to the configuration. Pure.
 */
#pragma once

#include "core/conf/fault.h"
#include "core/conf/token.h"

enum { GRAMMAR_DEPTH = 64 };

/* What may come next. A group goes NAME -> ASSIGN -> VALUE -> DONE -> NAME, a list FIRST -> DONE -> ELEMENT -> DONE. */
enum grammar_state { WANT_NAME, WANT_ASSIGN, WANT_VALUE, WANT_FIRST, WANT_ELEMENT, DONE };

struct grammar_frame {
	char open; /* { ( [ ; 0 for the file as a whole */
	enum grammar_state state;
	const char *file;
	int line;
	char name[48];  /* of the setting that is being read */
	bool string;    /* the value just read is a string, so another may follow it */
	int comma_line; /* of the last comma */
};

struct grammar { /* zeroed to begin */
	struct conf *c;
	const char *file; /* of the tokens that come; the caller's, until grammar_end */
	bool broken;      /* libconfig would give up on it */
	bool lost;        /* and nothing sure can be said of the rest */
	int depth;
	struct grammar_frame frames[GRAMMAR_DEPTH];
};

void grammar_take(struct grammar *g, const struct token *t);
void grammar_end(struct grammar *g);
