#include "core/model/names.h"

#include "core/base/mem.h"
#include "core/base/text.h"

#include <string.h>
#include <strings.h>

void names_add(struct names *names, const char *language, const char *text)
{
	names->list = mem_resize(names->list, (names->n + 1) * sizeof(*names->list));
	names->list[names->n++] = (struct name){ mem_text(language), mem_text(text) };
}

static bool speaks(const char *have, const char *want)
{
	size_t n = strlen(have);
	return n > 0 && strncasecmp(have, want, n) == 0 && (want[n] == '\0' || want[n] == '-');
}

const char *names_find(const struct names *names, const char *language)
{
	for (size_t i = 0; language && i < names->n; i++)
		if (speaks(names->list[i].language, language))
			return names->list[i].text;
	return names->n ? names->list[0].text : NULL;
}

void names_copy(struct names *to, const struct names *from)
{
	for (size_t i = 0; i < from->n; i++)
		names_add(to, from->list[i].language, from->list[i].text);
}

void names_free(struct names *names)
{
	for (size_t i = 0; i < names->n; i++) {
		mem_free(names->list[i].language);
		mem_free(names->list[i].text);
	}
	mem_free(names->list);
	*names = (struct names){ 0 };
}
