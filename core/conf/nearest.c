#include "core/conf/nearest.h"

#include <stdint.h>
#include <string.h>

bool nearest_better(const char *word, const char *wrong, size_t *best)
{
	size_t d = text_same_word(word, wrong) ? 0 : text_distance(word, wrong);
	if (d > strlen(word) / 3 + 1 || d >= strlen(word) || d >= *best)
		return false;
	*best = d;
	return true;
}

static const char *nearest_of(const char *const *words, const char *wrong)
{
	const char *nearest = NULL;
	size_t best = SIZE_MAX;
	for (; *words; words++)
		if (nearest_better(*words, wrong, &best))
			nearest = *words;
	return nearest;
}

void nearest_say(const char *const *words, const char *wrong, struct text *to)
{
	for (size_t i = 0; words[i]; i++) {
		if (i > 0)
			text_add(to, words[i + 1] ? ", " : " or ");
		text_add(to, words[i]);
	}
	text_addf(to, ", not '%.60s'", wrong);
	const char *nearest = nearest_of(words, wrong);
	if (nearest)
		text_addf(to, " - did you mean '%s'?", nearest);
}
