#include "core/xmpp/presence.h"

#include "core/base/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define MORE "\xE2\x80\xA6"

/* Bytes of a status: it goes to every friend with every news. */
enum { VALUE_MOST = 250, STATUS_MOST = 1000 };

static const int64_t GATHER_MS = 50;     /* due presences are sent in rounds not closer than this */
static const size_t ANNOUNCE_TURN = 500; /* things stated per turn after a connect */

static enum quality worst(const struct thing *thing)
{
	enum quality q = QUALITY_GOOD;
	for (size_t i = 0; i < thing->n_points; i++) {
		enum quality one = thing->points[i]->last.quality;
		if (one != QUALITY_GOOD && (q == QUALITY_GOOD || one > q))
			q = one;
	}
	return q;
}

static const char *const shows[] = {
	[QUALITY_UNKNOWN] = "xa",
	[QUALITY_GOOD] = NULL,
	[QUALITY_OLD] = "away",
	[QUALITY_BAD] = "dnd",
};

static void add_time(struct text *t, int64_t utc_ms)
{
	time_t at = (time_t)(utc_ms / 1000);
	struct tm local;
	char text[32];
	if (utc_ms && localtime_r(&at, &local) && strftime(text, sizeof(text), "%H:%M", &local))
		text_addf(t, " \xC2\xB7 %s", text);
}

/* A long text is cut where people see it; what a program reads is whole, and so is every number. */
static const char *shorten(const char *value, char ret[VALUE_MOST + sizeof(MORE)])
{
	size_t size = strlen(value);
	if (size <= VALUE_MOST)
		return value;
	text_quote(ret, VALUE_MOST + 1, value, size);
	memcpy(ret + strlen(ret), MORE, sizeof(MORE));
	return ret;
}

/* "21.5 °C · 12:03", "21.5 °C (old) · 11:40", "no value yet", "does not answer (last 21.5 °C) · 11:40" */
static void add_point(struct text *t, const struct point *p)
{
	char room[DECIMAL_ROOM], cut[VALUE_MOST + sizeof(MORE)];
	const char *value = shorten(value_print(&p->last.value, room), cut), *unit = p->unit ? p->unit : "";
	const char *gap = *unit ? " " : "";
	switch (p->last.quality) {
	case QUALITY_UNKNOWN:
		text_add(t, "no value yet");
		break;
	case QUALITY_GOOD:
		text_addf(t, "%s%s%s", value, gap, unit);
		break;
	case QUALITY_OLD:
		text_addf(t, "%s%s%s (old)", value, gap, unit);
		break;
	case QUALITY_BAD:
		text_add(t, trouble_word(p->last.trouble));
		if (*value)
			text_addf(t, " (last %s%s%s)", value, gap, unit);
		break;
	}
}

static int64_t newest(const struct thing *thing)
{
	int64_t at = 0;
	for (size_t i = 0; i < thing->n_points; i++)
		if (thing->points[i]->last.utc_ms > at)
			at = thing->points[i]->last.utc_ms;
	return at;
}

/* false: there is no room for it and what comes behind it. */
static bool add_named(struct text *status, const struct things *t, const struct thing *thing, size_t i)
{
	const char *name = names_find(&thing->points[i]->names, t->language);
	size_t before = status->size;
	if (i)
		text_add(status, ", ");
	if (thing->n_points > 1)
		text_addf(status, "%s ", name ? name : thing->points[i]->id);
	add_point(status, thing->points[i]);
	if (i == 0 || status->size <= STATUS_MOST)
		return true;
	status->size = before;
	text_add(status, ", " MORE);
	return false;
}

static void write_status(struct text *to, const struct things *t, const struct thing *thing)
{
	struct text status = { 0 };
	for (size_t i = 0; i < thing->n_points && add_named(&status, t, thing, i); i++)
		continue;
	add_time(&status, newest(thing));
	writer_raw(to, "<status>");
	writer_text(to, status.data);
	writer_raw(to, "</status>");
	text_free(&status);
}

/* What is seen: values and how good they are, or only that there is a thing. */
enum view { VIEW_ALL, VIEW_BARE };

