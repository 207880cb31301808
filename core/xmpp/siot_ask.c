#include "core/xmpp/siot.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/text.h"
#include "core/xmpp/presence.h"
#include "core/xmpp/roster.h"
#include "core/xmpp/siot_find.h"

#include <string.h>

/*
 * What we ask of the service: register, is-friend-query, unregister. One job each, paced together; what fails is tried again
 * with growing delay while the link is up, and once more after each connect. Nobody decides = no: until the service has
 * said yes, the requestor hears nothing (S18, S38).
 */

static const int64_t AGAIN_FIRST_MS = 5000, AGAIN_MOST_MS = 3600000;

enum question { ASK_REGISTER, ASK_FRIEND, ASK_UNREGISTER };

struct query {
	struct pace_job job;
	struct list link; /* in things.queries, from birth to end */
	struct things *things;
	enum question question;
	char *local;      /* the thing may be gone when the answer comes */
	char *jid;        /* ASK_FRIEND: the requestor */
	char *key;        /* ASK_REGISTER: with which it was asked */
	int64_t again_ms; /* delay of the next attempt */
	struct timer timer;
	bool in_pace;
	bool stale;   /* another has taken its place: its answer is of no interest */
	char about[]; /* key in things.asked */
};

static bool is_flying(const struct query *q)
{
	return !q->in_pace && !q->timer.place;
}

static void query_free(struct query *q)
{
	timer_stop(q->things->loop, &q->timer);
	list_drop(&q->link);
	if (!q->stale)
		map_drop(&q->things->asked, q->about);
	if (q->in_pace)
		list_drop(&q->job.link);
	mem_free(q->local);
	mem_free(q->jid);
	mem_free(q->key);
	mem_free(q);
}

static struct thing *thing_of(const struct query *q)
{
	return house_find_thing(q->things->house, q->local, strlen(q->local));
}

static void send(struct pace_job *job);

/* For a friend somebody waits. */
static void queue(struct query *q)
{
	q->in_pace = true;
	q->job.fn = send;
	pace_add(&q->things->pace, &q->job, q->question == ASK_FRIEND);
}

static void ask_again(void *ctx)
{
	queue(ctx);
}

static bool is_up(const struct query *q)
{
	return link_up(q->things->link, q->things->link->accounts ? q->local : NULL);
}

static void retry(struct query *q)
{
	q->again_ms = q->again_ms ? q->again_ms * 2 : AGAIN_FIRST_MS;
	if (q->again_ms > AGAIN_MOST_MS)
		q->again_ms = AGAIN_MOST_MS;
	if (is_up(q))
		timer_set(q->things->loop, &q->timer, q->again_ms, ask_again, q);
	else
		query_free(q); /* siot_up asks again */
}

static bool is_result(const struct element *stanza)
{
	return stanza && text_same(element_get(stanza, "type"), "result");
}

static const char *condition_of(const struct element *stanza)
{
	const struct element *error = stanza ? element_child(stanza, "error", NULL) : NULL;
	return !stanza ? "no answer" : error && error->first ? error->first->name : "";
}

void siot_again(struct things *t)
{
	list_each (at, &t->queries) {
		struct query *q = list_of(at, struct query, link);
		if (!q->timer.place)
			continue;
		timer_stop(t->loop, &q->timer);
		queue(q);
	}
}

/* It says that this is too much for now: it works. */
static bool is_limit(const struct element *stanza)
{
	const char *condition = condition_of(stanza);
	return text_same(condition, "resource-constraint") || text_same(condition, "policy-violation");
}

/* The service works, or it does not: said once for all things, and again when it changes. */
static void note_service(const struct query *q, const struct element *stanza)
{
	struct things *t = q->things;
	bool fails = !is_result(stanza);
	if ((!stanza && !is_up(q)) || is_limit(stanza))
		return; /* the service could not be heard, or it was */
	if (fails && !t->service_fails)
		log_warn(t->log, "provisioning service %s: does not serve us: %s; asked again", t->gate->service,
			 condition_of(stanza));
	else if (!fails && t->service_fails)
		log_info(t->log, "provisioning service %s: answers again", t->gate->service);
	if (!fails && t->service_fails)
		siot_again(t);
	t->service_fails = fails;
}

static void ask_for_friends(struct things *t, struct thing *thing);

