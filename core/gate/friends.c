#include "core/gate/gate.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/gate/retry.h"

/*
 * Changes of who is let in. A yes: persist, then memory, then speak. A no: memory, then persist, then speak. What the disk
 * refuses is tried again until it holds, and only then spoken: nobody who was told no comes back with a restart, nobody who was
 * told yes is out. Each change of an item has a number; a change that was overtaken by a newer one no longer takes effect.
 */

struct change {
	struct retry retry;
	struct thing *thing;
	char *jid;
	uint64_t number;
	bool yes;
	enum subscription subscription;
	enum role role;
	bool asked, out;
	struct gate_after after;
};

static struct change *change_of(struct retry *r)
{
	return list_of(r, struct change, retry);
}

static void change_end(struct change *c, int status)
{
	if (c->after.fn)
		c->after.fn(c->after.ctx, c->thing, c->jid, status);
	c->thing->n_changes--;
	mem_free(c->jid);
	mem_free(c);
}

/* An item that is gone has taken every yes with it; a no has nothing to overtake it there. */
static bool is_newest(const struct change *c)
{
	const struct friend *f = thing_find_friend(c->thing, c->jid);
	return f ? f->change == c->number : !c->yes;
}

static void stored(void *ctx, int status, const struct err *why)
{
	struct change *c = ctx;
	if (status < 0 && is_newest(c)) {
		retry_later(&c->retry, c->thing, c->yes ? "a new friend" : "an end of friendship", why);
		return;
	}
	if (c->yes && !is_newest(c))
		status = -1;
	else if (c->yes && status == 0) {
		if (!c->retry.gate->server_roster) /* else the server's push is the truth */
			thing_find_friend(c->thing, c->jid)->subscription = c->subscription;
		thing_drop_pending(thing_find_pending(c->thing, c->jid));
	}
	change_end(c, status);
}

/* When the server keeps the roster, only who was told no is kept here, until its roster shows it: an account that loses its
 * connection meanwhile must not let him in again. With the end of his request, of which nothing is lost while he is not in. */
static void store_item(struct change *c)
{
	const char digit[] = "0123";
	const char subscription[2] = { digit[c->subscription] }, role[2] = { digit[c->role] };
	const char *const put[] = { c->thing->local, c->jid, subscription, role, c->asked ? "1" : "0" };
	bool gone = c->subscription == SUBSCRIPTION_NONE && !c->asked, own = !c->retry.gate->server_roster;
	struct store *s = c->retry.gate->store;
	if (!own && !c->yes && !c->out) {
		stored(c, 0, NULL);
		return;
	}
	store_begin(s);
	if (own ? gone : !c->out)
		store_put(s, STORE_FRIEND_DROP, put, c->yes ? NULL : stored, c);
	else
		store_put(s, STORE_FRIEND_PUT, put, c->yes ? NULL : stored, c);
	if (c->yes)
		store_put(s, STORE_PENDING_DROP, put, stored, c);
	store_end(s);
}

static void store_again(struct retry *r)
{
	if (is_newest(change_of(r)))
		store_item(change_of(r));
	else
		change_end(change_of(r), -1);
}

static void give_up(struct retry *r)
{
	change_end(change_of(r), -1);
}

static struct change *change_new(struct gate *g, struct thing *t, const char *jid, const struct gate_after *after)
{
	struct change *c = mem_new(sizeof(*c));
	*c = (struct change){ .retry = { .gate = g, .again = store_again, .give_up = give_up },
			      .thing = t,
			      .jid = mem_text(jid),
			      .number = ++g->changes };
	t->n_changes++;
	if (after)
		c->after = *after;
	return c;
}

void gate_let_in(struct gate *g, struct thing *t, const char *jid, enum role role, const struct gate_after *after)
{
	struct change *c = change_new(g, t, jid, after);
	if (!thing_find_friend(t, jid) && t->n_friends >= LIMIT_FRIENDS) {
		log_outside(g->log, LOG_LEVEL_WARN, "thing '%s': has %d friends already: one more is refused", t->local,
			    LIMIT_FRIENDS);
		change_end(c, -1);
		return;
	}
	struct friend *f = thing_add_friend(t, jid);
	struct pending *p = thing_find_pending(t, jid);
	if (p)
		p->state = PENDING_APPROVED; /* no answer that is on its way says otherwise (S20) */
	f->role = role;
	f->change = c->number;
	f->out = false;
	c->yes = true;
	c->subscription = f->subscription | SUBSCRIPTION_FROM;
	c->role = role;
	c->asked = f->asked;
	store_item(c);
}

/* Memory at once: what remains of the item is in the change, for the store. */
static void apply(struct gate *g, struct thing *t, const char *jid, enum subscription s, bool asked,
		  const struct gate_after *after)
{
	struct change *c = change_new(g, t, jid, after);
	struct friend *f = thing_add_friend(t, jid);
	bool was_in = f->subscription & SUBSCRIPTION_FROM, is_in = s & SUBSCRIPTION_FROM;
	f->out = c->out = g->server_roster && !is_in && (was_in || f->out);
	f->subscription = c->subscription = s;
	f->asked = c->asked = asked;
	f->change = c->number;
	c->role = f->role;
	if (s == SUBSCRIPTION_NONE && !asked && !f->out)
		thing_drop_friend(f);
	store_item(c);
}

void gate_confirm_out(struct gate *g, struct thing *t, const char *jid)
{
	struct friend *f = thing_find_friend(t, jid);
	const char *const put[] = { t->local, jid };
	if (!f || !f->out)
		return;
	store_put(g->store, STORE_FRIEND_DROP, put, NULL, NULL);
	f->out = false;
	if (f->subscription == SUBSCRIPTION_NONE && !f->asked)
		thing_drop_friend(f);
}

void gate_put_out(struct gate *g, struct thing *t, const char *jid, const struct gate_after *after)
{
	const struct friend *f = thing_find_friend(t, jid);
	enum subscription rest = f ? f->subscription & SUBSCRIPTION_TO : SUBSCRIPTION_NONE;
	apply(g, t, jid, rest, f && f->asked, after);
}

void gate_set_subscription(struct gate *g, struct thing *t, const char *jid, enum subscription s, bool asked,
			   const struct gate_after *after)
{
	apply(g, t, jid, s, asked, after);
}
