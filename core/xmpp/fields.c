#include "core/xmpp/fields.h"

#include "core/base/text.h"

#include <string.h>

/* Bytes of the messages of a long answer: what a part has besides its words, what one byte of them may become, and how much is
 * put into one message, which with both addresses is below LIMIT_STANZA_OUT. */
enum { PART_SIZE = 300, ESCAPED = 6, PAGE_SIZE = 70 * 1024 };

bool fields_names_node(const struct element *payload, const char *local)
{
	for (const struct element *e = element_child(payload, "node", NULL); e; e = element_next(e, "node", NULL))
		if (!text_same(element_get(e, "nodeId"), local))
			return false;
	return true;
}

bool fields_names_point(const struct point *p, const char *name)
{
	for (size_t i = 0; i < p->names.n; i++)
		if (strcmp(p->names.list[i].text, name) == 0)
			return true;
	return false;
}

struct point *fields_find_point(const struct thing *t, const char *name)
{
	struct point *p = thing_find_point(t, name, strlen(name));
	for (size_t i = 0; !p && i < t->n_points; i++)
		if (fields_names_point(t->points[i], name))
			p = t->points[i];
	return p;
}

/* XEP-0323 has no category for counters: their present value is momentary. */
static const char *category_of(const struct point *p)
{
	return kind_word(p->kind == KIND_COUNTER ? KIND_MOMENTARY : p->kind);
}

static const struct {
	const char *begin; /* with the first attribute's name */
} elements[] = {
	[VALUE_BOOL] = { "<boolean name='" },
	[VALUE_NUMBER] = { "<numeric name='" },
	[VALUE_TEXT] = { "<string name='" },
	[VALUE_TIME] = { "<dateTime name='" },
};

static void write_field(struct text *w, const struct point *p, const struct sample *s)
{
	char room[DECIMAL_ROOM];
	text_add(w, elements[s->value.type].begin);
	text_add(w, p->id); /* its grammar needs no escaping */
	writer_raw(w, "' ");
	text_add(w, category_of(p));
	writer_raw(w, "='true' automaticReadout='true'");
	if (s->quality == QUALITY_OLD)
		writer_raw(w, " warning='true'");
	writer_attribute(w, "value", value_print(&s->value, room));
	if (s->value.type == VALUE_NUMBER)
		writer_attribute(w, "unit", p->unit ? p->unit : "");
	if (p->access & ACCESS_WRITE)
		writer_raw(w, " writable='true'");
	writer_raw(w, "/>");
}

/* A value may be shown when it is good, or old and its age is known: the timestamp says so. */
static bool showable(const struct wish_part *part)
{
	const struct sample *s = &part->sample;
	return part->status == WISH_DONE && s->utc_ms && s->value.type != VALUE_NONE &&
	       (s->quality == QUALITY_GOOD || s->quality == QUALITY_OLD);
}

static void write_timestamp(struct text *w, int64_t utc_ms)
{
	char at[25];
	text_utc(utc_ms, at);
	writer_raw(w, "<timestamp value='");
	text_add_n(w, at, 24);
	writer_raw(w, "'>");
}

/* At most. */
static size_t size_of(const struct wish *wish, const struct wish_part *part)
{
	const struct value *v = &part->sample.value;
	const char *unit = part->point->unit, *text = v->type == VALUE_TEXT ? v->text : NULL;
	return PART_SIZE + strlen(wish->thing->local) + strlen(part->point->id) +
	       ESCAPED * ((unit ? strlen(unit) : 0) + (text ? strlen(text) : 0));
}

/* Of the parts that are showable, or of those that are not: where the message that begins at `from` must end. */
static size_t page_end(const struct wish *wish, bool shown, size_t from)
{
	size_t size = 0, i = from;
	for (; i < wish->n_parts; i++) {
		if (showable(&wish->parts[i]) != shown)
			continue;
		size_t more = size_of(wish, &wish->parts[i]);
		if (size && size + more > PAGE_SIZE)
			break;
		size += more;
	}
	return i;
}

/* Points measured at the same moment share a timestamp: some clients look only at the first. */
static void write_values(struct text *w, const struct wish *wish, size_t from, size_t end)
{
	int64_t at = 0;
	for (size_t i = from; i < end; i++) {
		const struct wish_part *part = &wish->parts[i];
		if (!showable(part))
			continue;
		if (at && at != part->sample.utc_ms)
			writer_raw(w, "</timestamp>");
		if (at != part->sample.utc_ms)
			write_timestamp(w, part->sample.utc_ms);
		at = part->sample.utc_ms;
		write_field(w, part->point, &part->sample);
	}
	if (at)
		writer_raw(w, "</timestamp>");
}

struct reader { /* whom it is for */
	const char *to;
	const char *seqnr;
};

static void begin_part(struct text *w, const struct things *t, const struct thing *thing, const struct reader *r)
{
	struct writer_address from = things_address(t, thing, true);
	writer_stanza(w, "message", "headline", &from, r->to, NULL);
	writer_raw(w, ">");
}

static void begin_values(struct text *w, const struct things *t, const struct thing *thing, const struct reader *r,
			 bool done)
{
	begin_part(w, t, thing, r);
	writer_raw(w, "<fields xmlns='urn:xmpp:iot:sensordata'");
	writer_attribute(w, "seqnr", r->seqnr);
	if (done)
		writer_raw(w, " done='true'");
	writer_raw(w, ">");
}

