#include "core/provisioner/claims.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/provisioner/change.h"
#include "core/provisioner/keyring.h"
#include "core/provisioner/notice.h"
#include "core/provisioner/nudge.h"
#include "core/provisioner/record.h"

static const char nothing_found[] = "No thing with this key waits for an owner. Please check the key.";

struct claim { /* one attempt; a device's key makes it several claimings */
	struct asker asker;
	struct group *group; /* in use until this is over; NULL: one thing's key */
	size_t n_open;       /* claimings that are not over, and claims_try itself */
	bool failed;         /* to save */
	char **things;       /* JIDs that are his now */
	size_t n_things;
};

struct claiming { /* of one thing */
	struct change change;
	struct claim *claim;
	struct fingerprint key;
};

static struct claiming *claiming_of(struct change *c)
{
	return (struct claiming *)(void *)c;
}

static void note(struct claim *claim, const struct registration *thing)
{
	claim->things = mem_resize(claim->things, (claim->n_things + 1) * sizeof(*claim->things));
	claim->things[claim->n_things++] = mem_text(thing->jid);
}

static void write_claimed(const struct claim *claim, struct text *t)
{
	size_t from = t->size;
	writer_raw(t, "<claimed xmlns='" SIOT "'");
	if (claim->n_things > 1)
		writer_raw(t, " xmlns:x='" SIOT_X "'");
	writer_attribute(t, "jid", claim->things[0]);
	writer_raw(t, ">");
	for (size_t i = 1; i < claim->n_things && t->size - from < LIMIT_STANZA_OUT - 8 * LIMIT_JID; i++) {
		writer_raw(t, "<x:also");
		writer_attribute(t, "jid", claim->things[i]);
		writer_raw(t, "/>");
	}
	writer_raw(t, "</claimed>");
}

static void say_claimed(struct claim *claim)
{
	enum { LINES = 20 };
	struct text words = { 0 };
	text_add(&words, claim->n_things == 1 ? "You now own " : "You now own:\n");
	for (size_t i = 0; i < claim->n_things && i < LINES; i++) {
		const struct registration *thing = registry_find(&claim->asker.p->registry, claim->things[i]);
		if (thing)
			notice_label(&words, thing, claim->asker.language);
		text_add(&words, claim->n_things == 1 ? "." : "\n");
	}
	if (claim->n_things > LINES)
		text_addf(&words, "and %zu more", claim->n_things - LINES);
	asker_say(&claim->asker, words.data);
	text_free(&words);
}

static void answer(struct claim *claim)
{
	if (claim->failed) {
		asker_refuse(&claim->asker, &reply_internal, "This could not be saved. Please try again later.");
	} else if (claim->n_things == 0) {
		asker_refuse(&claim->asker, &reply_item_not_found, nothing_found);
	} else if (claim->asker.chat) {
		say_claimed(claim);
	} else {
		struct text *t = reply_begin(claim->asker.answer);
		if (t) {
			write_claimed(claim, t);
			reply_end(claim->asker.answer);
		}
		claim->asker.answer = NULL;
	}
}

/* The key of a group that nobody got anything with may be shown by somebody else. */
static void free_claim(struct claim *claim)
{
	struct group *group = claim->group;
	if (group && --group->n_claims == 0 && !group->spent) {
		mem_free(group->claimant);
		group->claimant = NULL;
	}
	keyring_leave(&claim->asker.p->registry, group);
	for (size_t i = 0; i < claim->n_things; i++)
		mem_free(claim->things[i]);
	mem_free(claim->things);
	asker_free(&claim->asker);
	mem_free(claim);
}

/* Only wrong keys count: an owner of forty devices, whose program shows forty keys at once, is not guessing (S10). */
static void end_one(struct claim *claim)
{
	if (--claim->n_open > 0)
		return;
	if (!claim->n_things && !claim->failed)
		quota_take(&claim->asker.p->claims, claim->asker.bare, "");
	answer(claim);
	nudge_owner(claim->asker.p, registry_owner(&claim->asker.p->registry, claim->asker.bare));
	free_claim(claim);
}

/* It may have got another key or left its group while this waited. */
static bool still_opens(const struct claiming *c)
{
	const struct registration *thing = c->change.thing;
	if (c->claim->group)
		return thing->group == c->claim->group;
	return thing->keyed && fingerprint_same(&thing->holder.print, &c->key);
}

