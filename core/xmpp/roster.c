#include "core/xmpp/roster.h"

#include "core/xmpp/presence.h"
#include "core/xmpp/siot.h"

static void let_in_done(void *ctx, struct thing *thing, const char *jid, int status)
{
	struct things *t = ctx;
	if (status < 0)
		return;
	presence_say(t, thing, "subscribed", jid);
	if (!t->link->accounts)
		presence_state(t, thing, jid); /* the server does not ask for it (wire.md 3.3) */
}

static bool is_in(const struct thing *thing, const char *jid)
{
	const struct friend *f = thing_find_friend(thing, jid);
	return f && (f->subscription & SUBSCRIPTION_FROM);
}

void roster_approve(struct things *t, struct thing *thing, const char *jid)
{
	const struct gate_after after = { let_in_done, t };
	strangers_forget(t->strangers, jid, thing->local);
	if (is_in(thing, jid)) {
		gate_forget_pending(t->gate, thing, jid);
		let_in_done(t, thing, jid, 0);
		return;
	}
	enum role role = gate_is_service(t->gate, jid) ? ROLE_SERVICE
			 : gate_is_owner(thing, jid)   ? ROLE_OWNER
						       : ROLE_FRIEND;
	gate_let_in(t->gate, thing, jid, role, &after);
}

void roster_say_out(struct things *t, struct thing *thing, const char *jid)
{
	presence_unavailable(t, thing, jid); /* first, else a stale green dot stays */
	presence_say(t, thing, "unsubscribed", jid);
}

static void put_out_done(void *ctx, struct thing *thing, const char *jid, int status)
{
	if (status == 0)
		roster_say_out(ctx, thing, jid);
}

void roster_refuse(struct things *t, struct thing *thing, const char *jid)
{
	strangers_forget(t->strangers, jid, thing->local);
	presence_say(t, thing, "unsubscribed", jid);
}

void roster_revoke(struct things *t, struct thing *thing, const char *jid)
{
	const struct gate_after after = { put_out_done, t };
	strangers_forget(t->strangers, jid, thing->local);
	gate_put_out(t->gate, thing, jid, &after);
}

void roster_take_subscribe(void *self, struct incoming *in)
{
	struct things *t = self;
	struct thing *thing = in->target;
	const char *jid = in->from_bare;
	const struct pending *p = thing_find_pending(thing, jid);
	if (gate_is_service(t->gate, jid) || gate_is_owner(thing, jid) || is_in(thing, jid) ||
	    (p && p->state == PENDING_APPROVED))
		roster_approve(t, thing, jid);
	else if (!strangers_ask(t->strangers, jid, in->to_local))
		return;
	else if (gate_may_ask(p, loop_now(t->loop)))
		siot_ask_friend(t, thing, jid);
	else
		roster_refuse(t, thing, jid);
}

void roster_take_unsubscribe(void *self, struct incoming *in)
{
	struct things *t = self;
	struct thing *thing = in->target;
	const struct gate_after after = { put_out_done, t };
	const struct pending *p = thing_find_pending(thing, in->from_bare);
	strangers_forget(t->strangers, in->from_bare, in->to_local);
	if (p &&
	    p->state != PENDING_DENIED) { /* servers answer `unsubscribed` with this: he is denied all the same (S19) */
		gate_forget_pending(t->gate, thing, in->from_bare);
		siot_ask_no_more(t, thing, in->from_bare);
	}
	if (thing_find_friend(thing, in->from_bare)) /* perhaps his yes is still on its way to the disk */
		gate_put_out(t->gate, thing, in->from_bare, &after);
}

void roster_take_subscribed(void *self, struct incoming *in)
{
	struct things *t = self;
	const struct friend *f = thing_find_friend(in->target, in->from_bare);
	if (f && f->asked)
		gate_set_subscription(t->gate, in->target, in->from_bare, f->subscription | SUBSCRIPTION_TO, false,
				      NULL);
}

void roster_take_unsubscribed(void *self, struct incoming *in)
{
	struct things *t = self;
	const struct friend *f = thing_find_friend(in->target, in->from_bare);
	if (f && (f->asked || (f->subscription & SUBSCRIPTION_TO)))
		gate_set_subscription(t->gate, in->target, in->from_bare, f->subscription & SUBSCRIPTION_FROM, false,
				      NULL);
}
