/*
 * The tokens of a configuration file, as libconfig 1.5 sees them, with what it would swallow: a number of more than 31 bits
 * without L, a text that runs over the end of its line. Pure; the text is the caller's and outlives the tokens.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum token_kind {
	TOKEN_END,
	TOKEN_WORD, /* a name, or a value without quotes */
	TOKEN_NUMBER,
	TOKEN_STRING,
	TOKEN_ASSIGN, /* = : */
	TOKEN_COMMA,
	TOKEN_SEMICOLON,
	TOKEN_OPEN,    /* { ( [ */
	TOKEN_CLOSE,   /* } ) ] */
	TOKEN_INCLUDE, /* at and size are the file name */
	TOKEN_ODD,     /* 127.0.0.1, 5s, $ */
	TOKEN_KINDS
};

enum token_flaw {
	FLAW_NONE,
	FLAW_NEEDS_L,   /* libconfig would keep its lower 32 bits and say nothing */
	FLAW_TOO_LARGE, /* more than 63 bits */
	FLAW_OPEN,      /* a text without its closing quote on the same line, or a comment without its end */
};

struct token {
	enum token_kind kind;
	enum token_flaw flaw;
	const char *at;
	size_t size;
	int line;
};

struct token_source {
	const char *start, *at, *end;
	int line; /* begins with 1 */
	bool cut; /* the text ends in a # comment without a line break, for libconfig a syntax error */
};

struct token token_next(struct token_source *s);
