#include "core/xmpp/sensor.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/text.h"
#include "core/xmpp/fields.h"
#include "core/xmpp/recall.h"

#include <string.h>

static const int64_t READ_MS = 4500; /* Smack gives up 5 s after `accepted` */

/* The categories of a request, by attribute; `all` takes every kind, and a request with none means momentary (wire.md 1.2). */
static const struct {
	const char *attribute;
	unsigned kinds;
} categories[] = {
	{ "all", ~0u },
	{ "momentary", 1u << KIND_MOMENTARY | 1u << KIND_COUNTER },
	{ "peak", 1u << KIND_PEAK },
	{ "status", 1u << KIND_STATUS },
	{ "computed", 1u << KIND_COMPUTED },
	{ "identity", 1u << KIND_IDENTITY },
	{ "identification", 1u << KIND_IDENTITY },
};

static unsigned kinds_of(const struct element *req)
{
	unsigned kinds = 0;
	bool other = false;
	for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++)
		if (element_true(req, categories[i].attribute))
			kinds |= categories[i].kinds;
	for (const struct attribute *a = req->attributes; a; a = a->next)
		other = other || (!a->xmlns && text_begins(a->name, "historical") && element_true(req, a->name));
	return kinds || other ? kinds : categories[1].kinds;
}

static bool names_point(const struct element *req, const struct point *p)
{
	const struct element *e = element_child(req, "field", NULL);
	if (!e)
		return true;
	for (; e; e = element_next(e, "field", NULL)) {
		const char *name = element_get(e, "name");
		if (name && (strcmp(name, p->id) == 0 || fields_names_point(p, name)))
			return true;
	}
	return false;
}

static bool wanted(const struct element *req, unsigned kinds, const struct point *p)
{
	return (p->access & ACCESS_READ) && (kinds & 1u << p->kind) && names_point(req, p);
}

/* One read under way. */
struct reading {
	struct list link; /* in things.reads */
	struct things *things;
	struct wish wish;
	char *to; /* exact from of the request */
	char *seqnr;
	bool dropped; /* cancelled, or the link went down: nobody is told */
	struct wish_part parts[];
};

static void reading_free(struct reading *r)
{
	for (size_t i = 0; i < r->wish.n_parts; i++)
		sample_free(&r->parts[i].sample);
	list_drop(&r->link);
	mem_free(r);
}

static void read_answered(struct wish *w, enum wish_status status, const char *text)
{
	struct reading *r = w->ctx;
	(void)status, (void)text; /* each part has its own */
	/* he may have been put out while the bus was asked */
	if (!r->dropped && gate_may(w->thing, w->from, RIGHT_READ))
		fields_send(r->things, w, r->to, r->seqnr);
	reading_free(r);
}

static char *keep(char **at, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = memcpy(*at, text, size);
	*at += size;
	return copy;
}

/* One allocation for all of a read: it is the hot path. */
static struct reading *reading_new(struct things *t, struct thing *thing, const struct recall_wish *w)
{
	size_t parts = thing->n_points * sizeof(struct wish_part);
	size_t strings = strlen(w->to) + strlen(w->seqnr) + strlen(w->from_bare) + 3;
	struct reading *r = mem_new(sizeof(*r) + parts + strings);
	char *at = (char *)&r->parts[thing->n_points];
	r->things = t;
	r->to = keep(&at, w->to);
	r->seqnr = keep(&at, w->seqnr);
	r->wish = (struct wish){ .thing = thing,
				 .from = keep(&at, w->from_bare),
				 .parts = r->parts,
				 .deadline_ms = loop_now(t->loop) + READ_MS,
				 .answer = read_answered,
				 .ctx = r };
	list_add(&t->reads, &r->link);
	return r;
}

static void add_wanted(struct reading *r, const struct element *req, unsigned kinds)
{
	const struct thing *thing = r->wish.thing;
	for (size_t i = 0; i < thing->n_points && r->wish.n_parts < LIMIT_REQUEST_PARTS; i++)
		if (wanted(req, kinds, thing->points[i]))
			r->parts[r->wish.n_parts++].point = thing->points[i];
}

/* The names are in the order of the points, unless the thing has changed meanwhile. */
static void add_named(struct reading *r, const struct recall_wish *w)
{
	const struct thing *thing = r->wish.thing;
	const char *id = w->points;
	for (size_t i = 0; i < thing->n_points && *id; i++) {
		struct point *p = thing->points[i];
		if (strcmp(id, p->id) != 0)
			continue;
		if (w->kinds & 1u << p->kind)
			r->parts[r->wish.n_parts++].point = p;
		id += strlen(id) + 1;
	}
}

/* The past has been told; now what is. */
static void read_named(struct things *t, struct thing *thing, const struct recall_wish *w)
{
	struct reading *r = reading_new(t, thing, w);
	add_named(r, w);
	t->wish(t->wish_ctx, &r->wish);
}

/* Whether any of them has a past; the names of all that are wanted, each with its NUL, and an empty one. */
static bool add_names(const struct element *req, const struct thing *thing, struct text *names)
{
	bool any = false;
	for (size_t i = 0; i < thing->n_points && i < LIMIT_REQUEST_PARTS; i++) {
		const struct point *p = thing->points[i];
		if (!wanted(req, ~0u, p))
			continue;
		any = any || p->past;
		text_add_n(names, p->id, strlen(p->id) + 1);
	}
	text_add_n(names, "", 1);
	return any;
}

enum begun { BEGUN_NOT, BEGUN_PAST, BEGUN_BUSY };

