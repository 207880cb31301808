#include "core/xmpp/control.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/text.h"
#include "core/xmpp/fields.h"

#include <string.h>

static const int64_t WRITE_MS = 10000; /* when no point of the set says otherwise */

/* Typed elements of the XEP, and `bool`, which Smack sends. */
static const char *const typed[] = { "boolean", "bool", "color",  "date", "dateTime", "double", "duration",
				     "int",     "long", "string", "time", "enum",     "numeric" };

/* How each end of a wish is said: the stanza error, and the responseCode of clients before v0.3. */
static const struct saying {
	const struct reply_error *why;
	const char *code;
	const char *words;
} sayings[] = {
	[WISH_FORBIDDEN] = { &reply_forbidden, "InsufficientPrivileges", "Access denied." },
	[WISH_BAD] = { &reply_bad_request, "FormError", "The value is not acceptable." },
	[WISH_NOT_FOUND] = { &reply_item_not_found, "NotFound", "There is no such parameter." },
	[WISH_BUSY] = { &reply_resource_constraint, "Locked", "Too many requests, or written too shortly ago." },
	[WISH_UNREACHABLE] = { &reply_timeout, "OtherError", "The device cannot be reached." },
	[WISH_FAILED] = { &reply_internal, "OtherError", "The device did not do it." },
	[WISH_CANCELLED] = { &reply_internal, "OtherError", "Cancelled." },
};

struct writing {
	struct wish wish;
	struct answer *answer; /* NULL: a message, nobody is told */
	char *from;
	struct wish_part parts[];
};

static void writing_free(struct writing *w)
{
	for (size_t i = 0; i < w->wish.n_parts; i++) {
		value_free(&w->parts[i].value);
		sample_free(&w->parts[i].sample);
	}
	mem_free(w->from);
	mem_free(w);
}

/* var and text NULL: no parameter is to blame */
static void refuse(struct answer *a, enum wish_status status, const char *var, const char *text)
{
	const struct saying *s = &sayings[status];
	const char *words = text ? text : s->words;
	struct text *w = reply_error_begin(a);
	if (!w)
		return;
	writer_raw(w, "<setResponse xmlns='urn:xmpp:iot:control'");
	writer_attribute(w, "responseCode", s->code);
	writer_raw(w, ">");
	if (var) {
		writer_raw(w, "<error");
		writer_attribute(w, "var", var);
		writer_raw(w, ">");
		writer_text(w, words);
		writer_raw(w, "</error>");
	}
	writer_raw(w, "</setResponse>");
	reply_error_middle(a, w, s->why, words);
	if (var) {
		writer_raw(w, "<paramError xmlns='urn:xmpp:iot:control'");
		writer_attribute(w, "var", var);
		writer_raw(w, ">");
		writer_text(w, words);
		writer_raw(w, "</paramError>");
	}
	reply_error_end(a, w);
}

/* OK means: done as asked. Whether the device answered, or was seen to hold the value, is said in our own namespace. */
static void agree(struct answer *a, enum wish_status status)
{
	struct text *w = reply_begin(a);
	if (!w)
		return;
	writer_raw(w, "<setResponse xmlns='urn:xmpp:iot:control' xmlns:x='urn:jidgate:siot:0' responseCode='OK'");
	writer_attribute(w, "x:outcome", wish_outcome(status));
	writer_raw(w, "/>");
	reply_end(a);
}

static const char *blamed(const struct wish *w, enum wish_status status)
{
	for (size_t i = 0; i < w->n_parts; i++)
		if (w->parts[i].status == status)
			return w->parts[i].point->id;
	return NULL;
}

static void write_answered(struct wish *wish, enum wish_status status, const char *text)
{
	struct writing *w = wish->ctx;
	if (w->answer && wish_is_good(status))
		agree(w->answer, status);
	else if (w->answer)
		refuse(w->answer, status, blamed(wish, status), text);
	writing_free(w);
}

struct wanted { /* one parameter of a set */
	const char *name;
	const char *text;
};

static bool is_typed(const struct element *e)
{
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++)
		if (strcmp(e->name, typed[i]) == 0)
			return true;
	return false;
}

/* Parameters in the order of the document: typed elements, or the fields of a submitted form. */
static bool next_wanted(const struct element **at, struct wanted *ret)
{
	for (const struct element *e = *at; e; e = e->next) {
		const struct element *value =
			element_is(e, "field", "jabber:x:data") ? element_child(e, "value", NULL) : NULL;
		const char *var = value ? element_get(e, "var") : NULL;
		if (!is_typed(e) && (!var || strcmp(var, "FORM_TYPE") == 0 || strcmp(var, "xdd session") == 0))
			continue;
		*ret = var ? (struct wanted){ var, value->text }
			   : (struct wanted){ element_get(e, "name"), element_get(e, "value") };
		*at = e->next;
		return true;
	}
	return false;
}