static void register_answered(struct query *q, const struct element *stanza)
{
	struct things *t = q->things;
	struct thing *thing = thing_of(q);
	if (text_same(condition_of(stanza),
		      "conflict")) { /* the key or the JID is somebody's: asking again changes nothing */
		log_error(t->log, "thing '%s': its key or JID is already registered by somebody else", q->local);
		query_free(q);
		return;
	}
	note_service(q, stanza);
	if (is_result(stanza) && thing && text_same(q->key, thing->key)) {
		gate_acknowledge(t->gate, thing);
		log_debug(t->log, "thing '%s': registered", thing->local);
		ask_for_friends(t, thing);
	}
	if (is_result(stanza) || !thing)
		query_free(q);
	else
		retry(q);
}

/* In siot, in the stream's namespace or in none: the ProtoXEP's own examples have no namespace (S16). */
static const char *friend_word(const struct element *stanza)
{
	const struct element *result = is_result(stanza) ? element_child(stanza, "is-friend-result", NULL) : NULL;
	return result ? element_get(result, "friend") : NULL;
}

static void friend_answered(struct query *q, const struct element *stanza)
{
	struct things *t = q->things;
	struct thing *thing = thing_of(q);
	const struct pending *p = thing ? thing_find_pending(thing, q->jid) : NULL;
	const char *word = friend_word(stanza);
	note_service(q, stanza);
	if (!p || p->state != PENDING_ASKING ||
	    !siot_is_known(thing)) { /* what was said meanwhile outranks the answer (S20) */
		query_free(q);
		return;
	}
	if (text_same(word, "yes")) {
		roster_approve(t, thing, q->jid);
	} else if (text_same(word, "no")) {
		gate_deny(t->gate, thing, q->jid);
		roster_refuse(t, thing, q->jid);
	} else {
		gate_remember(t->gate, thing, q->jid, PENDING_WAITING, true);
		if (!text_same(word, "pending")) {
			retry(q);
			return;
		}
	}
	query_free(q);
}

/* A service that does not know what it is asked has nothing to forget; one that is away must still be told. */
static void unregister_answered(struct query *q, const struct element *stanza)
{
	const struct element *error = stanza ? element_child(stanza, "error", NULL) : NULL;
	if (!stanza || (error && text_same(element_get(error, "type"), "wait"))) {
		retry(q);
		return;
	}
	if (thing_of(q))
		siot_register(q->things, thing_of(q));
	else if (gate_forget(q->things->gate, q->local))
		log_info(q->things->log, "thing '%s': unregistered and forgotten", q->local);
	query_free(q);
}

static void write_register(struct query *q, struct text *w)
{
	const struct thing *thing = thing_of(q);
	const struct names *names = &thing->names;
	mem_free(q->key);
	q->key = mem_text(thing->key);
	writer_raw(w, "<register xmlns='urn:xmpp:siot:1'");
	writer_attribute(w, "name", names_find(names, q->things->language)); /* attribute and elements: S1 */
	writer_attribute(w, "key", thing->key);
	if (thing->device->group_key) {
		writer_raw(w, " xmlns:x='urn:jidgate:siot:0'");
		writer_attribute(w, "x:group", thing->device->id);
		writer_attribute(w, "x:group-key", thing->device->group_key);
	}
	writer_raw(w, "><name>");
	writer_text(w, names_find(names, q->things->language));
	writer_raw(w, "</name>");
	for (size_t i = 0; i < names->n; i++) {
		if (!*names->list[i].language)
			continue;
		writer_raw(w, "<name");
		writer_attribute(w, "xml:lang", names->list[i].language);
		writer_raw(w, ">");
		writer_text(w, names->list[i].text);
		writer_raw(w, "</name>");
	}
	writer_raw(w, "</register>");
}

static void write_friend(struct query *q, struct text *w)
{
	writer_raw(w, "<is-friend-query xmlns='urn:xmpp:siot:1'");
	writer_attribute(w, "jid", q->jid);
	writer_raw(w, "/>");
}

static void write_unregister(struct query *q, struct text *w)
{
	(void)q;
	writer_raw(w, "<unregister xmlns='urn:jidgate:siot:0'/>");
}

static bool register_due(const struct query *q)
{
	const struct thing *thing = thing_of(q);
	return thing && thing->key && !thing->owner;
}

