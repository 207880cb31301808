#include "core/provisioner/keyring.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <string.h>

struct holder *keyring_find(const struct registry *r, const struct fingerprint *print)
{
	struct holder *holder = map_find(&r->keys, fingerprint_index(print));
	return holder && fingerprint_same(&holder->print, print) ? holder : NULL;
}

void keyring_reserve(struct registry *r, struct holder *holder, const struct fingerprint *print)
{
	holder->print = *print;
	must(!map_find(&r->keys, fingerprint_index(&holder->print)));
	map_put(&r->keys, fingerprint_index(&holder->print), holder);
}

void keyring_release(struct registry *r, struct holder *holder)
{
	must(map_drop(&r->keys, fingerprint_index(&holder->print)) == holder);
}

void keyring_set_key(struct registry *r, struct registration *thing, const struct fingerprint *print)
{
	if (thing->keyed)
		keyring_release(r, &thing->holder);
	thing->keyed = print != NULL;
	if (print)
		keyring_reserve(r, &thing->holder, print);
}

static struct group *add(struct registry *r, const char *domain, const char *id, const struct fingerprint *print)
{
	struct group *group = mem_new(sizeof(*group));
	group->id = mem_text(id);
	group->domain = mem_text(domain);
	group->holder.group = group;
	list_init(&group->members);
	keyring_reserve(r, &group->holder, print);
	return group;
}

struct group *keyring_use(struct registry *r, const char *thing, const char *id, const struct fingerprint *print)
{
	const char *domain = registry_domain(thing);
	struct holder *holder = keyring_find(r, print);
	struct group *group = holder ? holder->group : add(r, domain, id, print);
	if (!group || strcmp(group->id, id) != 0 || strcmp(group->domain, domain) != 0)
		return NULL;
	group->users++;
	return group;
}

void keyring_leave(struct registry *r, struct group *group)
{
	if (!group || --group->users > 0)
		return;
	keyring_release(r, &group->holder);
	mem_free(group->claimant);
	mem_free(group->domain);
	mem_free(group->id);
	mem_free(group);
}

void keyring_set_group(struct registry *r, struct registration *thing, struct group *group)
{
	struct group *before = thing->group;
	if (before == group)
		return;
	if (group)
		group->users++;
	list_drop(&thing->in_group);
	thing->group = group;
	if (group)
		list_add(&group->members, &thing->in_group);
	keyring_leave(r, before);
}