static void begin_node(struct text *w, const struct thing *thing)
{
	writer_raw(w, "<node");
	writer_attribute(w, "nodeId", thing->local);
	writer_raw(w, ">");
}

static void send_values(struct things *t, const struct wish *wish, const struct reader *r, size_t from, size_t end,
			bool done)
{
	struct text *w = link_begin(t->link, wish->thing->local, true);
	if (!w)
		return;
	begin_values(w, t, wish->thing, r, done);
	if (from < end) {
		begin_node(w, wish->thing);
		write_values(w, wish, from, end);
		writer_raw(w, "</node>");
	}
	writer_raw(w, "</fields></message>");
	link_end(t->link);
}

static const char *failure_word(const struct wish_part *part)
{
	static const char *const words[] = {
		[WISH_FORBIDDEN] = "access denied",       [WISH_BAD] = "cannot be read",
		[WISH_NOT_FOUND] = "cannot be read",      [WISH_BUSY] = "too many requests at once",
		[WISH_UNREACHABLE] = "cannot be reached", [WISH_FAILED] = "the device refuses",
		[WISH_CANCELLED] = "cancelled",
	};
	const struct sample *s = &part->sample;
	if (s->quality == QUALITY_BAD)
		return trouble_word(s->trouble);
	if (part->status != WISH_DONE && words[part->status])
		return words[part->status];
	return s->quality == QUALITY_OLD ? "only a value of unknown age is there" : "no value has been seen yet";
}

/* For people: what was there before the trouble, or a retained value; in words, so that no program takes it for a value. */
static void write_last(struct text *w, const struct sample *s)
{
	char room[DECIMAL_ROOM];
	if (s->value.type == VALUE_NONE)
		return;
	writer_raw(w, " (last ");
	writer_text(w, value_print(&s->value, room));
	writer_raw(w, ")");
}

static void write_error(struct text *w, const struct wish *wish, const struct wish_part *part, const char *now)
{
	writer_raw(w, "<error");
	writer_attribute(w, "nodeId", wish->thing->local);
	writer_attribute(w, "timestamp", now);
	writer_raw(w, ">");
	writer_text(w, part->point->id);
	writer_raw(w, ": ");
	writer_text(w, failure_word(part));
	write_last(w, &part->sample);
	writer_raw(w, "</error>");
}

static void send_failures(struct things *t, const struct wish *wish, const struct reader *r, size_t from, size_t end)
{
	char now[25];
	struct text *w = link_begin(t->link, wish->thing->local, true);
	if (!w)
		return;
	text_utc(loop_utc(t->loop), now);
	begin_part(w, t, wish->thing, r);
	writer_raw(w, "<failure xmlns='urn:xmpp:iot:sensordata'");
	writer_attribute(w, "seqnr", r->seqnr);
	if (end == wish->n_parts)
		writer_raw(w, " done='true'");
	writer_raw(w, ">");
	for (size_t i = from; i < end; i++)
		if (!showable(&wish->parts[i]))
			write_error(w, wish, &wish->parts[i], now);
	writer_raw(w, "</failure></message>");
	link_end(t->link);
}

void fields_begin_past(struct text *page, const struct point *p, const struct pack_sample *s)
{
	write_timestamp(page, s->utc_ms);
	text_add(page, elements[s->value.type].begin);
	text_add(page, p->id);
	writer_raw(page, "'");
}

void fields_end_past(struct text *page, const struct point *p, const struct pack_sample *s)
{
	char number[DECIMAL_ROOM], text[PACK_TEXT + 1];
	const struct sample sample = pack_sample(s, text);
	writer_raw(page, " automaticReadout='true'");
	if (s->flags & PACK_AFTER_GAP)
		writer_raw(page, " warning='true'");
	if (s->flags & PACK_END)
		writer_raw(page, " endOfSeries='true'");
	writer_attribute(page, "value", value_print(&sample.value, number));
	if (s->value.type == VALUE_NUMBER)
		writer_attribute(page, "unit", p->unit ? p->unit : "");
	writer_raw(page, "/></timestamp>");
}

bool fields_send_past(struct things *t, const struct thing *thing, const char *to, const char *seqnr,
		      const struct text *page, bool done)
{
	struct text *w = link_begin(t->link, thing->local, true);
	if (!w)
		return false;
	begin_values(w, t, thing, &(struct reader){ to, seqnr }, done);
	if (page->size) {
		begin_node(w, thing);
		text_add_n(w, page->data, page->size);
		writer_raw(w, "</node>");
	}
	writer_raw(w, "</fields></message>");
	return link_end(t->link);
}

void fields_send(struct things *t, const struct wish *w, const char *to, const char *seqnr)
{
	const struct reader r = { to, seqnr };
	size_t good = 0;
	for (size_t i = 0; i < w->n_parts; i++)
		good += showable(&w->parts[i]);
	if (!w->n_parts)
		send_values(t, w, &r, 0, 0, true);
	for (size_t at = 0, end; good && at < w->n_parts; at = end) {
		end = page_end(w, true, at);
		send_values(t, w, &r, at, end, end == w->n_parts && good == w->n_parts);
	}
	/* last: one client ends its session at the first failure it sees */
	for (size_t at = 0, end; good < w->n_parts && at < w->n_parts; at = end) {
		end = page_end(w, false, at);
		send_failures(t, w, &r, at, end);
	}
}