static bool run(struct change *change)
{
	struct claiming *c = claiming_of(change);
	struct registration *thing = change->thing;
	const char *owner = c->claim->asker.bare;
	if (!thing->stored || !still_opens(c))
		return false;
	if (registry_owns(thing, owner))
		note(c->claim, thing);
	if (thing->owner)
		return false;
	struct record record = record_of(thing);
	record.owner = owner;
	record.since = change->at;
	record.spent |= c->claim->group != NULL;
	record_save(change, &record);
	return true;
}

static void done(struct change *change, const struct err *why)
{
	struct claiming *c = claiming_of(change);
	struct provisioner *p = change->p;
	struct registration *thing = change->thing;
	const char *owner = c->claim->asker.bare;
	if (why) {
		c->claim->failed = true;
		return;
	}
	registry_set_owner(&p->registry, thing, owner, change->at);
	if (c->claim->group)
		c->claim->group->spent = true;
	note(c->claim, thing);
	notice_owner(p, thing, true);
	log_info(p->log, "provisioner: %s: claimed by %s", thing->jid, owner);
}

static void free_claiming(struct change *change)
{
	end_one(claiming_of(change)->claim);
	mem_free(change);
}

static const struct change_kind claiming_kind = { run, done, free_claiming };

static void begin_one(struct claim *claim, struct registration *thing, const struct fingerprint *key)
{
	struct provisioner *p = claim->asker.p;
	if (!change_fits(p, thing)) {
		claim->failed = true;
		return;
	}
	struct claiming *c = mem_new(sizeof(*c));
	c->change = (struct change){ .kind = &claiming_kind, .p = p, .thing = thing };
	c->claim = claim;
	c->key = *key;
	claim->n_open++;
	change_add(&c->change);
}

/* S2: what people type on the label may differ in case, blanks and form of the letters. */
static bool is_called(const struct registration *thing, const char *wanted)
{
	char have[8 * LIMIT_NAME];
	if (thing->name && jid_fold_name(thing->name, have, sizeof(have)) == 0 && text_same(have, wanted))
		return true;
	for (size_t i = 0; i < thing->names.n; i++)
		if (jid_fold_name(thing->names.list[i].text, have, sizeof(have)) == 0 && text_same(have, wanted))
			return true;
	return false;
}

static bool is_group_called(const struct group *group, const char *wanted)
{
	char have[8 * LIMIT_NAME];
	bool found = jid_fold_name(group->id, have, sizeof(have)) == 0 && text_same(have, wanted);
	list_each (at, &group->members)
		found = found || is_called(list_of(at, struct registration, in_group), wanted);
	return found;
}

static bool fits_name(const struct holder *holder, const char *name)
{
	char wanted[8 * LIMIT_NAME];
	if (!name || jid_fold_name(name, wanted, sizeof(wanted)) < 0)
		return !name || !*name;
	if (!*wanted)
		return true;
	return holder->thing ? is_called(holder->thing, wanted) : is_group_called(holder->group, wanted);
}

static bool may_use(const struct group *group, const char *who)
{
	return group->claimant ? text_same(group->claimant, who) : !group->spent;
}

static void begin_group(struct claim *claim, struct group *group, const struct fingerprint *key)
{
	if (!may_use(group, claim->asker.bare))
		return;
	group->users++;
	group->n_claims++;
	claim->group = group;
	if (!group->claimant)
		group->claimant = mem_text(claim->asker.bare);
	struct list *at = group->members.next;
	while (at !=
	       &group->members) { /* a change may be over at once, but it does not take anybody out of the group */
		struct list *next = at->next;
		begin_one(claim, list_of(at, struct registration, in_group), key);
		at = next;
	}
}

void claims_try(struct asker asker, const char *key, const char *name)
{
	struct provisioner *p = asker.p;
	struct claim *claim = mem_new(sizeof(*claim));
	claim->asker = asker;
	claim->n_open = 1;
	struct fingerprint print;
	if (!quota_left(&p->claims, asker.bare, "")) {
		asker_refuse(&claim->asker, &reply_policy_violation, "Too many attempts. Please wait a minute.");
		free_claim(claim);
		return;
	}
	struct holder *holder = fingerprint_make(&print, key) ? keyring_find(&p->registry, &print) : NULL;
	if (holder && (holder->thing || holder->group) && fits_name(holder, name)) {
		if (holder->thing)
			begin_one(claim, holder->thing, &print);
		else
			begin_group(claim, holder->group, &print);
	}
	end_one(claim);
}

void claims_take(void *self, struct incoming *in)
{
	const char *key = element_get(in->payload, "key");
	if (!key)
		reply_refuse(&in->answer, &reply_bad_request, "There is no key.");
	else
		claims_try(asker_take(self, in), key, element_get(in->payload, "name"));
}
