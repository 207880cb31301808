/*
 * A record is a row of chunks: a head, the key of the point, and a run of packed samples; a chunk without samples forgets what
 * stands before it. One record flies at a time, and the rings remember up to where it goes.
 */
#include "core/spill.h"

#include "core/base/limits.h"
#include "core/base/mem.h"

#include <string.h>

enum { CHUNK = 16 * 1024, RECORD = 64 * 1024, HOUR_MS = 3600 * 1000 };

static const int64_t FIRST_MS = 60 * 1000, EACH_MS = 10 * 60 * 1000;

struct chunk {
	uint32_t meaning, n, size;
	uint16_t key_size, forgets;
};

_Static_assert(RECORD + CHUNK + sizeof(struct chunk) + 2 * LIMIT_NAME < LIMIT_JOURNAL_RECORD, "a record fits");

static void add_chunk(struct text *record, const char *key, struct chunk c, const uint8_t *bytes)
{
	c.key_size = (uint16_t)strlen(key);
	text_add_n(record, (const char *)&c, sizeof(c));
	text_add_n(record, key, c.key_size);
	text_add_n(record, (const char *)bytes, c.size);
}

/* The next samples that are not on disk, as many as fit into a chunk. */
static void add_samples(struct text *record, struct past_ring *r)
{
	uint8_t bytes[CHUNK];
	char text[PACK_TEXT + 1];
	struct chunk c = { .meaning = r->meaning };
	struct pack run = { 0 };
	struct past_walk w;
	struct pack_sample s;
	past_walk(&w, r, r->saving);
	while (c.size + PACK_ROOM <= sizeof(bytes) && past_next(&w, &s)) {
		struct sample sample = pack_sample(&s, text);
		c.size += (uint32_t)pack_put(&run, &sample, s.flags, bytes + c.size);
		c.n++;
		r->saving = w.next;
	}
	if (c.n)
		add_chunk(record, r->key, c, bytes);
	else
		r->saving = r->next; /* those were dropped before their turn came */
}

static void add_ring(struct text *record, struct past_ring *r)
{
	if (r->cleared && !r->clearing)
		add_chunk(record, r->key, (struct chunk){ .forgets = 1 }, NULL);
	r->clearing = r->cleared;
	r->saving = r->saved;
	while (r->saving < r->next && record->size < RECORD)
		add_samples(record, r);
}

static void settle_forgets(struct spill *s, bool written)
{
	struct text *t = &s->forgets;
	if (written && s->forgetting) {
		memmove(t->data, t->data + s->forgetting, t->size - s->forgetting);
		t->size -= s->forgetting;
	}
	s->forgetting = 0;
}

static void settle(struct spill *s, bool written)
{
	settle_forgets(s, written);
	list_each (at, &s->past->rings) {
		struct past_ring *r = list_of(at, struct past_ring, link);
		if (written && r->saving > r->saved)
			r->saved = r->saving;
		if (written && r->clearing)
			r->cleared = false;
		r->clearing = false;
		r->saving = 0;
	}
}

/* As many whole ones as fit. */
static void add_forgets(struct spill *s, struct text *record)
{
	struct chunk c;
	for (size_t at = 0; at < s->forgets.size && at < RECORD; s->forgetting = at) {
		memcpy(&c, s->forgets.data + at, sizeof(c));
		at += sizeof(c) + c.key_size;
	}
	if (s->forgetting)
		text_add_n(record, s->forgets.data, s->forgetting);
}

/* Empty: all is on disk. What is to be forgotten comes before what has the same key and came later. */
static void gather(struct spill *s, struct text *record)
{
	add_forgets(s, record);
	if (s->forgetting < s->forgets.size)
		return;
	list_each (at, &s->past->rings) {
		struct past_ring *r = list_of(at, struct past_ring, link);
		if (record->size < RECORD)
			add_ring(record, r);
	}
}

static void flush(void *ctx);

static void note(struct spill *s, int status, const struct err *why)
{
	if (status < 0 && !s->failed)
		log_warn(s->log, "history: %s; it stays in memory", why->text);
	if (status == 0 && s->failed)
		log_info(s->log, "history: can be written again");
	s->failed = status < 0;
}

static void written(void *ctx, int status, const struct err *why)
{
	struct spill *s = ctx;
	s->flying = false;
	settle(s, status == 0);
	note(s, status, why);
	int64_t next = status == 0 || s->again ? 0 : EACH_MS;
	s->again = false;
	timer_set(s->loop, &s->timer, next, flush, s);
}

/* What the flash of a Pi is to bear in an hour is what the files hold, spread over the time that is kept. */
static bool is_spent(struct spill *s)
{
	int64_t now = loop_now(s->loop);
	if (now - s->hour_ms >= HOUR_MS) {
		s->hour_ms = now;
		s->written = 0;
	}
	int64_t hours = (s->bounds.keep_ms + HOUR_MS - 1) / HOUR_MS;
	return s->written >= s->bounds.bytes / hours;
}

