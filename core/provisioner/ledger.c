#include "core/provisioner/ledger.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <string.h>

static const char *const words[VERDICTS] = { "", "pending", "yes", "no" };

const char *ledger_word(enum verdict verdict)
{
	return words[verdict];
}

enum verdict ledger_parse(const char *word)
{
	for (enum verdict v = VERDICT_PENDING; v < VERDICTS; v++)
		if (strcmp(words[v], word) == 0)
			return v;
	return VERDICT_NONE;
}

enum verdict ledger_verdict(const struct decision *d)
{
	if (!d)
		return VERDICT_NONE;
	return d->refusals || d->unsaved ? VERDICT_NO : d->verdict;
}

struct decision *ledger_find(const struct registration *thing, const char *requestor)
{
	return map_find(&thing->decisions, requestor);
}

struct person *ledger_person(const struct owner *owner, const char *requestor)
{
	return map_find(&owner->people, requestor);
}

static void join_person(struct owner *owner, struct decision *d)
{
	struct person *person = ledger_person(owner, d->requestor);
	if (!person) {
		person = mem_new(sizeof(*person));
		person->jid = mem_text(d->requestor);
		person->owner = owner;
		list_init(&person->decisions);
		map_put(&owner->people, person->jid, person);
	}
	d->person = person;
	list_add(&person->decisions, &d->in_person);
}

static void leave_person(struct decision *d)
{
	struct person *person = d->person;
	d->person = NULL;
	list_drop(&d->in_person);
	if (!list_empty(&person->decisions))
		return;
	map_drop(&person->owner->people, person->jid);
	mem_free(person->jid);
	mem_free(person);
}

static void join_waiting(struct owner *owner, struct decision *d)
{
	list_add(&owner->waiting, &d->in_waiting);
	owner->n_waiting++;
	owner->n_untold += !d->told;
}

static void leave_waiting(struct owner *owner, struct decision *d)
{
	if (!list_in(&d->in_waiting))
		return;
	list_drop(&d->in_waiting);
	owner->n_waiting--;
	owner->n_untold -= !d->told;
}

static void attach(struct owner *owner, struct decision *d)
{
	join_person(owner, d);
	if (d->verdict == VERDICT_PENDING)
		join_waiting(owner, d);
}

static void detach(struct decision *d)
{
	if (!d->person)
		return;
	leave_waiting(d->person->owner, d);
	leave_person(d);
}

struct decision *ledger_add(struct registration *thing, const char *requestor)
{
	struct decision *d = ledger_find(thing, requestor);
	if (d)
		return d;
	d = mem_new(sizeof(*d));
	d->requestor = mem_text(requestor);
	d->thing = thing;
	map_put(&thing->decisions, d->requestor, d);
	list_add(&thing->decided, &d->in_thing);
	thing->n[VERDICT_NONE]++;
	if (thing->owner)
		attach(thing->owner, d);
	return d;
}

void ledger_set(struct registry *r, struct decision *d, enum verdict verdict, int64_t since)
{
	struct owner *owner = d->thing->owner;
	if (owner)
		leave_waiting(owner, d);
	if (verdict != d->verdict)
		d->told = d->named = false;
	d->thing->n[d->verdict]--;
	d->thing->n[verdict]++;
	d->verdict = verdict;
	d->since = since;
	list_drop(&d->in_age);
	list_add(&r->ages[verdict], &d->in_age);
	if (owner && verdict == VERDICT_PENDING)
		join_waiting(owner, d);
}

void ledger_told(struct decision *d)
{
	if (!d->told && list_in(&d->in_waiting))
		d->thing->owner->n_untold--;
	d->told = true;
}

static void drop(struct decision *d)
{
	detach(d);
	d->thing->n[d->verdict]--;
	list_drop(&d->in_age);
	list_drop(&d->in_thing);
	map_drop(&d->thing->decisions, d->requestor);
	mem_free(d->requestor);
	mem_free(d);
}

void ledger_tidy(struct decision *d)
{
	if (d->verdict == VERDICT_NONE && d->refusals == 0 && !d->unsaved)
		drop(d);
}

void ledger_clear(struct registry *r, struct registration *thing)
{
	list_each (at, &thing->decided) {
		struct decision *d = list_of(at, struct decision, in_thing);
		ledger_set(r, d, VERDICT_NONE, 0);
		d->unsaved = false;
		ledger_tidy(d);
	}
}

void ledger_attach(struct registration *thing)
{
	list_each (at, &thing->decided)
		attach(thing->owner, list_of(at, struct decision, in_thing));
}

void ledger_detach(struct registration *thing)
{
	list_each (at, &thing->decided)
		detach(list_of(at, struct decision, in_thing));
}