static const struct element *first_of(const struct element *set)
{
	const struct element *form = element_child(set, "x", "jabber:x:data");
	return form ? form->first : set->first;
}

static size_t count(const struct element *set)
{
	const struct element *at = first_of(set);
	struct wanted one;
	size_t n = 0;
	while (next_wanted(&at, &one))
		n++;
	return n;
}

struct trouble_at {
	enum wish_status status;
	char var[64];
	struct err why;
};

static int blame(struct trouble_at *ret, enum wish_status status, const char *var)
{
	ret->status = status;
	if (var)
		text_quote(ret->var, sizeof(ret->var), var, strlen(var));
	return -1;
}

static int take_one(const struct thing *thing, const struct wanted *one, struct wish_part *part, struct trouble_at *ret)
{
	if (!one->name || !one->text) {
		err_set(&ret->why, "name or value is missing");
		return blame(ret, WISH_BAD, one->name);
	}
	part->point = fields_find_point(thing, one->name);
	if (!part->point || !(part->point->access & ACCESS_WRITE)) {
		err_set(&ret->why, part->point ? "is read-only" : "There is no such parameter.");
		return blame(ret, part->point ? WISH_BAD : WISH_NOT_FOUND, one->name);
	}
	if (point_parse(part->point, one->text, strlen(one->text), &part->value, &ret->why) < 0)
		return blame(ret, WISH_BAD, one->name);
	return 0;
}

static int take_all(struct writing *w, const struct thing *thing, const struct element *set, struct trouble_at *ret)
{
	const struct element *at = first_of(set);
	struct wanted one;
	while (next_wanted(&at, &one)) {
		w->wish.n_parts++;
		if (take_one(thing, &one, &w->parts[w->wish.n_parts - 1], ret) < 0)
			return -1;
	}
	return 0;
}

static int64_t deadline_of(const struct wish *w)
{
	int64_t most = 0;
	for (size_t i = 0; i < w->n_parts; i++)
		if (w->parts[i].point->write_deadline_ms > most)
			most = w->parts[i].point->write_deadline_ms;
	return most ? most : WRITE_MS;
}

static struct writing *writing_new(struct things *t, const struct incoming *in, struct trouble_at *ret)
{
	size_t n = count(in->payload);
	*ret = (struct trouble_at){ .status = WISH_BAD };
	if (n == 0 || n > LIMIT_REQUEST_PARTS) {
		err_set(&ret->why, n ? "too many parameters" : "no parameter is given");
		return NULL;
	}
	if (!fields_names_node(in->payload, in->to_local)) {
		err_set(&ret->why, "Unknown node.");
		ret->status = WISH_NOT_FOUND;
		return NULL;
	}
	struct writing *w = mem_new(sizeof(*w) + n * sizeof(struct wish_part));
	w->from = mem_text(in->from_bare);
	w->wish = (struct wish){ .thing = in->target,
				 .from = w->from,
				 .write = true,
				 .parts = w->parts,
				 .answer = write_answered,
				 .ctx = w };
	if (take_all(w, in->target, in->payload, ret) < 0) {
		writing_free(w);
		return NULL;
	}
	w->wish.deadline_ms = loop_now(t->loop) + deadline_of(&w->wish);
	return w;
}

void control_take_set(void *self, struct incoming *in)
{
	struct things *t = self;
	struct trouble_at trouble;
	if (!gate_may(in->target, in->from_bare, RIGHT_WRITE)) {
		refuse(&in->answer, WISH_FORBIDDEN, NULL, NULL);
		return;
	}
	struct writing *w = writing_new(t, in, &trouble);
	if (!w) {
		refuse(&in->answer, trouble.status, *trouble.var ? trouble.var : NULL, trouble.why.text);
		return;
	}
	w->answer = reply_later(&in->answer);
	t->wish(t->wish_ctx, &w->wish);
}

/* A server kept it for a thing that was away: it was meant for then. */
static bool is_late(const struct element *stanza)
{
	return element_child(stanza, "delay", "urn:xmpp:delay") || element_child(stanza, "x", "jabber:x:delay");
}

void control_take_message(void *self, struct incoming *in)
{
	struct things *t = self;
	struct trouble_at trouble;
	if (!gate_may(in->target, in->from_bare, RIGHT_WRITE) || is_late(in->stanza))
		return;
	struct writing *w = writing_new(t, in, &trouble);
	if (w)
		t->wish(t->wish_ctx, &w->wish);
}

bool control_refuse(struct incoming *in)
{
	if (in->kind != ROUTE_SET || !element_child(in->stanza, "set", CONTROL_NS))
		return false;
	refuse(&in->answer, WISH_FORBIDDEN, NULL, NULL);
	return true;
}
