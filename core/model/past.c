#include "core/model/past.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <string.h>

/* Each block is a run of its own, so that the oldest can be dropped. A block ends when it is full, or when it spans an eighth
 * of the time that is kept: then what is too old goes soon. */
struct past_block {
	struct past_block *next;
	uint64_t first;           /* number of its first sample */
	int64_t from_ms, till_ms; /* monotonic, when its first and last sample came */
	uint32_t n, size, room;
	uint8_t bytes[];
};

enum { LEAST = 48, MOST = 960, SPANS = 8 };

void past_begin(struct past *past, size_t most)
{
	*past = (struct past){ .most = most };
	list_init(&past->rings);
}

static void drop_first(struct past_ring *r)
{
	struct past_block *b = r->first;
	r->first = b->next;
	if (!r->first)
		r->last = NULL;
	r->bytes -= sizeof(*b) + b->room;
	r->past->bytes -= sizeof(*b) + b->room;
	mem_free(b);
}

static void drop_all(struct past_ring *r)
{
	while (r->first)
		drop_first(r);
}

void past_clear(struct past_ring *r)
{
	drop_all(r);
	r->saved = r->saving = r->next;
	r->added_ms = 0;
	r->cleared = true;
	r->clearing = false;
	if (r->past->on_clear)
		r->past->on_clear(r->past->ctx);
}

static void ring_free(struct past_ring *r)
{
	drop_all(r);
	map_drop(&r->past->by_key, r->key);
	r->past->n--;
	list_drop(&r->link);
	mem_free(r->key);
	mem_free(r);
}

void past_end(struct past *past)
{
	list_each (at, &past->rings)
		ring_free(list_of(at, struct past_ring, link));
	map_free(&past->by_key);
}

/* Its point is gone, or means something else: whoever has the key next is not to find it. */
static void ring_drop(struct past_ring *r)
{
	const struct past *past = r->past;
	if (past->on_drop && (r->saved || r->saving))
		past->on_drop(past->ctx, r->key);
	ring_free(r);
}

struct past_ring *past_want(struct past *past, const char *key, uint32_t meaning, int64_t keep_ms)
{
	struct past_ring *r = map_find(&past->by_key, key);
	if (r && r->meaning != meaning) {
		ring_drop(r);
		r = NULL;
	}
	if (!r) {
		r = mem_new(sizeof(*r));
		*r = (struct past_ring){ .past = past, .key = mem_text(key), .meaning = meaning };
		map_put(&past->by_key, r->key, r);
		list_add(&past->rings, &r->link);
		past->n++;
	}
	r->keep_ms = keep_ms;
	r->wanted = true;
	return r;
}

void past_sweep(struct past *past)
{
	list_each (at, &past->rings) {
		struct past_ring *r = list_of(at, struct past_ring, link);
		if (!r->wanted)
			ring_drop(r);
		else
			r->wanted = false;
	}
}

/* Somebody who has more than his share: there is one when all is used and the asking one has less. */
static struct past_ring *rich(struct past *past, size_t share)
{
	for (size_t i = 0; i < past->n; i++) {
		struct list *link = list_pop(&past->rings);
		list_add(&past->rings, link); /* the next time another one is looked at first */
		struct past_ring *r = list_of(link, struct past_ring, link);
		if (r->bytes > share)
			return r;
	}
	return NULL;
}

static bool make_room(struct past_ring *r, size_t size)
{
	struct past *past = r->past;
	size_t share = past->most / past->n;
	while (past->bytes + size > past->most) {
		struct past_ring *giver = r->first && r->bytes + size > share ? r : rich(past, share);
		if (!giver)
			return false;
		drop_first(giver);
	}
	return true;
}

/* As large as the last one was filled, and twice that when it was full. */
static size_t room_for(const struct past_ring *r, size_t need)
{
	size_t room = r->last ? r->last->size + LEAST : LEAST;
	if (r->last && r->last->size + need > r->last->room)
		room = 2 * r->last->size;
	room = room < MOST ? room : MOST;
	return room > need ? room : need;
}

static struct past_block *block_new(struct past_ring *r, size_t need, int64_t now_ms)
{
	size_t room = room_for(r, need);
	if (!make_room(r, sizeof(struct past_block) + room))
		return NULL;
	struct past_block *b = mem_new(sizeof(*b) + room);
	b->first = r->next;
	b->from_ms = now_ms;
	b->room = (uint32_t)room;
	if (r->last)
		r->last->next = b;
	else
		r->first = b;
	r->last = b;
	r->bytes += sizeof(*b) + room;
	r->past->bytes += sizeof(*b) + room;
	return b;
}

void past_trim(struct past_ring *r, int64_t now_ms)
{
	while (r->first && now_ms - r->first->till_ms > r->keep_ms)
		drop_first(r);
}

static bool fits(const struct past_ring *r, size_t size, int64_t now_ms)
{
	const struct past_block *b = r->last;
	return b && b->size + size <= b->room && now_ms - b->from_ms <= r->keep_ms / SPANS;
}

/* A text that is said to be the same again points into the block: so each run is written where it stays. */
void past_add(struct past_ring *r, const struct sample *s, unsigned flags, int64_t now_ms)
{
	uint8_t bytes[PACK_ROOM];
	struct pack run = r->last ? r->run : (struct pack){ 0 };
	size_t size = pack_put(&run, s, flags, bytes);
	past_trim(r, now_ms);
	if (size == 0)
		return;
	if (!fits(r, size, now_ms)) {
		run = (struct pack){ 0 };
		size = pack_put(&run, s, flags, bytes);
		if (!block_new(r, size, now_ms))
			return;
	}
	struct past_block *b = r->last;
	bool text = run.text >= (char *)bytes && run.text < (char *)bytes + sizeof(bytes);
	memcpy(b->bytes + b->size, bytes, size);
	if (text)
		run.text = (char *)b->bytes + b->size + (run.text - (char *)bytes);
	r->run = run;
	b->size += (uint32_t)size;
	b->n++;
	b->till_ms = r->added_ms = now_ms;
	r->next++;
}

void past_walk(struct past_walk *w, const struct past_ring *r, uint64_t from)
{
	const struct past_block *b = r->first;
	while (b && b->first + b->n <= from)
		b = b->next;
	*w = (struct past_walk){ .ring = r, .block = b, .next = b ? b->first : r->next };
	struct pack_sample skipped;
	while (w->next < from && past_next(w, &skipped))
		continue;
}

bool past_next(struct past_walk *w, struct pack_sample *ret)
{
	if (w->block && w->at == w->block->size) {
		w->block = w->block->next;
		w->at = 0;
		w->run = (struct pack){ 0 };
	}
	if (!w->block)
		return false;
	w->next = w->at ? w->next : w->block->first;
	size_t size = pack_get(&w->run, w->block->bytes + w->at, w->block->size - w->at, ret);
	must(size);
	w->at += size;
	w->next++;
	return true;
}
