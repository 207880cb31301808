/*
 * Reads a configuration file before libconfig does, and says what libconfig swallows (numbers above 31 bits without L) or
 * answers with nothing but "syntax error": a trailing comma, a brace that is never closed (with the line where it was
 * opened), a text without quotes or without its closing quote. Pure but for `open`, which the caller gives.
 */
#pragma once

#include "core/conf/fault.h"

enum scan_result {
	SCAN_CLEAN,
	SCAN_WRONG,  /* errors, but libconfig can read it, so that the rest can be checked too */
	SCAN_BROKEN, /* libconfig would give up */
};

struct scan_file {
	const char *name; /* as shown in messages */
	const char *text;
	size_t size;
};

/*
 * The main file ends with a line break, for which the caller sees. open gives the file of an @include; false if it cannot,
 * after having said so. What it gives lives until scan_file ends.
 */
enum scan_result scan_file(struct conf *c, const struct scan_file *file,
			   bool (*open)(void *ctx, const char *name, const char *from, int line, struct scan_file *ret),
			   void *ctx);
