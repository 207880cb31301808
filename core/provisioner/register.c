#include "core/provisioner/register.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/provisioner/asker.h"
#include "core/provisioner/attend.h"
#include "core/provisioner/keyring.h"
#include "core/provisioner/ledger.h"
#include "core/provisioner/notice.h"
#include "core/provisioner/record.h"

#include <string.h>

struct registering {
	struct change change;
	struct asker asker;
	char *name;
	struct names names;
	struct fingerprint key;
	struct holder reserved; /* of the new key until it is on disk */
	bool reserving;
	char *group_id; /* NULL: no group */
	struct fingerprint group_key;
	struct group *group; /* in use until this is over */
};

static struct registering *registering_of(struct change *c)
{
	return (struct registering *)(void *)c;
}

static bool same_names(const struct names *a, const struct names *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!text_same(a->list[i].language, b->list[i].language) ||
		    !text_same(a->list[i].text, b->list[i].text))
			return false;
	return true;
}

/* A register that finds keys of others is a way to guess keys: it costs what a claim costs. */
static void refuse_key(struct registering *r)
{
	if (quota_take(&r->change.p->claims, r->change.thing->jid, ""))
		asker_refuse(&r->asker, &reply_conflict, "This key is in use by another thing.");
	else
		asker_refuse(&r->asker, &reply_policy_violation, "Too many attempts.");
}

/* Everybody who registers is answered, subscribed to and told his owner: that is how a thing learns what it missed (S6). */
static void welcome(struct registering *r)
{
	struct provisioner *p = r->change.p;
	struct registration *thing = r->change.thing;
	asker_say(&r->asker, "");
	notice_presence(p, thing->jid, "subscribe", true);
	if (thing->owner)
		notice_owner(p, thing, true);
}

static bool holds(const struct registration *thing, const struct fingerprint *key)
{
	return thing->keyed && fingerprint_same(&thing->holder.print, key);
}

/* true: the key is the thing's own, or nobody's and now reserved for it. */
static bool reserve(struct registering *r)
{
	struct registry *registry = &r->change.p->registry;
	if (holds(r->change.thing, &r->key))
		return true;
	if (keyring_find(registry, &r->key))
		return false;
	keyring_reserve(registry, &r->reserved, &r->key);
	r->reserving = true;
	return true;
}

static bool use_group(struct registering *r)
{
	if (!r->group_id)
		return true;
	r->group = keyring_use(&r->change.p->registry, r->change.thing->jid, r->group_id, &r->group_key);
	return r->group;
}

static bool is_news(const struct registering *r)
{
	const struct registration *thing = r->change.thing;
	return !thing->stored || r->reserving || !text_same(thing->name, r->name) || thing->group != r->group ||
	       !same_names(&thing->names, &r->names);
}

static bool is_reset(const struct registering *r)
{
	return r->reserving && r->change.thing->owner;
}

static void save(struct registering *r)
{
	const struct registration *thing = r->change.thing;
	bool fresh = is_reset(r) || !thing->stored;
	struct record record = {
		.name = r->name,
		.names = &r->names,
		.key = &r->key,
		.group = r->group,
		.spent = r->group && r->group->spent,
		.owner = thing->owner && !is_reset(r) ? thing->owner->jid : NULL,
		.since = fresh ? r->change.at : thing->since,
	};
	store_begin(r->change.p->store);
	if (is_reset(r))
		store_put(r->change.p->store, STORE_DECISION_DROP_ALL, (const char *[]){ thing->jid }, NULL, NULL);
	record_save(&r->change, &record);
	store_end(r->change.p->store);
}

static bool run(struct change *c)
{
	struct registering *r = registering_of(c);
	if (!reserve(r) || !use_group(r)) {
		refuse_key(r);
		return false;
	}
	if (r->group && r->group != c->thing->group && r->group->users > LIMIT_GROUP) {
		asker_refuse(&r->asker, &reply_resource_constraint, "This device has too many things.");
		return false;
	}
	if (!is_news(r)) {
		welcome(r);
		return false;
	}
	save(r);
	return true;
}

