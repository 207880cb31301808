#include "core/xmpp/recall.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/model/past.h"
#include "core/xmpp/fields.h"

#include <string.h>
#include <time.h>

enum { PAGE_SIZE = 64 * 1024, TURN_SAMPLES = 20000 };

static const int64_t CONGESTED_MS = 50, SECOND = 1000, DAY_S = 86400;

/* The number of the period that a second is in: another number behind the shift. */
static int64_t in_day(int64_t second)
{
	return second / DAY_S;
}

static int64_t in_week(int64_t second)
{
	return (in_day(second) + 3) / 7; /* 1970 began on a Thursday, weeks begin on Mondays */
}

static int64_t in_month(int64_t second)
{
	time_t at = (time_t)second;
	struct tm utc = { 0 };
	gmtime_r(&at, &utc);
	return utc.tm_year * 12LL + utc.tm_mon;
}

static int64_t in_second(int64_t second)
{
	return second;
}

static int64_t in_minute(int64_t second)
{
	return second / 60;
}

static int64_t in_hour(int64_t second)
{
	return second / 3600;
}

static int64_t in_quarter(int64_t second)
{
	return in_month(second) / 3;
}

static int64_t in_year(int64_t second)
{
	return in_month(second) / 12;
}

static const struct {
	const char *word;
	int64_t (*number)(int64_t second); /* NULL: all */
} periods[] = {
	{ "historicalSecond", in_second },   { "historicalMinute", in_minute }, { "historicalHour", in_hour },
	{ "historicalDay", in_day },         { "historicalWeek", in_week },     { "historicalMonth", in_month },
	{ "historicalQuarter", in_quarter }, { "historicalYear", in_year },     { "historicalOther", NULL },
};

enum { PERIODS = sizeof(periods) / sizeof(periods[0]), OTHER = 1u << (PERIODS - 1) };

static int parse_time(const struct element *req, const char *name, int64_t *ret)
{
	const char *text = element_get(req, name);
	return text ? text_parse_utc(text, strlen(text), ret) : 0;
}

int recall_parse(const struct element *req, struct recall_span *ret)
{
	struct recall_span s = { .from_ms = INT64_MIN, .to_ms = INT64_MAX };
	for (unsigned i = 0; i < PERIODS; i++)
		if (element_true(req, periods[i].word))
			s.periods |= 1u << i;
	if (element_true(req, "historical") || element_true(req, "all"))
		s.periods |= OTHER;
	if (parse_time(req, "from", &s.from_ms) < 0 || parse_time(req, "to", &s.to_ms) < 0)
		return -1;
	*ret = s;
	return 0;
}

/* Those of the wanted periods for which a value is told that stood from at_ms to next_ms: if there was a shift between. */
static unsigned periods_of(unsigned wanted, int64_t at_ms, int64_t next_ms)
{
	unsigned told = wanted & OTHER;
	for (unsigned i = 0; i < PERIODS - 1; i++)
		if ((wanted & 1u << i) && periods[i].number(at_ms / SECOND) < periods[i].number(next_ms / SECOND))
			told |= 1u << i;
	return told;
}

struct recall {
	struct list link;        /* in things.recalls */
	struct recall_wish wish; /* its texts are in room */
	const char *point;       /* whose past comes next, in wish.points */
	uint64_t next;           /* number of its first sample that was not told */
	char *local;
	char room[];
};

static char *keep(char **at, const char *text, size_t size)
{
	char *copy = memcpy(*at, text, size);
	*at += size;
	return copy;
}

static size_t count_of(const struct things *t, const char *from_bare)
{
	size_t n = 0;
	list_each (at, &t->recalls)
		n += text_same(list_of(at, struct recall, link)->wish.from_bare, from_bare);
	return n;
}

static void recall_free(struct things *t, struct recall *r)
{
	t->n_recalls--;
	list_drop(&r->link);
	mem_free(r);
}

/* ends: there is nothing more, so what was written is the last page of the past. */
struct page {
	struct text text;
	size_t looked_at;
	bool ends;
};

static bool is_full(const struct page *page)
{
	return page->text.size >= PAGE_SIZE || page->looked_at >= TURN_SAMPLES;
}

static void add_sample(struct page *page, const struct recall *r, const struct point *p, const struct pack_sample *s,
		       int64_t next_ms)
{
	const struct recall_span *span = &r->wish.span;
	unsigned told = periods_of(span->periods, s->utc_ms, next_ms);
	if (!told || s->utc_ms < span->from_ms || s->utc_ms > span->to_ms)
		return;
	fields_begin_past(&page->text, p, s);
	for (unsigned i = 0; i < PERIODS; i++)
		if (told & 1u << i)
			writer_attribute(&page->text, periods[i].word, "true");
	fields_end_past(&page->text, p, s);
}

