#include "core/provisioner/decisions.h"

#include "core/base/mem.h"
#include "core/provisioner/change.h"
#include "core/provisioner/ledger.h"
#include "core/provisioner/notice.h"
#include "core/provisioner/record.h"

#include <string.h>

enum fate { FATE_SAME, FATE_SAVE, FATE_FORGET, FATE_LEFT_OUT };

struct item {
	struct list link; /* in deciding.items */
	char *requestor;
	enum verdict verdict;
	enum fate fate;
	bool refusing; /* counted in the decision's refusals */
};

struct deciding { /* all that one update says about one thing */
	struct change change;
	struct update *update;
	struct list items;
	struct map by_requestor; /* struct item */
	struct list link;        /* in update.things until decisions_end */
};

struct update {
	struct asker asker;
	struct list things; /* struct deciding, gathered */
	struct map by_thing;
	size_t n;                          /* items */
	size_t n_open;                     /* decidings that are not over, and decisions_end itself */
	const struct reply_error *trouble; /* the first one */
	const char *why;
	struct text said; /* for chat */
};

static struct deciding *deciding_of(struct change *c)
{
	return (struct deciding *)(void *)c;
}

static void fail(struct update *u, const struct reply_error *trouble, const char *why)
{
	if (u->trouble)
		return;
	u->trouble = trouble;
	u->why = why;
}

static void end_one(struct update *u)
{
	if (--u->n_open > 0)
		return;
	if (u->trouble)
		asker_refuse(&u->asker, u->trouble, u->why);
	else
		asker_say(&u->asker, u->said.data ? u->said.data : "Nothing to decide.");
	text_free(&u->said);
	map_free(&u->by_thing);
	asker_free(&u->asker);
	mem_free(u);
}

static void free_deciding(struct change *c)
{
	struct deciding *d = deciding_of(c);
	for (struct list *at; (at = list_pop(&d->items));) {
		struct item *item = list_of(at, struct item, link);
		struct decision *have = ledger_find(c->thing, item->requestor);
		if (item->refusing)
			have->refusals--;
		if (have)
			ledger_tidy(have);
		mem_free(item->requestor);
		mem_free(item);
	}
	map_free(&d->by_requestor);
	end_one(d->update);
	mem_free(d);
}

/* A no is never refused: where too many are kept the person becomes nobody, who may ask again. */
static enum fate fate_of(const struct registration *thing, const struct item *item, size_t n[VERDICTS])
{
	const struct decision *have = ledger_find(thing, item->requestor);
	if ((have ? have->verdict : VERDICT_NONE) == item->verdict)
		return FATE_SAME;
	if (item->verdict == VERDICT_YES)
		return n[VERDICT_YES]++ < LIMIT_FRIENDS ? FATE_SAVE : FATE_LEFT_OUT;
	return n[VERDICT_NO]++ < LIMIT_DENIED ? FATE_SAVE : FATE_FORGET;
}

static size_t sort_out(struct deciding *d)
{
	const struct registration *thing = d->change.thing;
	size_t n[VERDICTS], writes = 0;
	memcpy(n, thing->n, sizeof(n));
	list_each (at, &d->items) {
		struct item *item = list_of(at, struct item, link);
		item->fate = fate_of(thing, item, n);
		writes += item->fate == FATE_SAVE || item->fate == FATE_FORGET;
		if (item->fate == FATE_LEFT_OUT)
			fail(d->update, &reply_resource_constraint, "This thing has too many friends.");
	}
	return writes;
}

static void save(struct deciding *d, size_t writes)
{
	struct store *store = d->change.p->store;
	struct record_time now = record_time_print(d->change.at);
	store_begin(store);
	list_each (at, &d->items) {
		const struct item *item = list_of(at, struct item, link);
		if (item->fate != FATE_SAVE && item->fate != FATE_FORGET)
			continue;
		enum store_write what = item->fate == FATE_SAVE ? STORE_DECISION_PUT : STORE_DECISION_DROP;
		const char *values[] = { d->change.thing->jid, item->requestor, ledger_word(item->verdict), now.text };
		if (--writes == 0)
			change_save(&d->change, what, values);
		else
			store_put(store, what, values, NULL, NULL);
	}
	store_end(store);
}

