#include "core/provisioner/nudge.h"

#include "core/base/limits.h"
#include "core/provisioner/ledger.h"
#include "core/provisioner/notice.h"

enum { MINUTE_MS = 60000, LINES = 10 };

static bool is_meant(const struct decision *d, bool untold)
{
	return ledger_verdict(d) == VERDICT_PENDING && !(untold && d->told);
}

static void describe_answer(struct text *t, const struct owner *owner, const char *example)
{
	if (owner->n_waiting == 1)
		text_add(t, "Answer yes or no.");
	else
		text_addf(t, "Answer with the address, for example: yes %s", example);
}

void nudge_describe(struct text *t, struct owner *owner, bool untold, const char *language)
{
	size_t n = 0;
	const char *first = NULL;
	list_each (at, &owner->waiting) {
		struct decision *d = list_of(at, struct decision, in_waiting);
		if (!is_meant(d, untold) || ++n > LINES)
			continue;
		d->named = true;
		if (!first)
			first = d->requestor;
		text_addf(t, "%s wants to see ", d->requestor);
		notice_label(t, d->thing, language);
		text_add(t, owner->n_waiting == 1 ? ". " : ".\n");
	}
	if (n > LINES)
		text_addf(t, "And %zu more. To see them, decide about these and send: pending\n", n - LINES);
	if (first)
		describe_answer(t, owner, first);
}

/* The thing all untold requests are about; NULL: several. */
static const char *only_thing(struct owner *owner)
{
	const struct registration *thing = NULL;
	list_each (at, &owner->waiting) {
		const struct decision *d = list_of(at, struct decision, in_waiting);
		if (!is_meant(d, true))
			continue;
		if (thing && thing != d->thing)
			return NULL;
		thing = d->thing;
	}
	return thing ? thing->jid : NULL;
}

static void mark_told(struct owner *owner)
{
	list_each (at, &owner->waiting)
		ledger_told(list_of(at, struct decision, in_waiting));
}

/* When the link is down the requests stay untold: attend_up comes back to them. */
static void tell(struct provisioner *p, struct owner *owner)
{
	struct text words = { 0 };
	if (!link_up(p->link, NULL))
		return;
	nudge_describe(&words, owner, true, NULL);
	if (words.size && notice_pending(p, owner->jid, only_thing(owner), words.data)) {
		owner->n_notices++;
		mark_told(owner);
	}
	text_free(&words);
}

static void minute_is_over(void *ctx)
{
	struct owner *owner = ctx;
	nudge_owner(list_of(owner->registry, struct provisioner, registry), owner);
}

void nudge_owner(struct provisioner *p, struct owner *owner)
{
	if (!owner || owner->n_untold == 0 || owner->notice.place)
		return;
	int64_t now = loop_now(p->loop);
	if (!owner->n_notices || now - owner->since >= MINUTE_MS) {
		owner->since = now;
		owner->n_notices = 0;
	}
	if (owner->n_notices < LIMIT_NOTICES_MINUTE)
		tell(p, owner);
	else
		timer_set(p->loop, &owner->notice, owner->since + MINUTE_MS - now, minute_is_over, owner);
}
