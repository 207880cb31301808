#include "core/provisioner/registry.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/text.h"
#include "core/provisioner/keyring.h"
#include "core/provisioner/ledger.h"

#include <string.h>

struct domain {
	char *name;
	size_t n; /* things */
};

void registry_init(struct registry *r, struct loop *loop)
{
	*r = (struct registry){ .loop = loop };
	for (size_t i = 0; i < VERDICTS; i++)
		list_init(&r->ages[i]);
}

void registry_free(struct registry *r)
{
	struct registration *thing;
	for (size_t at = 0; (thing = map_next(&r->things, &at));)
		registry_drop(r, thing);
	must(r->owners.n == 0 && r->keys.n == 0 && r->domains.n == 0);
	map_free(&r->things);
	map_free(&r->owners);
	map_free(&r->keys);
	map_free(&r->domains);
}

const char *registry_domain(const char *jid)
{
	const char *at = strchr(jid, '@');
	return at ? at + 1 : jid;
}

static bool enter_domain(struct registry *r, const char *jid)
{
	struct domain *d = map_find(&r->domains, registry_domain(jid));
	if (d && d->n >= LIMIT_DOMAIN)
		return false;
	if (!d) {
		d = mem_new(sizeof(*d));
		d->name = mem_text(registry_domain(jid));
		map_put(&r->domains, d->name, d);
	}
	d->n++;
	return true;
}

static void leave_domain(struct registry *r, const char *jid)
{
	struct domain *d = map_find(&r->domains, registry_domain(jid));
	if (--d->n > 0)
		return;
	map_drop(&r->domains, d->name);
	mem_free(d->name);
	mem_free(d);
}

struct registration *registry_find(const struct registry *r, const char *jid)
{
	return map_find(&r->things, jid);
}

struct registration *registry_add(struct registry *r, const char *jid)
{
	if (r->things.n >= LIMIT_REGISTRATIONS || !enter_domain(r, jid))
		return NULL;
	struct registration *thing = mem_new(sizeof(*thing));
	thing->jid = mem_text(jid);
	thing->holder.thing = thing;
	list_init(&thing->decided);
	list_init(&thing->changes);
	map_put(&r->things, thing->jid, thing);
	return thing;
}

void registry_drop(struct registry *r, struct registration *thing)
{
	must(list_empty(&thing->changes));
	ledger_clear(r, thing);
	registry_set_owner(r, thing, NULL, 0);
	keyring_set_key(r, thing, NULL);
	keyring_set_group(r, thing, NULL);
	list_drop(&thing->in_due);
	map_drop(&r->things, thing->jid);
	leave_domain(r, thing->jid);
	map_free(&thing->decisions);
	names_free(&thing->names);
	mem_free(thing->name);
	mem_free(thing->resource);
	mem_free(thing->jid);
	mem_free(thing);
}

struct owner *registry_owner(const struct registry *r, const char *jid)
{
	return map_find(&r->owners, jid);
}

static struct owner *add_owner(struct registry *r, const char *jid)
{
	struct owner *owner = mem_new(sizeof(*owner));
	owner->jid = mem_text(jid);
	owner->registry = r;
	list_init(&owner->things);
	list_init(&owner->waiting);
	map_put(&r->owners, owner->jid, owner);
	return owner;
}

static void drop_owner(struct registry *r, struct owner *owner)
{
	must(owner->people.n == 0 && owner->n_waiting == 0);
	timer_stop(r->loop, &owner->notice);
	list_drop(&owner->in_due);
	map_drop(&r->owners, owner->jid);
	map_free(&owner->people);
	mem_free(owner->jid);
	mem_free(owner);
}

void registry_set_owner(struct registry *r, struct registration *thing, const char *jid, int64_t since)
{
	struct owner *before = thing->owner;
	struct owner *after = jid ? registry_owner(r, jid) : NULL;
	if (jid && !after)
		after = add_owner(r, jid);
	thing->since = since;
	if (before == after)
		return;
	ledger_detach(thing);
	list_drop(&thing->in_owner);
	thing->owner = after;
	if (after) {
		list_add(&after->things, &thing->in_owner);
		after->n_things++;
		ledger_attach(thing);
	}
	if (before && --before->n_things == 0)
		drop_owner(r, before);
}

bool registry_owns(const struct registration *thing, const char *jid)
{
	return thing && thing->owner && text_same(thing->owner->jid, jid);
}

const char *registry_name(const struct registration *thing, const char *language)
{
	const char *name = names_find(&thing->names, language);
	if (!name)
		name = thing->name;
	return name ? name : thing->jid;
}
