#include "core/found.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/text.h"

char *found_name(const char *bus, const char *key)
{
	return mem_format("%s\n%s", bus, key);
}

static struct found_item *item_of(struct list *link)
{
	return list_of(link, struct found_item, link);
}

static struct found_item *find(const struct found *f, const char *bus, const char *key)
{
	char *name = found_name(bus, key);
	struct found_item *item = map_find(&f->items, name);
	mem_free(name);
	return item;
}

static void free_block(const struct found_block *b)
{
	mem_free(b->bus);
	mem_free(b->key);
	mem_free(b->text);
}

static void drop(struct found *f, struct found_item *item)
{
	list_drop(&item->link);
	map_drop(&f->items, item->name);
	free_block(&item->block);
	mem_free(item->name);
	mem_free(item);
}

static size_t count(const struct found *f, const char *bus)
{
	const struct found_item *item;
	size_t n = 0;
	for (size_t at = 0; (item = map_next(&f->items, &at));)
		n += text_same(item->block.bus, bus);
	return n;
}

static struct found_item *add(struct found *f, const char *bus, const char *key)
{
	struct found_item *item = mem_new(sizeof(*item));
	item->block = (struct found_block){ mem_text(bus), mem_text(key), NULL };
	item->name = found_name(bus, key);
	map_put(&f->items, item->name, item);
	return item;
}

bool found_take(struct found *f, const char *bus, const char *key, const char *text)
{
	struct found_item *item = find(f, bus, key);
	if (item ? text_same(item->block.text, text) : !text)
		return false;
	if (!item && count(f, bus) >= LIMIT_FOUND) {
		log_outside(f->log, LOG_LEVEL_WARN, "bus '%s': tells of more than %d devices: one more is left out",
			    bus, LIMIT_FOUND);
		return false;
	}
	if (!item)
		item = add(f, bus, key);
	mem_free(item->block.text);
	item->block.text = mem_text(text);
	if (!list_in(&item->link))
		list_add(&f->fresh, &item->link);
	return true;
}

void found_load(struct found *f, const char *const *values)
{
	struct found_item *item = add(f, values[0], values[1]);
	item->block.text = mem_text(values[2]);
}

void found_drop(struct found *f, const struct found_block *block)
{
	struct found_item *item = find(f, block->bus, block->key);
	if (item && !list_in(&item->link))
		drop(f, item);
}

static struct found_block copy(const struct found_block *b)
{
	return (struct found_block){ mem_text(b->bus), mem_text(b->key), mem_text(b->text) };
}

struct found_block *found_copy(const struct found *f, size_t *ret_n)
{
	struct found_block *blocks = mem_array(f->items.n, sizeof(*blocks));
	const struct found_item *item;
	size_t n = 0;
	for (size_t at = 0; (item = map_next(&f->items, &at));)
		if (item->block.text)
			blocks[n++] = copy(&item->block);
	*ret_n = n;
	return blocks;
}

struct found_block *found_take_fresh(struct found *f, size_t *ret_n)
{
	struct found_block *blocks = mem_array(f->items.n, sizeof(*blocks));
	struct list *at;
	size_t n = 0;
	while ((at = list_pop(&f->fresh)))
		blocks[n++] = copy(&item_of(at)->block);
	*ret_n = n;
	return blocks;
}

void found_free(struct found_block *blocks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free_block(&blocks[i]);
	mem_free(blocks);
}

void found_begin(struct found *f, struct log *log)
{
	*f = (struct found){ .log = log };
	list_init(&f->fresh);
}

void found_end(struct found *f)
{
	struct found_item *item;
	for (size_t at = 0; (item = map_next(&f->items, &at));)
		drop(f, item);
	map_free(&f->items);
}
