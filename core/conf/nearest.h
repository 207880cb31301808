/*
 * Which word was meant by a wrong one: "adress" is near "address", "foo" is near nothing. Pure, any thread.
 */
#pragma once

#include "core/base/text.h"

void nearest_say(const char *const *words, const char *wrong,
		 struct text *to); /* "a, b or c, not 'd' - did you mean 'b'?" */

/* For candidates that are in no array of words: near enough and nearer than *best (begin with SIZE_MAX), which it
 * becomes. */
bool nearest_better(const char *word, const char *wrong, size_t *best);
