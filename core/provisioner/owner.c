#include "core/provisioner/owner.h"

#include "core/base/mem.h"
#include "core/provisioner/asker.h"
#include "core/provisioner/change.h"
#include "core/provisioner/keyring.h"
#include "core/provisioner/ledger.h"
#include "core/provisioner/notice.h"
#include "core/provisioner/record.h"

static const char no_such_thing[] = "You have no such thing.";

struct giving_up {
	struct change change;
	struct asker asker;
};

static struct giving_up *giving_up_of(struct change *c)
{
	return (struct giving_up *)(void *)c;
}

/* A thing that does not hear of it would keep its owner and could never be claimed again. */
static bool may_go(struct giving_up *g)
{
	const struct registration *thing = g->change.thing;
	if (!registry_owns(thing, g->asker.bare))
		asker_refuse(&g->asker, &reply_item_not_found, no_such_thing);
	else if (!thing->online)
		asker_refuse(&g->asker, &reply_recipient_unavailable,
			     "The thing is not there now. Please try again later.");
	else
		return true;
	return false;
}

static bool run(struct change *c)
{
	if (!may_go(giving_up_of(c)))
		return false;
	struct record record = record_of(c->thing);
	record.owner = NULL;
	record.key = NULL;
	record.group = NULL;
	record.since = c->at;
	store_begin(c->p->store);
	store_put(c->p->store, STORE_DECISION_DROP_ALL, (const char *[]){ c->thing->jid }, NULL, NULL);
	record_save(c, &record);
	store_end(c->p->store);
	return true;
}

static void refuse_everybody(struct provisioner *p, const struct registration *thing)
{
	struct notice_states states = { .p = p, .thing = thing, .urgent = true };
	list_each (at, &thing->decided) {
		const struct decision *d = list_of(at, struct decision, in_thing);
		if (d->verdict == VERDICT_YES || d->verdict == VERDICT_PENDING)
			notice_states_add(&states, d->requestor, false);
	}
	notice_states_end(&states);
}

static void done(struct change *c, const struct err *why)
{
	struct giving_up *g = giving_up_of(c);
	struct provisioner *p = c->p;
	if (why) {
		asker_refuse(&g->asker, &reply_internal, "This could not be saved. Please try again later.");
		return;
	}
	refuse_everybody(p, c->thing);
	notice_disowned(p, c->thing, true);
	asker_say(&g->asker, "");
	log_info(p->log, "provisioner: %s: given up by %s", c->thing->jid, g->asker.bare);
	ledger_clear(&p->registry, c->thing);
	registry_set_owner(&p->registry, c->thing, NULL, c->at);
	keyring_set_key(&p->registry, c->thing, NULL);
	keyring_set_group(&p->registry, c->thing, NULL);
}

static void free_giving_up(struct change *c)
{
	asker_free(&giving_up_of(c)->asker);
	mem_free(c);
}

static const struct change_kind giving_up_kind = { run, done, free_giving_up };

/* The asker's thing that an attribute names; NULL: it was answered. */
static struct registration *own_thing(struct provisioner *p, struct incoming *in, const char *attribute)
{
	const char *given = element_get(in->payload, attribute);
	char jid[2 * LIMIT_JID_PART + 2];
	if (!given || jid_bare(given, jid) < 0) {
		reply_refuse(&in->answer, given ? &reply_jid_malformed : &reply_bad_request, NULL);
		return NULL;
	}
	struct registration *thing = registry_find(&p->registry, jid);
	if (registry_owns(thing, in->from_bare))
		return thing;
	reply_refuse(&in->answer, &reply_item_not_found, no_such_thing);
	return NULL;
}

void owner_take_give_up(void *self, struct incoming *in)
{
	struct provisioner *p = self;
	struct registration *thing = own_thing(p, in, "jid");
	if (!thing)
		return;
	if (!change_fits(p, thing)) {
		reply_refuse(&in->answer, &reply_resource_constraint, NULL);
		return;
	}
	struct giving_up *g = mem_new(sizeof(*g));
	g->change = (struct change){ .kind = &giving_up_kind, .p = p, .thing = thing };
	g->asker = asker_take(p, in);
	change_add(&g->change);
}

static void write_since(struct text *t, int64_t since)
{
	char utc[25];
	text_utc(since, utc);
	writer_attribute(t, "since", utc);
	writer_raw(t, "/>");
}

static bool is_room(const struct text *t, size_t from)
{
	return t->size - from < LIMIT_STANZA_OUT - 8 * LIMIT_JID;
}

/* Where the list goes on: behind `after`, if it is in it, else at the beginning. */
static struct list *things_from(struct provisioner *p, const struct owner *owner, const char *after)
{
	const struct registration *thing = after ? registry_find(&p->registry, after) : NULL;
	return thing && thing->owner == owner ? thing->in_owner.next : owner->things.next;
}

static void write_things(struct provisioner *p, const struct owner *owner, struct incoming *in, struct text *items,
			 bool *more)
{
	struct list *at = things_from(p, owner, element_get(in->payload, "after"));
	for (; at != &owner->things && is_room(items, 0); at = at->next) {
		const struct registration *thing = list_of(at, struct registration, in_owner);
		writer_raw(items, "<x:thing");
		writer_attribute(items, "jid", thing->jid);
		writer_attribute(items, "name", registry_name(thing, element_language(in->payload)));
		write_since(items, thing->since);
	}
	*more = at != &owner->things;
}

static void reply_list(struct incoming *in, const char *tag, const char *thing, const struct text *items, bool more)
{
	struct text *t = reply_begin(&in->answer);
	if (!t)
		return;
	text_addf(t, "<x:%s xmlns:x='" SIOT_X "'", tag);
	writer_attribute(t, "thing", thing);
	writer_attribute(t, "more", more ? "true" : NULL);
	writer_raw(t, ">");
	text_add_n(t, items->data ? items->data : "", items->size);
	text_addf(t, "</x:%s>", tag);
	reply_end(&in->answer);
}

void owner_take_things(void *self, struct incoming *in)
{
	struct provisioner *p = self;
	const struct owner *owner = registry_owner(&p->registry, in->from_bare);
	struct text items = { 0 };
	bool more = false;
	if (owner)
		write_things(p, owner, in, &items, &more);
	reply_list(in, "things", NULL, &items, more);
	text_free(&items);
}

static void write_friends(const struct registration *thing, const char *after, struct text *items, bool *more)
{
	const struct decision *last = after ? ledger_find(thing, after) : NULL;
	struct list *at = last ? last->in_thing.next : thing->decided.next;
	for (; at != &thing->decided && is_room(items, 0); at = at->next) {
		const struct decision *d = list_of(at, struct decision, in_thing);
		if (ledger_verdict(d) != VERDICT_YES)
			continue;
		writer_raw(items, "<x:friend");
		writer_attribute(items, "jid", d->requestor);
		write_since(items, d->since);
	}
	*more = at != &thing->decided;
}

void owner_take_friends(void *self, struct incoming *in)
{
	const struct registration *thing = own_thing(self, in, "thing");
	struct text items = { 0 };
	bool more;
	if (!thing)
		return;
	write_friends(thing, element_get(in->payload, "after"), &items, &more);
	reply_list(in, "friends", thing->jid, &items, more);
	text_free(&items);
}
