#include "core/xmpp/fields.h"

#include "core/base/text.h"

#include <string.h>

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

static void write_message(struct text *w, const struct things *t, const struct wish *wish, const char *to)
{
	struct writer_address from = things_address(t, wish->thing, true);
	writer_stanza(w, "message", "headline", &from, to, NULL);
	writer_raw(w, ">");
}

static void write_timestamp(struct text *w, int64_t utc_ms)
{
	char at[25];
	text_utc(utc_ms, at);
	writer_raw(w, "<timestamp value='");
	text_add_n(w, at, 24);
	writer_raw(w, "'>");
}

/* Points measured at the same moment share a timestamp: some clients look only at the first. */
static void write_values(struct text *w, const struct wish *wish)
{
	int64_t at = 0;
	for (size_t i = 0; i < wish->n_parts; i++) {
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

static void send_values(struct things *t, const struct wish *wish, const char *to, const char *seqnr, size_t n,
			bool done)
{
	struct text *w = link_begin(t->link, wish->thing->local, true);
	if (!w)
		return;
	write_message(w, t, wish, to);
	writer_raw(w, "<fields xmlns='urn:xmpp:iot:sensordata'");
	writer_attribute(w, "seqnr", seqnr);
	if (done)
		writer_raw(w, " done='true'");
	writer_raw(w, ">");
	if (n) {
		writer_raw(w, "<node");
		writer_attribute(w, "nodeId", wish->thing->local);
		writer_raw(w, ">");
		write_values(w, wish);
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

static void send_failures(struct things *t, const struct wish *wish, const char *to, const char *seqnr)
{
	char now[25];
	struct text *w = link_begin(t->link, wish->thing->local, true);
	if (!w)
		return;
	text_utc(loop_utc(t->loop), now);
	write_message(w, t, wish, to);
	writer_raw(w, "<failure xmlns='urn:xmpp:iot:sensordata'");
	writer_attribute(w, "seqnr", seqnr);
	writer_raw(w, " done='true'>");
	for (size_t i = 0; i < wish->n_parts; i++) {
		if (showable(&wish->parts[i]))
			continue;
		writer_raw(w, "<error");
		writer_attribute(w, "nodeId", wish->thing->local);
		writer_attribute(w, "timestamp", now);
		writer_raw(w, ">");
		writer_text(w, wish->parts[i].point->id);
		writer_raw(w, ": ");
		writer_text(w, failure_word(&wish->parts[i]));
		write_last(w, &wish->parts[i].sample);
		writer_raw(w, "</error>");
	}
	writer_raw(w, "</failure></message>");
	link_end(t->link);
}

void fields_send(struct things *t, const struct wish *w, const char *to, const char *seqnr)
{
	size_t good = 0;
	for (size_t i = 0; i < w->n_parts; i++)
		good += showable(&w->parts[i]);
	if (good || !w->n_parts)
		send_values(t, w, to, seqnr, good, good == w->n_parts);
	if (good < w->n_parts) /* last: one client ends its session at the first failure it sees */
		send_failures(t, w, to, seqnr);
}
