#include "bridges/coapblock.h"

#include "core/base/limits.h"

static size_t block_of(unsigned szx)
{
	return (size_t)16 << szx;
}

void coapblock_init(struct coapblock *b, unsigned szx)
{
	*b = (struct coapblock){ .szx = szx };
}

void coapblock_free(struct coapblock *b)
{
	text_free(&b->body);
	text_free(&b->before);
}

void coapblock_restart(struct coapblock *b)
{
	text_clear(&b->body);
	b->begun = b->again = false;
}

void coapblock_ask(const struct coapblock *b, struct coapmsg_request *ask)
{
	size_t block = block_of(b->szx);
	if (!ask->body) {
		ask->block2 = (struct coapmsg_block){ .there = b->begun || b->szx < COAPMSG_SZX,
						      .number = (uint32_t)(b->body.size / block),
						      .szx = b->szx };
		return;
	}
	if (ask->body_size <= block)
		return;
	size_t left = ask->body_size - b->taken;
	ask->size1 = b->taken ? 0 : (uint32_t)ask->body_size;
	ask->block1 = (struct coapmsg_block){
		.there = true, .more = left > block, .number = (uint32_t)(b->taken / block), .szx = b->szx
	};
	ask->body += b->taken;
	ask->body_size = left < block ? left : block;
}

/* From its beginning; what was read before may still be what is there. */
static enum coapblock_step begin_anew(struct coapblock *b, struct err *e)
{
	text_clear(&b->body);
	b->begun = false;
	if (++b->restarts <= LIMIT_BODY_RESTARTS)
		return COAPBLOCK_MORE;
	err_set(e, "the answer changes faster than its blocks can be read");
	return COAPBLOCK_BAD;
}

bool coapblock_is_same(const struct coapblock *b, const struct coapmsg_answer *a)
{
	return a->format == b->format && a->etag_size == b->etag_size && memcmp(a->etag, b->etag, a->etag_size) == 0;
}

static int check_block(const struct coapblock *b, const struct coapmsg_answer *a, struct err *e)
{
	size_t block = block_of(a->block2.szx);
	bool full = a->block2.more ? a->size == block : a->size > 0 && a->size <= block;
	if (a->block2.szx > COAPMSG_SZX || (b->begun && a->block2.szx > b->szx) || a->cut)
		return err_set(e, "the answer has a block of another size than was asked for");
	if ((uint64_t)a->block2.number * block != b->body.size)
		return err_set(e, "the answer has block %u, which was not asked for", a->block2.number);
	if (!full)
		return err_set(e, "the answer has a block of %zu bytes that should have %zu", a->size, block);
	if (b->body.size + a->size > LIMIT_PAYLOAD || a->size2 > LIMIT_PAYLOAD)
		return err_set(e, "the answer has more than %d bytes", LIMIT_PAYLOAD);
	return 0;
}

/* Without an ETag the blocks may be of two bodies, unless they are the same once more. */
static bool is_proved(const struct coapblock *b)
{
	return b->etag_size ||
	       (b->again && b->body.size == b->before.size && memcmp(b->body.data, b->before.data, b->body.size) == 0);
}

static enum coapblock_step finish(struct coapblock *b, const struct coapmsg_answer *a, struct coapmsg_answer *ret,
				  struct err *e)
{
	if (is_proved(b)) {
		*ret = *a;
		ret->bytes = b->body.data;
		ret->size = b->body.size;
		return COAPBLOCK_WHOLE;
	}
	struct text read = b->body;
	b->body = b->before;
	b->before = read;
	b->restarts -= !b->again; /* the second reading is none */
	b->again = true;
	return begin_anew(b, e);
}

enum coapblock_step coapblock_got(struct coapblock *b, const struct coapmsg_answer *a, struct coapmsg_answer *ret,
				  struct err *e)
{
	bool blocks = a->code == 205 && a->block2.there && (a->block2.more || a->block2.number);
	if (b->begun && (!a->block2.there || a->code != 205 || !coapblock_is_same(b, a)))
		return begin_anew(b, e);
	if (!b->begun && !blocks) {
		*ret = *a;
		return COAPBLOCK_WHOLE;
	}
	if (check_block(b, a, e) < 0)
		return COAPBLOCK_BAD;
	if (!b->begun) {
		memcpy(b->etag, a->etag, sizeof(b->etag));
		b->etag_size = a->etag_size;
		b->format = a->format;
	}
	b->begun = true;
	b->szx = a->block2.szx;
	text_add_n(&b->body, a->bytes, a->size);
	return a->block2.more ? COAPBLOCK_MORE : finish(b, a, ret, e);
}

static enum coapblock_step go_on(struct coapblock *b, const struct coapmsg_answer *a, bool last, struct err *e)
{
	size_t block = block_of(b->szx);
	if (!a->block1.there || a->block1.szx > b->szx || a->block1.number != b->taken / block || last) {
		err_set(e, "the device answers %d.%02d to a block that was not the one", a->code / 100, a->code % 100);
		return COAPBLOCK_BAD;
	}
	b->taken += block;
	b->szx = a->block1.szx;
	return COAPBLOCK_MORE;
}

/* 4.13 may say which size would do, 4.08 that the device has forgotten the blocks before: in both cases nothing was
 * taken (sections 2.9.2, 2.9.3). */
static bool may_begin_anew(struct coapblock *b, const struct coapmsg_answer *a)
{
	if (a->code == 413 && b->taken == 0 && a->block1.there && a->block1.szx < b->szx) {
		b->szx = a->block1.szx;
		return true;
	}
	return a->code == 408 && b->taken && b->restarts++ == 0;
}

enum coapblock_step coapblock_put(struct coapblock *b, const struct coapmsg_answer *a, size_t size, struct err *e)
{
	bool last = b->taken + block_of(b->szx) >= size;
	if (may_begin_anew(b, a)) {
		b->taken = 0;
		return COAPBLOCK_MORE;
	}
	if (a->code / 100 != 2 || (last && a->code != 231))
		return COAPBLOCK_WHOLE;
	if (a->code == 231 || a->block1.more)
		return go_on(b, a, last, e);
	err_set(e, "the device takes a part of the value for all of it (%d.%02d)", a->code / 100, a->code % 100);
	return COAPBLOCK_BAD;
}
