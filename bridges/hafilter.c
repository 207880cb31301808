#include "bridges/hafilter.h"

static bool same(char a, char b)
{
	a = a >= 'A' && a <= 'Z' ? (char)(a - 'A' + 'a') : a;
	b = b >= 'A' && b <= 'Z' ? (char)(b - 'A' + 'a') : b;
	return a == b;
}

/* Going back only to the last *: never more than pattern times text. */
static bool fits(const char *pattern, const char *text)
{
	const char *star = NULL, *again = NULL;
	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			again = text;
		} else if (*pattern && (*pattern == '?' || same(*pattern, *text))) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++again;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool fits_one(const char *pattern, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (texts[i] && fits(pattern, texts[i]))
			return true;
	return false;
}

bool hafilter_wants(const struct setting_values *patterns, const char *const *texts, size_t n)
{
	bool asked = false, wanted = false;
	for (size_t i = 0; i < patterns->n; i++) {
		const char *pattern = patterns->list[i].type == VALUE_TEXT ? patterns->list[i].text : "";
		bool refuses = *pattern == '!';
		bool found = fits_one(pattern + refuses, texts, n);
		if (refuses && found)
			return false;
		asked |= !refuses;
		wanted |= found && !refuses;
	}
	return wanted || !asked;
}
