#include "core/gate/gate.h"

#include "core/base/limits.h"

/* Requests that nobody has decided yet, and approvals that wait for their request (siot S18 to S23). */

static const int64_t DENIED_MS = 300000;

static void forget_stored(struct gate *g, struct thing *t, const char *jid)
{
	const char *const drop[] = { t->local, jid };
	store_put(g->store, STORE_PENDING_DROP, drop, NULL, NULL);
}

static struct pending *oldest(const struct thing *t, bool (*is_one)(const struct pending *p))
{
	list_each (at, &t->pendings) {
		struct pending *p = list_of(at, struct pending, link);
		if (is_one(p))
			return p;
	}
	return NULL;
}

static bool is_denied(const struct pending *p)
{
	return p->state == PENDING_DENIED;
}

static bool is_undecided(const struct pending *p)
{
	return p->state == PENDING_ASKING || p->state == PENDING_WAITING;
}

/* For one more. What the owner has decided goes before what strangers want of him: the one who lost his place will ask again,
 * as his server does at every login. */
static bool make_room(struct gate *g, struct thing *t, bool decided)
{
	size_t n = 0;
	list_each (at, &t->pendings)
		n++;
	if (n < LIMIT_PENDING)
		return true;
	struct pending *p = oldest(t, is_denied);
	if (!p && decided)
		p = oldest(t, is_undecided);
	if (p && p->state != PENDING_DENIED)
		forget_stored(g, t, p->jid);
	thing_drop_pending(p);
	return p != NULL;
}

int gate_remember(struct gate *g, struct thing *t, const char *jid, enum pending_state state, bool subscribed_first)
{
	/* what is being asked when the process dies must be asked again: to the disk it waits */
	const char *const put[] = { t->local, jid, state == PENDING_APPROVED ? "2" : "1",
				    subscribed_first ? "1" : "0" };
	struct pending *p = thing_find_pending(t, jid);
	if (!p && !make_room(g, t, state == PENDING_APPROVED))
		return -1;
	bool stored = p && p->state != PENDING_DENIED &&
		      (p->state == PENDING_APPROVED) == (state == PENDING_APPROVED) &&
		      p->subscribed_first == subscribed_first;
	if (!p)
		p = thing_add_pending(t, jid);
	p->state = state;
	p->subscribed_first = subscribed_first;
	p->until_ms = 0;
	if (!stored)
		store_put(g->store, STORE_PENDING_PUT, put, NULL, NULL);
	return 0;
}

void gate_forget_pending(struct gate *g, struct thing *t, const char *jid)
{
	struct pending *p = thing_find_pending(t, jid);
	if (p && p->state != PENDING_DENIED)
		forget_stored(g, t, p->jid);
	thing_drop_pending(p);
}

void gate_deny(struct gate *g, struct thing *t, const char *jid)
{
	struct pending *p = thing_find_pending(t, jid);
	if (p && p->state != PENDING_DENIED)
		forget_stored(g, t, p->jid);
	if (!p && !make_room(g, t, true))
		return;
	if (!p)
		p = thing_add_pending(t, jid);
	p->state = PENDING_DENIED;
	p->until_ms = loop_now(g->loop) + DENIED_MS;
}

bool gate_may_ask(const struct pending *p, int64_t now_ms)
{
	return !p || p->state != PENDING_DENIED || now_ms >= p->until_ms;
}
