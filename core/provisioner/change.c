#include "core/provisioner/change.h"

#include "core/base/limits.h"

bool change_fits(const struct provisioner *p, const struct registration *thing)
{
	return thing->n_changes < LIMIT_CHANGES_THING && p->n_changes < LIMIT_CHANGES;
}

static void finish(struct change *c)
{
	list_drop(&c->link);
	c->thing->n_changes--;
	c->p->n_changes--;
	c->kind->free(c);
}

/* Until one is on its way to the disk, or none is left. */
static void go_on(struct provisioner *p, struct registration *thing)
{
	while (!list_empty(&thing->changes)) {
		struct change *c = list_of(thing->changes.next, struct change, link);
		c->at = loop_utc(p->loop);
		if (c->kind->run(c))
			return;
		finish(c);
	}
	if (!thing->stored)
		registry_drop(&p->registry, thing);
}

void change_add(struct change *c)
{
	bool first = list_empty(&c->thing->changes);
	list_add(&c->thing->changes, &c->link);
	c->thing->n_changes++;
	c->p->n_changes++;
	if (first)
		go_on(c->p, c->thing);
}

static void saved(void *ctx, int status, const struct err *why)
{
	struct change *c = ctx;
	struct provisioner *p = c->p;
	struct registration *thing = c->thing;
	if (status < 0)
		log_error(p->log, "provisioner: %s: not saved: %s", thing->jid, why->text);
	c->kind->done(c, status < 0 ? why : NULL);
	finish(c);
	go_on(p, thing);
	provisioner_settle(p);
}

void change_save(struct change *c, enum store_write what, const char *const *values)
{
	store_put(c->p->store, what, values, saved, c);
}
