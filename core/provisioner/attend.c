#include "core/provisioner/attend.h"

#include "core/provisioner/ledger.h"
#include "core/provisioner/notice.h"
#include "core/provisioner/nudge.h"

enum { PAUSE_MS = 50, PORTION = 500 };

static bool state_decisions(struct provisioner *p, const struct registration *thing)
{
	struct notice_states states = { .p = p, .thing = thing };
	bool taken = true;
	list_each (at, &thing->decided) {
		const struct decision *d = list_of(at, struct decision, in_thing);
		enum verdict verdict = ledger_verdict(d);
		if (taken && (verdict == VERDICT_YES || verdict == VERDICT_NO))
			taken = notice_states_add(&states, d->requestor, verdict == VERDICT_YES);
	}
	notice_states_end(&states);
	return taken;
}

/* A thing without owner and key was given up and has not registered since: perhaps it did not hear of it. */
static bool state_owner(struct provisioner *p, const struct registration *thing)
{
	if (thing->owner)
		return notice_owner(p, thing, false);
	return thing->keyed || notice_disowned(p, thing, false);
}

static bool tell_thing(struct provisioner *p, struct registration *thing)
{
	if ((thing->due & ATTEND_SUBSCRIBE) && !notice_presence(p, thing->jid, "subscribe", false))
		return false;
	thing->due &= ~(unsigned)ATTEND_SUBSCRIBE;
	if ((thing->due & ATTEND_STATE) && !(state_owner(p, thing) && state_decisions(p, thing)))
		return false;
	thing->due = 0;
	list_drop(&thing->in_due);
	return true;
}

static bool tell_owner(struct provisioner *p, struct owner *owner)
{
	if (!notice_presence(p, owner->jid, NULL, false))
		return false;
	list_drop(&owner->in_due);
	nudge_owner(p, owner);
	return true;
}

static void portion(void *ctx)
{
	struct provisioner *p = ctx;
	bool taken = true;
	for (size_t n = 0; taken && n < PORTION && !list_empty(&p->due_owners); n++)
		taken = !link_congested(p->link) && tell_owner(p, list_of(p->due_owners.next, struct owner, in_due));
	for (size_t n = 0; taken && n < PORTION && !list_empty(&p->due_things); n++)
		taken = !link_congested(p->link) &&
			tell_thing(p, list_of(p->due_things.next, struct registration, in_due));
	if (!list_empty(&p->due_owners) || !list_empty(&p->due_things))
		timer_set(p->loop, &p->due, PAUSE_MS, portion, p);
}

void attend_thing(struct provisioner *p, struct registration *thing, unsigned what)
{
	if (!link_up(p->link, NULL))
		return; /* attend_up will come to it */
	thing->due |= what;
	if (!list_in(&thing->in_due))
		list_add(&p->due_things, &thing->in_due);
	if (!p->due.place)
		timer_set(p->loop, &p->due, 0, portion, p);
}

void attend_up(struct provisioner *p)
{
	struct registration *thing;
	for (size_t at = 0; (thing = map_next(&p->registry.things, &at));)
		if (thing->stored)
			attend_thing(p, thing, ATTEND_SUBSCRIBE);
	struct owner *owner;
	for (size_t at = 0; (owner = map_next(&p->registry.owners, &at));)
		if (!list_in(&owner->in_due))
			list_add(&p->due_owners, &owner->in_due);
	timer_set(p->loop, &p->due, 0, portion, p);
}

void attend_down(struct provisioner *p)
{
	timer_stop(p->loop, &p->due);
	while (list_pop(&p->due_owners))
		;
	struct registration *thing;
	for (size_t at = 0; (thing = map_next(&p->registry.things, &at));) {
		thing->online = false;
		thing->due = 0;
		list_drop(&thing->in_due);
	}
}