static void describe(struct update *u, const struct registration *thing, const struct item *item)
{
	if (!u->asker.chat)
		return;
	text_addf(&u->said, "%s%s %s ", u->said.size ? "\n" : "", item->requestor,
		  item->verdict == VERDICT_YES ? "may see" : "may not see");
	notice_label(&u->said, thing, u->asker.language);
	text_add(&u->said, item->verdict == VERDICT_YES ? " now." : ".");
}

static void apply(struct deciding *d, struct item *item)
{
	struct registry *registry = &d->change.p->registry;
	struct decision *have = ledger_add(d->change.thing, item->requestor);
	if (item->fate == FATE_SAVE)
		ledger_set(registry, have, item->verdict, d->change.at);
	else if (item->fate == FATE_FORGET)
		ledger_set(registry, have, VERDICT_NONE, 0);
	have->unsaved = false;
}

/* It is on disk. A yes that a later no overtook is not spoken any more. What the thing knew already is said again: it may have
 * missed it. */
static void conclude(struct deciding *d)
{
	struct notice_states states = { .p = d->change.p, .thing = d->change.thing, .urgent = true };
	list_each (at, &d->items) {
		struct item *item = list_of(at, struct item, link);
		if (item->fate == FATE_LEFT_OUT)
			continue;
		apply(d, item);
		bool friend = item->verdict == VERDICT_YES;
		if (!friend || ledger_verdict(ledger_find(d->change.thing, item->requestor)) == VERDICT_YES)
			notice_states_add(&states, item->requestor, friend);
		describe(d->update, d->change.thing, item);
	}
	notice_states_end(&states);
}

static bool run(struct change *c)
{
	struct deciding *d = deciding_of(c);
	if (!registry_owns(c->thing, d->update->asker.bare)) {
		fail(d->update, &reply_item_not_found, "You have no such thing.");
		return false;
	}
	size_t writes = sort_out(d);
	if (writes == 0)
		conclude(d);
	else
		save(d, writes);
	return writes > 0;
}

/* The disk failed: who was told no stays out as long as this runs. */
static void done(struct change *c, const struct err *why)
{
	struct deciding *d = deciding_of(c);
	if (!why) {
		conclude(d);
		return;
	}
	fail(d->update, &reply_internal, "This could not be saved. Please try again later.");
	list_each (at, &d->items) {
		struct item *item = list_of(at, struct item, link);
		if (item->refusing)
			ledger_find(c->thing, item->requestor)->unsaved = true;
	}
}

static const struct change_kind deciding_kind = { run, done, free_deciding };

struct update *decisions_begin(struct asker asker)
{
	struct update *u = mem_new(sizeof(*u));
	u->asker = asker;
	u->n_open = 1;
	list_init(&u->things);
	return u;
}

static struct deciding *deciding_about(struct update *u, struct registration *thing)
{
	struct deciding *d = map_find(&u->by_thing, thing->jid);
	if (d)
		return d;
	if (!change_fits(u->asker.p, thing)) {
		fail(u, &reply_resource_constraint, "Too much at once. Please try again later.");
		return NULL;
	}
	d = mem_new(sizeof(*d));
	d->change = (struct change){ .kind = &deciding_kind, .p = u->asker.p, .thing = thing };
	d->update = u;
	list_init(&d->items);
	list_add(&u->things, &d->link);
	map_put(&u->by_thing, thing->jid, d);
	u->n_open++;
	return d;
}

/* Of a yes and a no about the same person in one update, the no counts. */
static void gather(struct update *u, struct registration *thing, const char *requestor, enum verdict verdict)
{
	struct deciding *d = deciding_about(u, thing);
	struct item *item = d ? map_find(&d->by_requestor, requestor) : NULL;
	if (item && verdict == VERDICT_NO)
		item->verdict = VERDICT_NO;
	if (!d || item)
		return;
	if (++u->n > LIMIT_UPDATE) {
		fail(u, &reply_resource_constraint, "Too many decisions at once.");
		return;
	}
	item = mem_new(sizeof(*item));
	item->requestor = mem_text(requestor);
	item->verdict = verdict;
	list_add(&d->items, &item->link);
	map_put(&d->by_requestor, item->requestor, item);
}