/* false: the page is full. Each sample needs the time of the one behind it. */
static bool add_point(struct page *page, struct things *t, struct recall *r, const struct point *p)
{
	struct past_walk w;
	struct pack_sample s, behind;
	past_trim(p->past, loop_now(t->loop));
	past_walk(&w, p->past, r->next);
	bool there = past_next(&w, &s);
	while (there && !is_full(page)) {
		r->next = w.next;
		there = past_next(&w, &behind);
		add_sample(page, r, p, &s, there ? behind.utc_ms : loop_utc(t->loop));
		page->looked_at++;
		s = behind;
	}
	return !there;
}

static void fill_page(struct page *page, struct things *t, struct recall *r, const struct thing *thing)
{
	while (*r->point && !is_full(page)) {
		const struct point *p = thing_find_point(thing, r->point, strlen(r->point));
		page->looked_at++;
		if (p && p->past && !add_point(page, t, r, p))
			return;
		r->point += strlen(r->point) + 1;
		r->next = 0;
	}
	page->ends = !*r->point;
}

static bool send_page(struct things *t, const struct recall *r, const struct thing *thing, struct page *page)
{
	if (!page->text.size && !page->ends)
		return true;
	return fields_send_past(t, thing, r->wish.to, r->wish.seqnr, &page->text, page->ends && !r->wish.kinds);
}

/* One page, or the end. */
static void go_on(struct things *t, struct recall *r)
{
	struct page page = { 0 };
	struct thing *thing = house_find_thing(t->house, r->local, strlen(r->local));
	if (!thing ||
	    !gate_may(thing, r->wish.from_bare, RIGHT_READ)) { /* he was put out meanwhile, or the thing is gone */
		recall_free(t, r);
		return;
	}
	fill_page(&page, t, r, thing);
	bool sent = send_page(t, r, thing, &page);
	text_free(&page.text);
	if (sent && !page.ends) {
		list_drop(&r->link);
		list_add(&t->recalls, &r->link); /* behind the others */
		return;
	}
	list_drop(&r->link);
	if (sent && r->wish.kinds)
		r->wish.go_on(t, thing, &r->wish);
	recall_free(t, r);
}

static void on_turn(void *ctx)
{
	struct things *t = ctx;
	if (list_empty(&t->recalls))
		return;
	bool congested = link_congested(t->link);
	if (!congested)
		go_on(t, list_of(t->recalls.next, struct recall, link));
	if (!list_empty(&t->recalls))
		timer_set(t->loop, &t->recalling, congested ? CONGESTED_MS : 0, on_turn, t);
}

bool recall_begin(struct things *t, struct thing *thing, const struct recall_wish *w)
{
	if (t->n_recalls >= LIMIT_RECALLS || count_of(t, w->from_bare) >= LIMIT_RECALLS_FRIEND)
		return false;
	size_t to = strlen(w->to) + 1, from = strlen(w->from_bare) + 1, seqnr = strlen(w->seqnr) + 1;
	size_t local = strlen(thing->local) + 1;
	struct recall *r = mem_new(sizeof(*r) + to + from + seqnr + local + w->points_size);
	char *at = r->room;
	r->wish = *w;
	r->wish.to = keep(&at, w->to, to);
	r->wish.from_bare = keep(&at, w->from_bare, from);
	r->wish.seqnr = keep(&at, w->seqnr, seqnr);
	r->wish.points = r->point = keep(&at, w->points, w->points_size);
	r->local = keep(&at, thing->local, local);
	list_add(&t->recalls, &r->link);
	t->n_recalls++;
	if (!t->recalling.place)
		timer_set(t->loop, &t->recalling, 0, on_turn, t);
	return true;
}

void recall_cancel(struct things *t, const char *local, const char *to, const char *seqnr)
{
	list_each (at, &t->recalls) {
		struct recall *r = list_of(at, struct recall, link);
		if (strcmp(r->local, local) == 0 && strcmp(r->wish.to, to) == 0 && strcmp(r->wish.seqnr, seqnr) == 0)
			recall_free(t, r);
	}
}

void recall_drop_all(struct things *t)
{
	timer_stop(t->loop, &t->recalling);
	list_each (at, &t->recalls)
		recall_free(t, list_of(at, struct recall, link));
}