/* S7: with a new key the thing says that it was reset; what was before is over. */
static void reset(struct provisioner *p, struct registration *thing, int64_t at)
{
	struct text words = { 0 };
	notice_label(&words, thing, NULL);
	text_add(&words, " was reset. It is no longer yours, and its friends are forgotten.");
	notice_chat(p, thing->owner->jid, words.data);
	log_info(p->log, "provisioner: %s: reset, no longer %s's", thing->jid, thing->owner->jid);
	text_free(&words);
	ledger_clear(&p->registry, thing);
	registry_set_owner(&p->registry, thing, NULL, at);
}

static void apply(struct registering *r)
{
	struct provisioner *p = r->change.p;
	struct registration *thing = r->change.thing;
	if (is_reset(r))
		reset(p, thing, r->change.at);
	else if (!thing->stored)
		thing->since = r->change.at;
	thing->stored = true;
	if (r->reserving) {
		keyring_release(&p->registry, &r->reserved);
		r->reserving = false;
		keyring_set_key(&p->registry, thing, &r->key);
	}
	keyring_set_group(&p->registry, thing, r->group);
	mem_free(thing->name);
	thing->name = r->name;
	r->name = NULL;
	names_free(&thing->names);
	thing->names = r->names;
	r->names = (struct names){ 0 };
}

static void done(struct change *c, const struct err *why)
{
	struct registering *r = registering_of(c);
	if (why) {
		asker_refuse(&r->asker, &reply_internal, "The registration could not be saved.");
		return;
	}
	apply(r);
	welcome(r);
}

static void free_registering(struct change *c)
{
	struct registering *r = registering_of(c);
	if (r->reserving)
		keyring_release(&c->p->registry, &r->reserved);
	keyring_leave(&c->p->registry, r->group);
	asker_free(&r->asker);
	names_free(&r->names);
	mem_free(r->name);
	mem_free(r->group_id);
	mem_free(r);
}

static const struct change_kind registering_kind = { run, done, free_registering };

/* S1: the child without a language of its own outranks the attribute; S41: it is in the language of the stanza. */
static void read_names(struct registering *r, const struct element *payload)
{
	const char *attribute = element_get(payload, "name");
	struct element *plain = element_child(payload, "name", SIOT);
	while (plain && element_get_ns(plain, ELEMENT_XML, "lang"))
		plain = element_next(plain, "name", SIOT);
	const char *stanza = element_language(payload);
	const char *language = stanza ? stanza : "en";
	if (plain)
		record_names_add(&r->names, language, plain->text);
	else if (attribute)
		record_names_add(&r->names, "", attribute);
	for (struct element *e = element_child(payload, "name", SIOT); e; e = element_next(e, "name", SIOT)) {
		const char *own = element_get_ns(e, ELEMENT_XML, "lang");
		record_names_add(&r->names, own ? own : language, e->text);
	}
	struct names single = { 0 };
	if (attribute)
		record_names_add(&single, "", attribute);
	r->name = single.n ? mem_text(single.list[0].text) : NULL;
	names_free(&single);
}

/* A group without a usable key is none: the attributes are optional for everybody. */
static void read_group(struct registering *r, const struct element *payload)
{
	const char *id = element_get_ns(payload, SIOT_X, "group");
	const char *key = element_get_ns(payload, SIOT_X, "group-key");
	if (!id || !key || !*id || strlen(id) > LIMIT_NAME || !fingerprint_make(&r->group_key, key))
		return;
	if (!fingerprint_same(&r->key, &r->group_key))
		r->group_id = mem_text(id);
}

void register_take(void *self, struct incoming *in)
{
	struct provisioner *p = self;
	struct fingerprint key;
	const char *given = element_get(in->payload, "key");
	if (!given || !fingerprint_make(&key, given)) {
		reply_refuse(&in->answer, &reply_bad_request,
			     given ? "The key is too short or too long." : "There is no key.");
		return;
	}
	struct registration *thing = registry_find(&p->registry, in->from_bare);
	if (!thing)
		thing = registry_add(&p->registry, in->from_bare);
	if (!thing || !change_fits(p, thing)) {
		reply_refuse(&in->answer, &reply_resource_constraint, "Too many registrations.");
		return;
	}
	struct registering *r = mem_new(sizeof(*r));
	r->change = (struct change){ .kind = &registering_kind, .p = p, .thing = thing };
	r->key = key;
	r->asker = asker_take(p, in);
	read_names(r, in->payload);
	read_group(r, in->payload);
	change_add(&r->change);
}
