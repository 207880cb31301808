#include "core/provisioner/unregister.h"

#include "core/base/mem.h"
#include "core/provisioner/asker.h"
#include "core/provisioner/change.h"
#include "core/provisioner/ledger.h"
#include "core/provisioner/notice.h"

struct unregistering {
	struct change change;
	struct asker asker;
};

static struct unregistering *unregistering_of(struct change *c)
{
	return (struct unregistering *)(void *)c;
}

/* Who asks again, because the first answer was lost, gets the same one. */
static bool run(struct change *c)
{
	if (!c->thing->stored) {
		asker_say(&unregistering_of(c)->asker, "");
		return false;
	}
	change_save(c, STORE_REG_DROP, (const char *[]){ c->thing->jid });
	return true;
}

static void tell_owner(struct provisioner *p, const struct registration *thing)
{
	struct text words = { 0 };
	if (!thing->owner)
		return;
	notice_label(&words, thing, NULL);
	text_add(&words, " was taken out of service.");
	notice_chat(p, thing->owner->jid, words.data);
	text_free(&words);
}

/* change.c drops the registration when nothing more is to be done with it. */
static void done(struct change *c, const struct err *why)
{
	struct provisioner *p = c->p;
	struct registration *thing = c->thing;
	if (why) {
		asker_refuse(&unregistering_of(c)->asker, &reply_internal, "This could not be saved.");
		return;
	}
	asker_say(&unregistering_of(c)->asker, "");
	notice_presence(p, thing->jid, "unsubscribe", true);
	tell_owner(p, thing);
	log_info(p->log, "provisioner: %s: unregistered", thing->jid);
	ledger_clear(&p->registry, thing);
	registry_set_owner(&p->registry, thing, NULL, 0);
	thing->stored = thing->online = false;
}

static void free_unregistering(struct change *c)
{
	asker_free(&unregistering_of(c)->asker);
	mem_free(c);
}

static const struct change_kind unregistering_kind = { run, done, free_unregistering };

void unregister_take(void *self, struct incoming *in)
{
	struct provisioner *p = self;
	struct registration *thing = registry_find(&p->registry, in->from_bare);
	if (!thing) {
		reply_empty(&in->answer);
		return;
	}
	if (!change_fits(p, thing)) {
		reply_refuse(&in->answer, &reply_resource_constraint, NULL);
		return;
	}
	struct unregistering *u = mem_new(sizeof(*u));
	u->change = (struct change){ .kind = &unregistering_kind, .p = p, .thing = thing };
	u->asker = asker_take(p, in);
	change_add(&u->change);
}