static bool friend_due(const struct query *q)
{
	const struct thing *thing = thing_of(q);
	const struct pending *p = thing ? thing_find_pending(thing, q->jid) : NULL;
	return p && (p->state == PENDING_ASKING || p->state == PENDING_WAITING);
}

/* It may have come back meanwhile. */
static bool unregister_due(const struct query *q)
{
	return !thing_of(q);
}

static const struct {
	const char *type;
	bool (*due)(const struct query *q);
	void (*write)(struct query *q, struct text *w);
	void (*answered)(struct query *q, const struct element *stanza);
} questions[] = {
	[ASK_REGISTER] = { "set", register_due, write_register, register_answered },
	[ASK_FRIEND] = { "get", friend_due, write_friend, friend_answered },
	[ASK_UNREGISTER] = { "set", unregister_due, write_unregister, unregister_answered },
};

static void answered(void *ctx, const struct element *stanza)
{
	struct query *q = ctx;
	if (q->stale)
		query_free(q);
	else
		questions[q->question].answered(q, stanza);
}

static void send(struct pace_job *job)
{
	struct query *q = list_of(job, struct query, job);
	struct things *t = q->things;
	q->in_pace = false;
	struct writer_address from = { q->local, t->link->domain, THINGS_RESOURCE };
	if (!questions[q->question].due(q)) {
		query_free(q);
		return;
	}
	if (q->question == ASK_FRIEND) /* from here on a state that comes in outranks the answer */
		gate_remember(t->gate, thing_of(q), q->jid, PENDING_ASKING, true);
	struct text *w =
		ask_begin(&t->asks, &from, t->gate->service, questions[q->question].type, t->language, answered, q);
	if (!w) {
		retry(q);
		return;
	}
	questions[q->question].write(q, w);
	ask_end(&t->asks);
}

enum { ABOUT_ROOM = 2 + 2 * JID_BARE_ROOM };

static void about_of(enum question question, const char *local, const char *jid, char ret[ABOUT_ROOM])
{
	snprintf(ret, ABOUT_ROOM, "%d%s\n%s", (int)question, local, jid ? jid : "");
}

static struct query *find(const struct things *t, enum question question, const char *local, const char *jid)
{
	char about[ABOUT_ROOM];
	about_of(question, local, jid, about);
	return map_find(&t->asked, about);
}

static void add(struct things *t, enum question question, const char *local, const char *jid)
{
	char about[ABOUT_ROOM];
	about_of(question, local, jid, about);
	struct query *q = mem_new(sizeof(*q) + strlen(about) + 1);
	*q = (struct query){ .things = t, .question = question, .local = mem_text(local), .jid = mem_text(jid) };
	memcpy(q->about, about, strlen(about) + 1);
	list_add(&t->queries, &q->link);
	map_put(&t->asked, q->about, q);
	queue(q);
}

/* Once at a time: an attempt that waits for better times is made now. */
static void ask(struct things *t, enum question question, const char *local, const char *jid)
{
	struct query *q = find(t, question, local, jid);
	if (!t->gate->service || t->closing)
		return;
	if (!q) {
		add(t, question, local, jid);
	} else if (q->timer.place) {
		timer_stop(t->loop, &q->timer);
		queue(q);
	}
}

/* What is on its way may have said another key. */
void siot_register(struct things *t, struct thing *thing)
{
	struct query *q = find(t, ASK_REGISTER, thing->local, NULL);
	if (q && is_flying(q)) {
		map_drop(&t->asked, q->about);
		q->stale = true;
	}
	ask(t, ASK_REGISTER, thing->local, NULL);
}

void siot_ask_friend(struct things *t, struct thing *thing, const char *jid)
{
	const struct pending *p = thing_find_pending(thing, jid);
	if (p && p->subscribed_first && p->state == PENDING_WAITING)
		return; /* the same request again, as servers repeat it at every login: one question is enough (S19) */
	if (gate_remember(t->gate, thing, jid, PENDING_ASKING, true) < 0)
		log_outside(t->log, LOG_LEVEL_WARN, "thing '%s': %d requests wait already: one more is ignored",
			    thing->local, LIMIT_PENDING);
	else if (siot_is_known(thing)) /* else it is asked when it is registered */
		ask(t, ASK_FRIEND, thing->local, jid);
}