static void gather_named(struct update *u, const char *requestor, const char *thing, enum verdict verdict)
{
	char jid[2 * LIMIT_JID_PART + 2];
	if (jid_bare(thing, jid) < 0) {
		fail(u, &reply_jid_malformed, "The address of the thing is none.");
		return;
	}
	struct registration *found = registry_find(&u->asker.p->registry, jid);
	if (registry_owns(found, u->asker.bare))
		gather(u, found, requestor, verdict);
	else
		fail(u, &reply_item_not_found, "You have no such thing.");
}

static bool is_about(const struct decision *d, enum verdict verdict)
{
	enum verdict now = ledger_verdict(d);
	return now == VERDICT_PENDING || (verdict == VERDICT_NO && now != VERDICT_NONE);
}

static void gather_fitting(struct update *u, const char *requestor, enum verdict verdict)
{
	const struct owner *owner = registry_owner(&u->asker.p->registry, u->asker.bare);
	if (!owner) {
		fail(u, &reply_forbidden, "You own no thing here.");
		return;
	}
	if (owner->n_things == 1) {
		gather(u, list_of(owner->things.next, struct registration, in_owner), requestor, verdict);
		return;
	}
	struct person *person = ledger_person(owner, requestor);
	size_t n = 0;
	if (person) {
		list_each (at, &person->decisions) {
			struct decision *d = list_of(at, struct decision, in_person);
			if (!is_about(d, verdict))
				continue;
			gather(u, d->thing, requestor, verdict);
			n++;
		}
	}
	if (n == 0)
		fail(u, &reply_bad_request, "Nobody with this address waits. Please name the thing as well.");
}

void decisions_add(struct update *u, const char *requestor, const char *thing, bool friend)
{
	enum verdict verdict = friend ? VERDICT_YES : VERDICT_NO;
	char jid[2 * LIMIT_JID_PART + 2];
	if (jid_bare(requestor, jid) < 0)
		fail(u, &reply_jid_malformed, "That is not an address.");
	else if (text_same(jid, u->asker.bare) && !friend)
		fail(u, &reply_not_allowed, "The owner is always a friend.");
	else if (thing)
		gather_named(u, jid, thing, verdict);
	else
		gather_fitting(u, jid, verdict);
}

/* All that is refused counts before the first change runs. */
static void refuse_at_once(struct update *u)
{
	list_each (at, &u->things) {
		struct deciding *d = list_of(at, struct deciding, link);
		list_each (item_at, &d->items) {
			struct item *item = list_of(item_at, struct item, link);
			item->refusing = item->verdict == VERDICT_NO;
			if (item->refusing)
				ledger_add(d->change.thing, item->requestor)->refusals++;
		}
	}
}

void decisions_end(struct update *u)
{
	bool refused = u->trouble != NULL;
	if (!refused)
		refuse_at_once(u);
	for (struct list *at; (at = list_pop(&u->things));) {
		struct deciding *d = list_of(at, struct deciding, link);
		if (refused)
			free_deciding(&d->change);
		else
			change_add(&d->change);
	}
	end_one(u);
}

void decisions_take(void *self, struct incoming *in)
{
	struct update *u = decisions_begin(asker_take(self, in));
	bool any = false;
	for (const struct element *e = in->payload->first; e; e = e->next) {
		bool friend = element_is(e, "friend", SIOT);
		if (!friend && !element_is(e, "non-friend", SIOT))
			continue;
		const char *jid = element_get(e, "jid");
		any = true;
		if (jid)
			decisions_add(u, jid, element_get_ns(e, SIOT_X, "thing"), friend);
		else
			fail(u, &reply_bad_request, "There is no jid.");
	}
	if (!any)
		fail(u, &reply_bad_request, "There is nothing to decide.");
	decisions_end(u);
}
