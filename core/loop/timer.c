/* A binary heap over one uv_timer_t: setting costs a few compares, and loop_skip can move all of them at once. */
#include "core/base/mem.h"
#include "core/loop/inside.h"

static bool before(const struct timer_slot *a, const struct timer_slot *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void put(struct timer_heap *h, size_t at, struct timer_slot slot)
{
	h->slots[at] = slot;
	slot.timer->place = at + 1;
}

static void sift_up(struct timer_heap *h, size_t at, struct timer_slot slot)
{
	while (at > 0 && before(&slot, &h->slots[(at - 1) / 2])) {
		put(h, at, h->slots[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(h, at, slot);
}

static void sift_down(struct timer_heap *h, size_t at, struct timer_slot slot)
{
	for (size_t child; (child = 2 * at + 1) < h->n; at = child) {
		if (child + 1 < h->n && before(&h->slots[child + 1], &h->slots[child]))
			child++;
		if (!before(&h->slots[child], &slot))
			break;
		put(h, at, h->slots[child]);
	}
	put(h, at, slot);
}

static void settle(struct timer_heap *h, size_t at, struct timer_slot slot)
{
	if (at > 0 && before(&slot, &h->slots[(at - 1) / 2]))
		sift_up(h, at, slot);
	else
		sift_down(h, at, slot);
}

static size_t new_place(struct timer_heap *h)
{
	if (h->n == h->room) {
		h->room = h->room ? h->room * 2 : 64;
		h->slots = mem_resize(h->slots, h->room * sizeof(*h->slots));
	}
	return h->n++;
}

static int64_t due_in(const struct loop *loop, int64_t in_ms)
{
	int64_t now = loop_now(loop);
	if (in_ms <= 0)
		return now;
	return in_ms < INT64_MAX - now ? now + in_ms : INT64_MAX;
}

void timer_set(struct loop *loop, struct timer *t, int64_t in_ms, void (*fn)(void *ctx), void *ctx)
{
	struct timer_heap *h = &loop->timers;
	t->due = due_in(loop, in_ms);
	t->fn = fn;
	t->ctx = ctx;
	struct timer_slot slot = { .due = t->due, .order = h->order++, .timer = t };
	if (t->place)
		settle(h, t->place - 1, slot);
	else
		sift_up(h, new_place(h), slot);
}

void timer_stop(struct loop *loop, struct timer *t)
{
	if (!t->place)
		return;
	struct timer_heap *h = &loop->timers;
	size_t at = t->place - 1;
	must(at < h->n && h->slots[at].timer == t);
	t->place = 0;
	h->n--;
	if (at != h->n)
		settle(h, at, h->slots[h->n]);
}

/* What is set while the due ones fire waits for the next turn, even with 0 ms: the sockets come between. */
static void run_due(struct loop *loop)
{
	struct timer_heap *h = &loop->timers;
	uint64_t until = h->order;
	while (h->n && h->slots[0].due <= loop_now(loop) && h->slots[0].order < until) {
		struct timer *t = h->slots[0].timer;
		timer_stop(loop, t);
		t->fn(t->ctx);
	}
}

static void on_alarm(uv_timer_t *handle)
{
	struct loop *loop = handle->data;
	loop_enter(loop);
	loop->timers.armed = -1;
	run_due(loop);
}

void timer_arm(struct loop *loop)
{
	struct timer_heap *h = &loop->timers;
	int64_t first = h->n ? h->slots[0].due : -1;
	if (first == h->armed)
		return;
	h->armed = first;
	int64_t in_ms = first - loop_now(loop);
	if (first < 0)
		uv_timer_stop(&loop->alarm);
	else
		must(uv_timer_start(&loop->alarm, on_alarm, in_ms > 0 ? (uint64_t)in_ms : 0, 0) == 0);
}
