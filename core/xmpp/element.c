#include "core/xmpp/element.h"

#include "core/base/mem.h"
#include "core/base/text.h"

#include <stdint.h>
#include <string.h>

enum { BLOCK = 16 * 1024, ALIGN = sizeof(void *) };

struct block {
	struct block *next;
	size_t room;
	char bytes[];
};

struct arena {
	char *at, *end;
	struct block *blocks; /* the newest first; the last one is the block that is kept */
};

static struct block *block_new(size_t room)
{
	struct block *b = mem_resize(NULL, sizeof(*b) + room);
	b->next = NULL;
	b->room = room;
	return b;
}

static void use_block(struct arena *a, struct block *b)
{
	a->blocks = b;
	a->at = b->bytes;
	a->end = b->bytes + b->room;
}

struct arena *arena_new(void)
{
	struct arena *a = mem_new(sizeof(*a));
	use_block(a, block_new(BLOCK));
	return a;
}

static void add_block(struct arena *a, size_t size)
{
	struct block *b = block_new(size > BLOCK ? size : BLOCK);
	b->next = a->blocks;
	use_block(a, b);
}

static void *take(struct arena *a, size_t size)
{
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if ((size_t)(a->end - a->at) < size)
		add_block(a, size);
	void *taken = a->at;
	a->at += size;
	return taken;
}

void *arena_take(struct arena *a, size_t size)
{
	return memset(take(a, size), 0, size);
}

char *arena_text(struct arena *a, const char *bytes, size_t size)
{
	char *copy = take(a, size + 1);
	memcpy(copy, bytes, size);
	copy[size] = '\0';
	return copy;
}

void arena_clear(struct arena *a)
{
	while (a->blocks->next) {
		struct block *older = a->blocks->next;
		mem_free(a->blocks);
		a->blocks = older;
	}
	use_block(a, a->blocks);
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	arena_clear(a);
	mem_free(a->blocks);
	mem_free(a);
}

/* Most names differ in their first letter: no call for those. */
static bool same(const char *a, const char *b)
{
	return *a == *b && strcmp(a, b) == 0;
}

const char *element_get(const struct element *e, const char *name)
{
	for (const struct attribute *a = e->attributes; a; a = a->next)
		if (!a->xmlns && same(a->name, name))
			return a->value;
	return NULL;
}

const char *element_get_ns(const struct element *e, const char *xmlns, const char *name)
{
	for (const struct attribute *a = e->attributes; a; a = a->next)
		if (a->xmlns && same(a->name, name) && same(a->xmlns, xmlns))
			return a->value;
	return NULL;
}

bool element_is(const struct element *e, const char *name, const char *xmlns)
{
	return same(e->name, name) && (!xmlns || same(e->xmlns, xmlns));
}

static struct element *first_that_fits(struct element *e, const char *name, const char *xmlns)
{
	while (e && !element_is(e, name, xmlns))
		e = e->next;
	return e;
}

struct element *element_child(const struct element *e, const char *name, const char *xmlns)
{
	return first_that_fits(e->first, name, xmlns);
}

struct element *element_next(const struct element *e, const char *name, const char *xmlns)
{
	return first_that_fits(e->next, name, xmlns);
}

const char *element_language(const struct element *e)
{
	for (; e; e = e->parent) {
		const char *language = element_get_ns(e, ELEMENT_XML, "lang");
		if (language)
			return language;
	}
	return NULL;
}

bool element_true(const struct element *e, const char *name)
{
	const char *value = element_get(e, name);
	return value && (strcmp(value, "true") == 0 || strcmp(value, "1") == 0);
}