static void write_view(struct text *w, const struct things *t, const struct thing *thing, enum view view)
{
	const char *show = view == VIEW_ALL ? shows[worst(thing)] : NULL;
	writer_raw(w, ">");
	if (show) {
		writer_raw(w, "<show>");
		text_add(w, show);
		writer_raw(w, "</show>");
	}
	if (view == VIEW_ALL)
		write_status(w, t, thing);
	writer_raw(w, "<nick xmlns='http://jabber.org/protocol/nick'>");
	writer_text(w, names_find(&thing->names, t->language));
	writer_raw(w, "</nick></presence>");
}

/* After goodbye nothing is available any more. false: the link takes no more now. */
static bool write_available(struct things *t, const struct thing *thing, const char *to, enum view view)
{
	struct text *w = t->closing ? NULL : link_begin(t->link, thing->local, false);
	if (!w)
		return t->closing;
	struct writer_address from = things_address(t, thing, true);
	writer_stanza(w, "presence", NULL, &from, to, NULL);
	write_view(w, t, thing, view);
	t->n_told++;
	link_end(t->link);
	return true;
}

static void write_typed(struct things *t, const struct thing *thing, const char *type, const char *to, bool full)
{
	struct text *w = link_begin(t->link, thing->local, true);
	if (!w)
		return;
	struct writer_address from = things_address(t, thing, full);
	writer_stanza(w, "presence", type, &from, to, NULL);
	writer_raw(w, "/>");
	link_end(t->link);
}

void presence_state(struct things *t, struct thing *thing, const char *to)
{
	bool service = t->gate->service && jid_same_bare(to, t->gate->service);
	write_available(t, thing, to, service ? VIEW_BARE : VIEW_ALL);
}

void presence_unavailable(struct things *t, struct thing *thing, const char *to)
{
	write_typed(t, thing, "unavailable", to, true);
}

void presence_say(struct things *t, const struct thing *thing, const char *type, const char *to)
{
	write_typed(t, thing, type, to, false);
}

/* To those who see the values; to the others, too, if it is not only of values. */
static bool state_friends(struct things *t, struct thing *thing, bool news)
{
	list_each (at, &thing->friends) {
		const struct friend *f = list_of(at, struct friend, link);
		enum view view = f->role == ROLE_SERVICE ? VIEW_BARE : VIEW_ALL;
		if (!(f->subscription & SUBSCRIPTION_FROM) || (news && view == VIEW_BARE))
			continue;
		if (!write_available(t, thing, f->jid, view))
			return false;
	}
	return true;
}

/* To everybody who sees the thing. With accounts the server knows who that is. false: the link takes no more now. */
static bool state_all(struct things *t, struct thing *thing, bool news)
{
	return t->link->accounts ? write_available(t, thing, NULL, VIEW_ALL) : state_friends(t, thing, news);
}

static int64_t interval_of(const struct thing *thing)
{
	int64_t most = 0;
	for (size_t i = 0; i < thing->n_points; i++)
		if (thing->points[i]->min_interval_ms > most)
			most = thing->points[i]->min_interval_ms;
	return most;
}

static void tell_due(void *ctx);

static void arm(struct things *t, int64_t in_ms)
{
	if (!t->telling.place || t->telling.due > loop_now(t->loop) + in_ms)
		timer_set(t->loop, &t->telling, in_ms > GATHER_MS ? in_ms : GATHER_MS, tell_due, t);
}

/* Ms until the thing may speak again; 0: now. A first word is never late by clock. */
static int64_t wait_of(const struct things *t, const struct thing *thing)
{
	int64_t due = thing->spoke_ms ? thing->spoke_ms + interval_of(thing) : 0;
	int64_t now = loop_now(t->loop);
	return due > now ? due - now : 0;
}

static bool tell(struct things *t, struct thing *thing)
{
	if (link_congested(t->link) || !state_all(t, thing, true))
		return false;
	thing->spoke_ms = loop_now(t->loop);
	list_drop(&thing->dirty_link);
	return true;
}

static void tell_due(void *ctx)
{
	struct things *t = ctx;
	int64_t next = INT64_MAX;
	list_each (at, &t->dirty) {
		struct thing *thing = list_of(at, struct thing, dirty_link);
		int64_t wait = wait_of(t, thing);
		if (wait == 0 && !tell(t, thing)) {
			next = GATHER_MS;
			if (!t->link->accounts)
				break; /* the one link takes no more; else it is only this account */
		}
		if (wait && wait < next)
			next = wait;
	}
	if (next != INT64_MAX)
		arm(t, next);
}