static enum begun begin_past(struct things *t, const struct incoming *in, struct recall_wish *w)
{
	struct text names = { 0 };
	enum begun begun = BEGUN_NOT;
	if (w->span.periods && add_names(in->payload, in->target, &names)) {
		w->points = names.data;
		w->points_size = names.size;
		begun = recall_begin(t, in->target, w) ? BEGUN_PAST : BEGUN_BUSY;
	}
	text_free(&names);
	return begun;
}

static bool is_number(const char *seqnr)
{
	return seqnr && *seqnr && strlen(seqnr) <= LIMIT_SEQNR;
}

static void refuse(struct incoming *in, const char *seqnr, const struct reply_error *why, const char *words)
{
	struct text *w = reply_error_begin(&in->answer);
	if (!w)
		return;
	writer_raw(w, "<rejected xmlns='urn:xmpp:iot:sensordata'");
	writer_attribute(w, "seqnr", is_number(seqnr) ? seqnr : NULL);
	writer_raw(w, "><error>");
	writer_text(w, words);
	writer_raw(w, "</error></rejected>");
	reply_error_middle(&in->answer, w, why, words);
	reply_error_end(&in->answer, w);
}

bool sensor_refuse(struct incoming *in)
{
	struct element *req = element_child(in->stanza, "req", SENSOR_NS);
	const char *seqnr = req ? element_get(req, "seqnr") : NULL;
	if (!req || in->kind != ROUTE_GET || !seqnr)
		return false;
	refuse(in, seqnr, &reply_forbidden, "Access denied.");
	return true;
}

/* What cannot be read at all: the sentence and its condition; NULL: go on. */
static const char *unacceptable(const struct things *t, const struct incoming *in, const char *seqnr,
				struct recall_span *ret_span, const struct reply_error **ret_why)
{
	const char *when = element_get(in->payload, "when");
	int64_t at;
	*ret_why = &reply_bad_request;
	if (!is_number(seqnr))
		return "seqnr is missing or too long.";
	if (when && text_parse_utc(when, strlen(when), &at) < 0)
		return "when is not a time.";
	if (recall_parse(in->payload, ret_span) < 0)
		return "from or to is not a time.";
	*ret_why = &reply_item_not_found;
	if (!fields_names_node(in->payload, in->to_local))
		return "Unknown node.";
	*ret_why = &reply_feature_not_implemented;
	if (when && at > loop_utc(t->loop))
		return "Reading later is not supported.";
	*ret_why = &reply_resource_constraint;
	if (((const struct thing *)in->target)->n_wishes >= LIMIT_WISHES_THING)
		return "Too many requests at once.";
	return NULL;
}

static bool confirm(struct incoming *in, const char *begin, const char *seqnr)
{
	struct text *w = reply_begin(&in->answer);
	if (!w)
		return false;
	text_add(w, begin);
	writer_attribute(w, "seqnr", seqnr);
	writer_raw(w, "/>");
	reply_end(&in->answer);
	return true;
}

static void read_now(struct things *t, const struct incoming *in, const struct recall_wish *w)
{
	struct reading *r = reading_new(t, in->target, w);
	add_wanted(r, in->payload, w->kinds);
	t->wish(t->wish_ctx, &r->wish);
}

void sensor_take_req(void *self, struct incoming *in)
{
	struct things *t = self;
	const char *seqnr = element_get(in->payload, "seqnr");
	const struct reply_error *why = &reply_resource_constraint;
	struct recall_wish w = { .to = in->from,
				 .from_bare = in->from_bare,
				 .seqnr = seqnr,
				 .kinds = kinds_of(in->payload),
				 .go_on = read_named };
	if (!gate_may(in->target, in->from_bare, RIGHT_READ)) {
		refuse(in, seqnr, &reply_forbidden, "Access denied.");
		return;
	}
	const char *words = unacceptable(t, in, seqnr, &w.span, &why);
	enum begun begun = words ? BEGUN_NOT : begin_past(t, in, &w);
	if (begun == BEGUN_BUSY) {
		why = &reply_resource_constraint;
		words = "Too many requests at once.";
	}
	if (words)
		refuse(in, seqnr, why, words);
	else if (!confirm(in, "<accepted xmlns='urn:xmpp:iot:sensordata'", seqnr))
		recall_cancel(t, in->to_local, in->from, seqnr);
	else if (begun == BEGUN_NOT)
		read_now(t, in, &w);
}

void sensor_take_cancel(void *self, struct incoming *in)
{
	struct things *t = self;
	const char *seqnr = element_get(in->payload, "seqnr");
	if (!is_number(seqnr)) {
		reply_refuse(&in->answer, &reply_bad_request, "seqnr is missing or too long.");
		return;
	}
	list_each (at, &t->reads) {
		struct reading *r = list_of(at, struct reading, link);
		if (r->wish.thing == in->target && strcmp(r->to, in->from) == 0 && strcmp(r->seqnr, seqnr) == 0)
			r->dropped = true;
	}
	recall_cancel(t, in->to_local, in->from, seqnr);
	confirm(in, "<cancelled xmlns='urn:xmpp:iot:sensordata'", seqnr);
}

void sensor_drop_all(struct things *t)
{
	list_each (at, &t->reads)
		list_of(at, struct reading, link)->dropped = true;
	recall_drop_all(t);
}

void sensor_drop_of(struct things *t, const struct thing *thing)
{
	list_each (at, &t->reads) {
		struct reading *r = list_of(at, struct reading, link);
		r->dropped |= r->wish.thing == thing;
	}
}