void siot_ask_no_more(struct things *t, struct thing *thing, const char *jid)
{
	struct query *q = find(t, ASK_FRIEND, thing->local, jid);
	if (q && !is_flying(q))
		query_free(q);
}

static void ask_for_friends(struct things *t, struct thing *thing)
{
	list_each (at, &thing->pendings) {
		const struct pending *p = list_of(at, struct pending, link);
		if (p->subscribed_first && p->state != PENDING_DENIED)
			ask(t, ASK_FRIEND, thing->local, p->jid);
	}
}

static void want_instead(const struct things *t, const char *local, const char *what)
{
	store_put(t->gate->store, STORE_THING_WANT, (const char *const[]){ local, what }, NULL, NULL);
}

/* One that came back before it was forgotten is nobody's either; its key is as good as before if nobody had it. */
void siot_settle(struct things *t, struct thing *thing)
{
	bool forget = thing->wants_forget, reset = thing->wants_reset || (forget && gate_is_somebodys(thing));
	thing->wants_forget = thing->wants_reset = false;
	if (forget)
		want_instead(t, thing->local, reset ? "reset" : NULL); /* until it holds */
	if (reset)
		siot_reset(t, thing);
}

static void ask_what_is_open(struct things *t, struct thing *thing)
{
	if (thing->key && !thing->owner)
		siot_register(t, thing);
	if (siot_is_known(thing))
		ask_for_friends(t, thing);
}

void siot_join(struct things *t, struct thing *thing)
{
	ask_what_is_open(t, thing);
}

/* A thing that the command line wants forgotten: its friends are told, then the service. */
static void leave_orphan(struct things *t, struct thing *orphan)
{
	list_each (at, &orphan->friends) {
		const struct friend *f = list_of(at, struct friend, link);
		presence_unavailable(t, orphan, f->jid);
		presence_say(t, orphan, "unsubscribed", f->jid);
	}
	ask(t, ASK_UNREGISTER, orphan->local, NULL);
}

void siot_up_all(struct things *t)
{
	struct thing *thing;
	for (size_t at = 0; (thing = map_next(&t->house->things, &at));)
		if (link_up(t->link, t->link->accounts ? thing->local : NULL))
			ask_what_is_open(t, thing);
	for (size_t at = 0; (thing = map_next(&t->gate->orphans, &at));)
		if (thing->wants_forget)
			leave_orphan(t, thing);
}

struct forgetting {
	struct things *things;
	char local[];
};

static void want_stored(void *ctx, int status, const struct err *why)
{
	struct forgetting *f = ctx;
	struct thing *orphan = map_find(&f->things->gate->orphans, f->local);
	if (status < 0)
		log_error(f->things->log, "thing '%s': that it shall be forgotten could not be stored: %s", f->local,
			  why->text);
	else if (orphan) {
		orphan->wants_forget = true;
		leave_orphan(f->things, orphan);
	} else if (house_find_thing(f->things->house, f->local, strlen(f->local))) {
		want_instead(f->things, f->local, NULL); /* it has come back already */
	}
	mem_free(f);
}

void siot_forget(struct things *t, const struct thing *orphan)
{
	size_t size = strlen(orphan->local) + 1;
	struct forgetting *f = mem_new(sizeof(*f) + size);
	f->things = t;
	memcpy(f->local, orphan->local, size);
	store_put(t->gate->store, STORE_THING_WANT, (const char *const[]){ orphan->local, "forget" }, want_stored, f);
}

void siot_up(struct things *t, const char *local)
{
	struct thing *thing = local ? house_find_thing(t->house, local, strlen(local)) : NULL;
	pace_pause(&t->pace, false);
	siot_find_begin(t, local);
	if (thing)
		ask_what_is_open(t, thing);
	else if (!local)
		siot_up_all(t);
}

/* The link is down: what waits for its turn or for its next attempt is asked anew by siot_up. */
void siot_down_one(struct things *t, const char *local)
{
	list_each (at, &t->queries) {
		struct query *q = list_of(at, struct query, link);
		if (text_same(q->local, local))
			query_free(q);
	}
}

void siot_down(struct things *t)
{
	list_each (at, &t->queries)
		query_free(list_of(at, struct query, link));
	map_free(&t->asked);
}
