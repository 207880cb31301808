#include "core/provisioner/queries.h"

#include "core/base/mem.h"
#include "core/provisioner/asker.h"
#include "core/provisioner/change.h"
#include "core/provisioner/ledger.h"
#include "core/provisioner/nudge.h"
#include "core/provisioner/record.h"

#include <string.h>

struct asking { /* a new pending request on its way to the disk */
	struct change change;
	struct asker asker;
	char *requestor;
	char *xmlns; /* of the question, and so of the answer (S16) */
};

static struct asking *asking_of(struct change *c)
{
	return (struct asking *)(void *)c;
}

/* What is known without asking anybody. The owner is always a friend (siot section 2.5). */
static enum verdict verdict_on(const struct registration *thing, const char *requestor)
{
	if (registry_owns(thing, requestor))
		return VERDICT_YES;
	return ledger_verdict(ledger_find(thing, requestor));
}

static void say(struct answer *a, const char *xmlns, enum verdict verdict)
{
	struct text *t = reply_begin(a);
	if (!t)
		return;
	writer_raw(t, "<is-friend-result");
	if (strcmp(xmlns, ELEMENT_CLIENT) != 0) /* without any, it is the stream's, which is what the question was in */
		writer_attribute(t, "xmlns", xmlns);
	writer_attribute(t, "friend", ledger_word(verdict));
	writer_raw(t, "/>");
	reply_end(a);
}

static void answer(struct asking *a, enum verdict verdict)
{
	struct answer *answer = a->asker.answer;
	a->asker.answer = NULL;
	say(answer, a->xmlns, verdict);
}

static bool is_full(const struct registration *thing)
{
	return thing->n[VERDICT_PENDING] >= LIMIT_PENDING ||
	       (thing->owner && thing->owner->n_waiting >= LIMIT_OWNER_PENDING);
}

static bool run(struct change *c)
{
	struct asking *a = asking_of(c);
	enum verdict verdict = verdict_on(c->thing, a->requestor);
	if (!c->thing->stored) {
		asker_refuse(&a->asker, &reply_item_not_found, NULL);
		return false;
	}
	if (verdict != VERDICT_NONE) {
		answer(a, verdict);
		return false;
	}
	if (is_full(c->thing)) {
		asker_refuse(&a->asker, &reply_resource_constraint, "Too many requests wait for the owner.");
		return false;
	}
	struct record_time now = record_time_print(c->at);
	change_save(c, STORE_DECISION_PUT,
		    (const char *[]){ c->thing->jid, a->requestor, ledger_word(VERDICT_PENDING), now.text });
	return true;
}

static void done(struct change *c, const struct err *why)
{
	struct asking *a = asking_of(c);
	if (why) {
		asker_refuse(&a->asker, &reply_internal, NULL);
		return;
	}
	struct decision *d = ledger_add(c->thing, a->requestor);
	ledger_set(&c->p->registry, d, VERDICT_PENDING, c->at);
	answer(a, ledger_verdict(d));
	nudge_owner(c->p, c->thing->owner);
}

static void free_asking(struct change *c)
{
	struct asking *a = asking_of(c);
	asker_free(&a->asker);
	mem_free(a->requestor);
	mem_free(a->xmlns);
	mem_free(a);
}

static const struct change_kind asking_kind = { run, done, free_asking };

static void ask_owner(struct provisioner *p, struct registration *thing, const char *requestor, struct incoming *in)
{
	if (!change_fits(p, thing) || !quota_take(&p->queries, thing->jid, requestor)) {
		reply_refuse(&in->answer, &reply_resource_constraint, "Too many requests.");
		return;
	}
	struct asking *a = mem_new(sizeof(*a));
	a->change = (struct change){ .kind = &asking_kind, .p = p, .thing = thing };
	a->asker = asker_take(p, in);
	a->requestor = mem_text(requestor);
	a->xmlns = mem_text(in->payload->xmlns);
	change_add(&a->change);
}

void queries_take_friend(void *self, struct incoming *in)
{
	struct provisioner *p = self;
	struct registration *thing = registry_find(&p->registry, in->from_bare);
	const char *jid = element_get(in->payload, "jid");
	char requestor[2 * LIMIT_JID_PART + 2];
	if (!thing || !thing->stored) {
		reply_refuse(&in->answer, &reply_item_not_found, "Only a registered thing can ask.");
		return;
	}
	if (!jid || jid_bare(jid, requestor) < 0) {
		reply_refuse(&in->answer, jid ? &reply_jid_malformed : &reply_bad_request, NULL);
		return;
	}
	enum verdict verdict = verdict_on(thing, requestor);
	if (verdict == VERDICT_NONE)
		ask_owner(p, thing, requestor, in);
	else
		say(&in->answer, in->payload->xmlns, verdict);
}

static void list_waiting(struct text *t, const struct owner *owner)
{
	size_t from = t->size;
	struct list *at = owner->waiting.next;
	for (; at != &owner->waiting && t->size - from < LIMIT_STANZA_OUT - 8 * LIMIT_JID; at = at->next) {
		const struct decision *d = list_of(at, struct decision, in_waiting);
		if (ledger_verdict(d) != VERDICT_PENDING)
			continue;
		writer_raw(t, "<pending-friend");
		writer_attribute(t, "jid", d->requestor);
		writer_attribute(t, "x:thing", d->thing->jid);
		writer_raw(t, "/>");
	}
}

/* Who owns nothing is told that nobody waits. */
void queries_take_pending(void *self, struct incoming *in)
{
	struct provisioner *p = self;
	const struct owner *owner = registry_owner(&p->registry, in->from_bare);
	struct text *t = reply_begin(&in->answer);
	if (!t)
		return;
	writer_raw(t, "<pending-friend-requests xmlns='" SIOT "' xmlns:x='" SIOT_X "'>");
	if (owner)
		list_waiting(t, owner);
	writer_raw(t, "</pending-friend-requests>");
	reply_end(&in->answer);
}