static void tell_or_wait(struct things *t, struct thing *thing)
{
	list_add(&t->dirty, &thing->dirty_link);
	int64_t wait = wait_of(t, thing);
	if (wait || !tell(t, thing))
		arm(t, wait);
}

static void tell_fresh(void *ctx)
{
	struct things *t = ctx;
	for (struct list *at; (at = list_pop(&t->fresh));)
		tell_or_wait(t, list_of(at, struct thing, dirty_link));
}

/* What of one message is still to come belongs to the same step: nobody hears half of it. */
void presence_news(struct things *t, struct thing *thing)
{
	bool may = t->link->accounts ? thing->stated : link_up(t->link, NULL);
	if (list_in(&thing->dirty_link) || t->closing || !may)
		return;
	if (thing->n_points == 1) {
		tell_or_wait(t, thing);
		return;
	}
	list_add(&t->fresh, &thing->dirty_link);
	if (!t->freshly.place)
		timer_set(t->loop, &t->freshly, 0, tell_fresh, t);
}

/* After a connect nobody is told that we are back: each thing says it, so many a turn (wire.md 3.3). */
static void announce(void *ctx)
{
	struct things *t = ctx;
	struct thing *thing;
	for (size_t n = 0; n < ANNOUNCE_TURN; n++) {
		size_t here = t->announced;
		if (link_congested(t->link) || !(thing = map_next(&t->house->things, &t->announced)))
			break;
		if (state_all(t, thing, false)) {
			thing->spoke_ms = 0; /* what is learned next is told at once */
			list_drop(&thing->dirty_link);
			continue;
		}
		t->announced = here;
		break;
	}
	if (t->announced < t->house->things.room)
		timer_set(t->loop, &t->announcing, link_congested(t->link) ? GATHER_MS : 1, announce, t);
}

void presence_begin(struct things *t)
{
	list_init(&t->dirty);
	list_init(&t->fresh);
}

void presence_up(struct things *t, const char *local)
{
	struct thing *thing = local ? house_find_thing(t->house, local, strlen(local)) : NULL;
	if (thing) {
		thing->stated = true;
		presence_news(t, thing);
		thing->spoke_ms = 0; /* what is learned next is told at once */
	}
	if (local)
		return;
	t->announced = 0;
	announce(t);
}

void presence_down(struct things *t)
{
	struct list *at;
	timer_stop(t->loop, &t->telling);
	timer_stop(t->loop, &t->announcing);
	timer_stop(t->loop, &t->freshly);
	while ((at = list_pop(&t->dirty)) || (at = list_pop(&t->fresh)))
		list_of(at, struct thing, dirty_link)->spoke_ms = 0;
}

void presence_down_one(struct things *t, const char *local)
{
	struct thing *thing = house_find_thing(t->house, local, strlen(local));
	if (!thing)
		return;
	list_drop(&thing->dirty_link);
	thing->stated = false;
	thing->spoke_ms = 0;
}

static void leave_one(struct things *t, struct thing *thing)
{
	if (t->link->accounts) {
		presence_unavailable(t, thing, NULL);
		return;
	}
	list_each (at, &thing->friends) {
		const struct friend *f = list_of(at, struct friend, link);
		if (f->subscription & SUBSCRIPTION_FROM)
			presence_unavailable(t, thing, f->jid);
	}
}

void presence_gone(struct things *t, struct thing *thing)
{
	if (link_up(t->link, t->link->accounts ? thing->local : NULL))
		leave_one(t, thing);
}

void presence_join(struct things *t, struct thing *thing)
{
	if (!state_all(t, thing, false))
		presence_news(t, thing);
	thing->spoke_ms = 0;
}

void presence_leave(struct things *t)
{
	struct thing *thing;
	timer_stop(t->loop, &t->telling);
	timer_stop(t->loop, &t->announcing);
	for (size_t at = 0; (thing = map_next(&t->house->things, &at));)
		leave_one(t, thing);
}

/* A stranger gets what a JID that does not exist gives him: silence. */
void presence_take_probe(void *self, struct incoming *in)
{
	if (gate_may(in->target, in->from_bare, RIGHT_SEE))
		presence_state(self, in->target, in->from);
}
