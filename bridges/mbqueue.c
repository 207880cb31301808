#include "bridges/mbqueue.h"

#include "core/base/mem.h"

/* How often others may go first. Writes never wait for anybody else's turn to be over but for this. */
static const unsigned patience[MBQUEUE_CLASSES] = {
	[MBQUEUE_WRITES] = 1, [MBQUEUE_POLLS] = 4, [MBQUEUE_ASKED] = 4, [MBQUEUE_BACKGROUND] = 16
};

void mbqueue_begin(struct mbqueue *q)
{
	for (size_t i = 0; i < MBQUEUE_CLASSES; i++)
		list_init(&q->waiting[i]);
	list_init(&q->halves);
}

static const struct mbaddress *address_of(const struct request *r)
{
	return r->point->address;
}

static uint8_t unit_of(const struct request *r)
{
	return (uint8_t)((const struct mbaddress_unit *)r->point->device->options)->unit_id;
}

static bool is_read(const struct request *r)
{
	return r->driver_data != NULL;
}

static struct mbplan_span span_of(const struct mbqueue *q, struct request *r)
{
	return mbplan_span(r->point, &q->wire, q->turnaround_us[unit_of(r)], r);
}

static struct mbplan_barrier place_of(const struct request *r)
{
	const struct mbaddress *a = address_of(r);
	return (struct mbplan_barrier){ unit_of(r), a->table, a->first, (uint32_t)a->first + a->count };
}

static size_t class_of(const struct request *r)
{
	static const size_t by_rank[] = { [REQUEST_ASKED] = MBQUEUE_ASKED,
					  [REQUEST_POLLED] = MBQUEUE_POLLS,
					  [REQUEST_BACKGROUND] = MBQUEUE_BACKGROUND };
	return r->write ? MBQUEUE_WRITES : by_rank[r->rank];
}

void mbqueue_add(struct mbqueue *q, struct request *r)
{
	struct list *class = &q->waiting[class_of(r)];
	struct list *before = class;
	while (class == &q->waiting[MBQUEUE_POLLS] && before->prev != class &&
	       list_of(before->prev, struct request, link)->due_ms > r->due_ms)
		before = before->prev;
	list_add(before, &r->link);
}

static bool has(const struct mbqueue *q, size_t class)
{
	return !list_empty(&q->waiting[class]) || (class == MBQUEUE_POLLS && !list_empty(&q->halves));
}

/* MBQUEUE_CLASSES: nobody waits. */
static size_t whose_turn(struct mbqueue *q)
{
	size_t turn = MBQUEUE_CLASSES;
	for (size_t i = MBQUEUE_CLASSES; i-- > 0;)
		if (has(q, i) && (turn == MBQUEUE_CLASSES || q->passed[turn] < patience[turn]))
			turn = i;
	for (size_t i = 0; i < MBQUEUE_CLASSES; i++)
		q->passed[i] = i != turn && has(q, i) ? q->passed[i] + 1 : 0;
	return turn;
}

/* All reads of the head's unit and table, itself among them. */
static size_t count_alike(const struct mbqueue *q, const struct request *head, struct mbplan_span *ret)
{
	size_t n = 0;
	for (size_t class = 0; class < MBQUEUE_CLASSES; class ++)
		for (struct list *at = q->waiting[class].next; at != &q->waiting[class]; at = at->next) {
			struct request *r = list_of(at, struct request, link);
			if (!is_read(r) || unit_of(r) != unit_of(head) ||
			    address_of(r)->table != address_of(head)->table)
				continue;
			if (ret)
				ret[n] = span_of(q, r);
			n++;
		}
	return n;
}

static bool is_in(const struct mbplan_span *spans, size_t n, const struct request *r)
{
	for (size_t i = 0; i < n; i++)
		if (spans[i].who == r)
			return true;
	return false;
}

static void move(const struct mbplan_span *spans, size_t n, struct list *to)
{
	for (size_t i = 0; i < n; i++) {
		struct request *r = spans[i].who;
		list_drop(&r->link);
		list_add(to, &r->link);
	}
}