static bool is_cleared(const struct spill *s)
{
	if (s->forgets.size)
		return true;
	list_each (at, &s->past->rings)
		if (list_of(at, struct past_ring, link)->cleared)
			return true;
	return false;
}

static void flush(void *ctx)
{
	struct spill *s = ctx;
	struct text record = { 0 };
	if ((s->away && !is_spent(s)) || is_cleared(s))
		gather(s, &record);
	if (record.size) {
		s->flying = true;
		s->written += (int64_t)record.size;
		journal_put(s->journal, &record, written, s);
	} else if (s->away) {
		timer_set(s->loop, &s->timer, EACH_MS, flush, s);
	}
	text_free(&record);
}

void spill_away(struct spill *s, bool away)
{
	if (s->away == away)
		return;
	s->away = away;
	if (!s->flying && away)
		timer_set(s->loop, &s->timer, FIRST_MS, flush, s);
}

void spill_reset(struct spill *s)
{
	s->again = s->flying;
	if (!s->flying)
		timer_set(s->loop, &s->timer, 0, flush, s);
}

void spill_forget(struct spill *s, const char *key)
{
	add_chunk(&s->forgets, key, (struct chunk){ .forgets = 1 }, NULL);
	spill_reset(s);
}

/* How long ago it came, for a clock that nobody can set. */
static void put_back(struct spill *s, struct past_ring *r, const struct pack_sample *p)
{
	char text[PACK_TEXT + 1];
	int64_t age = loop_utc(s->loop) - p->utc_ms;
	if (age < 0)
		age = 0;
	if (age > s->bounds.keep_ms || age > r->keep_ms)
		return;
	struct sample sample = pack_sample(p, text);
	past_add(r, &sample, p->flags, loop_now(s->loop) - age);
}

static void take_samples(struct spill *s, struct past_ring *r, const struct chunk *c, const uint8_t *bytes)
{
	struct pack run = { 0 };
	struct pack_sample p;
	size_t at = 0, size;
	for (uint32_t i = 0; i < c->n && at < c->size; i++, at += size) {
		size = pack_get(&run, bytes + at, c->size - at, &p);
		if (size == 0)
			return;
		put_back(s, r, &p);
	}
}

static void note_stranger(struct spill *s, const char *key, bool forgotten)
{
	char *known = map_find(&s->strangers, key);
	if (forgotten && known) {
		map_drop(&s->strangers, key);
		mem_free(known);
	} else if (!forgotten && !known) {
		known = mem_text(key);
		map_put(&s->strangers, known, known);
	}
}

/* What is to be forgotten is, whatever it meant. */
static void take_chunk(struct spill *s, const struct chunk *c, const char *bytes)
{
	char *key = mem_text_n(bytes, c->key_size);
	struct past_ring *r = map_find(&s->past->by_key, key);
	if (!r)
		note_stranger(s, key, c->forgets);
	else if (c->forgets)
		past_clear(r);
	else if (r->meaning == c->meaning)
		take_samples(s, r, c, (const uint8_t *)bytes + c->key_size);
	mem_free(key);
}

static void take_record(void *ctx, const char *bytes, size_t size)
{
	struct spill *s = ctx;
	struct chunk c;
	for (size_t at = 0; size - at >= sizeof(c); at += c.key_size + c.size) {
		memcpy(&c, bytes + at, sizeof(c));
		at += sizeof(c);
		if (c.key_size > size - at || c.size > size - at - c.key_size)
			return;
		take_chunk(s, &c, bytes + at);
	}
}

int spill_begin(struct spill *s, struct past *past, const char *directory, const struct journal_bounds *bounds,
		struct loop *loop, struct log *log, struct err *e)
{
	*s = (struct spill){ .past = past, .loop = loop, .log = log, .bounds = *bounds, .hour_ms = loop_now(loop) };
	s->journal = journal_open(directory, bounds, loop, e);
	if (!s->journal)
		return -1;
	journal_each(s->journal, take_record, s);
	list_each (at, &past->rings) {
		struct past_ring *r = list_of(at, struct past_ring, link);
		r->saved = r->next;
		r->cleared = false;
	}
	return 0;
}

void spill_each_stranger(struct spill *s, void (*fn)(void *ctx, const char *key), void *ctx)
{
	char *key;
	for (size_t at = 0; (key = map_next(&s->strangers, &at));) {
		if (fn)
			fn(ctx, key);
		mem_free(key);
	}
	map_free(&s->strangers);
}

static void stopped(void *ctx, int status, const struct err *why)
{
	struct spill *s = ctx;
	settle(s, status == 0);
	note(s, status, why);
}

void spill_end(struct spill *s)
{
	if (!s->journal)
		return;
	journal_hold(s->journal);
	timer_stop(s->loop, &s->timer);
	for (s->failed = false; !s->failed;) {
		struct text record = { 0 };
		gather(s, &record);
		if (!record.size)
			break;
		journal_put(s->journal, &record, stopped, s);
	}
	journal_close(s->journal);
	spill_each_stranger(s, NULL, NULL);
	text_free(&s->forgets);
	s->journal = NULL;
}
