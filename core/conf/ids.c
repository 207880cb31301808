#include "core/conf/ids.h"

#include "core/base/mem.h"

struct taken {
	char *id;
	unsigned next; /* the number to try next behind it */
};

void ids_add_word(struct text *to, const char *from, size_t most)
{
	for (; *from && to->size < most; from++) {
		char c = *from >= 'A' && *from <= 'Z' ? (char)(*from | 0x20) : *from;
		bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
		if (fits && !(c == '_' && !to->size))
			text_add_n(to, &c, 1);
		else if (to->size && to->data[to->size - 1] != '-')
			text_add(to, "-");
		from += *from == '~' && from[1]; /* of a JSON Pointer: ~0 and ~1 are one character */
	}
	while (to->size && to->data[to->size - 1] == '-')
		to->data[--to->size] = '\0';
}

static const char *take(struct ids *ids, char *own)
{
	if (map_find(&ids->taken, own)) {
		mem_free(own);
		return NULL;
	}
	struct taken *new = mem_new(sizeof(*new));
	*new = (struct taken){ own, 2 };
	map_put(&ids->taken, new->id, new);
	return own;
}

void ids_take_devices(struct ids *ids, const struct house *house)
{
	for (size_t i = 0; house && i < house->n_devices; i++)
		take(ids, mem_text(house->devices[i]->id));
}

const char *ids_new(struct ids *ids, const char *wanted)
{
	const char *id = take(ids, mem_text(wanted));
	struct taken *first = map_find(&ids->taken, wanted);
	while (!id)
		id = take(ids, mem_format("%s-%u", wanted, first->next++));
	return id;
}

void ids_end(struct ids *ids)
{
	struct taken *taken;
	for (size_t at = 0; (taken = map_next(&ids->taken, &at));) {
		mem_free(taken->id);
		mem_free(taken);
	}
	map_free(&ids->taken);
}