static void merge(struct mbqueue *q, struct request *head, struct mbqueue_block *b)
{
	size_t n = count_alike(q, head, NULL), i = 0;
	struct mbplan_span *spans = mem_array(n, sizeof(*spans));
	struct mbplan_block *blocks = mem_array(n, sizeof(*blocks));
	count_alike(q, head, spans);
	mbplan_merge(spans, n, q->holes.barriers, q->holes.n, blocks);
	while (!is_in(spans + blocks[i].from, blocks[i].n, head))
		i++;
	b->first = blocks[i].first;
	b->count = blocks[i].count;
	move(spans + blocks[i].from, blocks[i].n, &b->requests);
	mem_free(spans);
	mem_free(blocks);
}

static void take_half(struct mbqueue *q, struct mbqueue_block *ret)
{
	struct mbqueue_block *half = list_of(list_pop(&q->halves), struct mbqueue_block, link);
	*ret = *half;
	list_init(&ret->requests);
	for (struct list *at; (at = list_pop(&half->requests));)
		list_add(&ret->requests, at);
	mem_free(half);
}

static void take_request(struct mbqueue *q, struct request *r, struct mbqueue_block *ret)
{
	const struct mbaddress *a = address_of(r);
	*ret = (struct mbqueue_block){ .unit = unit_of(r), .table = a->table, .first = a->first, .count = a->count };
	list_init(&ret->requests);
	ret->write = !is_read(r);
	if (!ret->write) {
		merge(q, r, ret);
		return;
	}
	list_drop(&r->link);
	list_add(&ret->requests, &r->link);
}

bool mbqueue_next(struct mbqueue *q, int64_t now_ms, struct mbqueue_block *ret)
{
	mbhole_age(&q->holes, now_ms);
	for (size_t turn; (turn = whose_turn(q)) != MBQUEUE_CLASSES;) {
		if (turn != MBQUEUE_POLLS || list_empty(&q->halves)) {
			take_request(q, list_of(q->waiting[turn].next, struct request, link), ret);
			return true;
		}
		take_half(q, ret);
		if (!list_empty(&ret->requests))
			return true;
		mbqueue_ended(q, ret, false, now_ms); /* all of them were cancelled */
	}
	return false;
}

static struct request *pop_half(struct mbqueue *q)
{
	while (!list_empty(&q->halves)) {
		struct mbqueue_block *half = list_of(q->halves.next, struct mbqueue_block, link);
		struct list *at = list_pop(&half->requests);
		if (at)
			return list_of(at, struct request, link);
		list_drop(&half->link);
		mbqueue_ended(q, half, false, 0);
		mem_free(half);
	}
	return NULL;
}

struct request *mbqueue_pop(struct mbqueue *q)
{
	for (size_t i = 0; i < MBQUEUE_CLASSES; i++) {
		struct list *at = list_pop(&q->waiting[i]);
		if (at)
			return list_of(at, struct request, link);
	}
	return pop_half(q);
}

static void take_from(struct list *from, uint8_t unit, struct list *to)
{
	list_each (at, from) {
		if (unit_of(list_of(at, struct request, link)) != unit)
			continue;
		list_drop(at);
		list_add(to, at);
	}
}

void mbqueue_take_unit(struct mbqueue *q, uint8_t unit, struct list *to)
{
	for (size_t i = 0; i < MBQUEUE_CLASSES; i++)
		take_from(&q->waiting[i], unit, to);
	for (struct list *at = q->halves.next; at != &q->halves; at = at->next)
		take_from(&list_of(at, struct mbqueue_block, link)->requests, unit, to);
}

bool mbqueue_covers(const struct mbqueue_block *b, const struct request *r)
{
	const struct mbaddress *a = address_of(r);
	return !b->write && b->unit == unit_of(r) && b->table == a->table && a->first >= b->first &&
	       (uint32_t)a->first + a->count <= (uint32_t)b->first + b->count;
}

static void add_half(struct mbqueue *q, const struct mbqueue_block *b, struct mbqueue_split *of,
		     const struct mbplan_span *spans, size_t n)
{
	struct mbqueue_block *half = mem_new(sizeof(*half));
	uint32_t end = 0;
	for (size_t i = 0; i < n; i++)
		if ((uint32_t)spans[i].first + spans[i].count > end)
			end = (uint32_t)spans[i].first + spans[i].count;
	*half = (struct mbqueue_block){ .unit = b->unit,
					.table = b->table,
					.first = spans[0].first,
					.count = (uint16_t)(end - spans[0].first),
					.of = of };
	list_init(&half->requests);
	move(spans, n, &half->requests);
	list_add_first(&q->halves, &half->link);
}

static bool differs(const struct mbplan_span *a, const struct mbplan_span *b)
{
	return a->first != b->first || a->count != b->count;
}

/* The begin of the span in the middle; 0: all are the same. */
static size_t middle(const struct mbplan_span *spans, size_t n)
{
	size_t kinds = 1, at = 0;
	for (size_t i = 1; i < n; i++)
		kinds += differs(&spans[i], &spans[i - 1]);
	for (size_t i = 1, kind = 0; i < n && kind < kinds / 2; i++) {
		kind += differs(&spans[i], &spans[i - 1]);
		at = i;
	}
	return kinds > 1 ? at : 0;
}

static void halve(struct mbqueue *q, const struct mbqueue_block *b, const struct mbplan_span *spans, size_t n,
		  size_t at)
{
	struct mbqueue_split *of = mem_new(sizeof(*of));
	uint32_t end = 0, begin = spans[at].first;
	for (size_t i = 0; i < at; i++)
		if ((uint32_t)spans[i].first + spans[i].count > end)
			end = (uint32_t)spans[i].first + spans[i].count;
	of->between = (struct mbplan_barrier){ b->unit, b->table, begin < end - 1 ? begin : end - 1,
					       begin + 1 > end ? begin + 1 : end };
	add_half(q, b, of, spans + at, n - at);
	add_half(q, b, of, spans, at);
}

bool mbqueue_refused(struct mbqueue *q, struct mbqueue_block *b, uint8_t exception, int64_t now_ms)
{
	size_t n = 0;
	for (struct list *at = b->requests.next; at != &b->requests; at = at->next)
		n++;
	struct mbplan_span *spans = mem_array(n, sizeof(*spans));
	size_t i = 0;
	for (struct list *at = b->requests.next; at != &b->requests; at = at->next)
		spans[i++] = span_of(q, list_of(at, struct request, link));
	mbplan_sort(spans, n);
	size_t at = middle(spans, n);
	if (at) {
		halve(q, b, spans, n, at);
	} else {
		struct mbplan_barrier guilty = place_of(list_of(b->requests.next, struct request, link));
		mbhole_guilty(&q->holes, &guilty, exception, now_ms);
	}
	mem_free(spans);
	return at > 0;
}

static void forgive(struct mbqueue *q, const struct mbqueue_block *b)
{
	for (struct list *at = b->requests.next; at != &b->requests; at = at->next) {
		struct mbplan_barrier place = place_of(list_of(at, struct request, link));
		mbhole_forgive(&q->holes, &place);
	}
}

void mbqueue_ended(struct mbqueue *q, struct mbqueue_block *b, bool good, int64_t now_ms)
{
	struct mbqueue_split *of = b->of;
	if (good && !b->write && q->holes.n)
		forgive(q, b);
	if (!of)
		return;
	of->good += good;
	if (++of->ended == 2) {
		if (of->good == 2)
			mbhole_cut(&q->holes, &of->between, now_ms);
		mem_free(of);
	}
	b->of = NULL;
}

uint8_t mbqueue_is_guilty(const struct mbqueue *q, const struct request *r, int64_t now_ms, int64_t *ret_ms)
{
	struct mbplan_barrier place = place_of(r);
	return q->holes.n ? mbhole_is_guilty(&q->holes, &place, now_ms, ret_ms) : 0;
}

void mbqueue_end(struct mbqueue *q)
{
	must(mbqueue_pop(q) == NULL);
	mbhole_free(&q->holes);
}
