#include "core/gate/gate.h"

#include "core/base/limits.h"
#include "core/base/mem.h"

/*
 * Changes of who is let in. A yes: persist, then memory, then speak. A no: memory, then persist, then speak; when the disk
 * refuses a no, it is tried again until it holds, and only then spoken: nobody who was told no comes back with a restart.
 * Each change of an item has a number; a change that was overtaken by a newer one no longer takes effect.
 */

static const int64_t AGAIN_MS = 10000;

struct change {
	struct gate *gate;
	struct thing *thing;
	char *jid;
	uint64_t number;
	enum subscription subscription;
	enum role role;
	bool asked;
	struct gate_after after;
	struct timer again;
	struct list link; /* in gate.retries while again is set */
};

static struct change *change_new(struct gate *g, struct thing *t, const char *jid, const struct gate_after *after)
{
	struct change *c = mem_new(sizeof(*c));
	*c = (struct change){ .gate = g, .thing = t, .jid = mem_text(jid), .number = ++g->changes };
	if (after)
		c->after = *after;
	return c;
}

static void change_end(struct change *c, int status)
{
	if (c->after.fn)
		c->after.fn(c->after.ctx, c->thing, c->jid, status);
	mem_free(c->jid);
	mem_free(c);
}

static void complain(struct change *c, const char *what, const struct err *why)
{
	log_error(c->gate->log, "thing '%s': %s could not be stored: %s", c->thing->local, what, why->text);
}

static void store_item(struct change *c, void (*done)(void *ctx, int status, const struct err *why))
{
	const char digit[] = "0123";
	const char subscription[2] = { digit[c->subscription] }, role[2] = { digit[c->role] };
	const char *const put[] = { c->thing->local, c->jid, subscription, role, c->asked ? "1" : "0" };
	bool gone = c->subscription == SUBSCRIPTION_NONE && !c->asked;
	if (c->gate->server_roster)
		done(c, 0, NULL);
	else
		store_put(c->gate->store, gone ? STORE_FRIEND_DROP : STORE_FRIEND_PUT, put, done, c);
}

static void yes_done(void *ctx, int status, const struct err *why)
{
	struct change *c = ctx;
	struct friend *f = thing_find_friend(c->thing, c->jid);
	if (status < 0)
		complain(c, "a new friend", why);
	else if (!f || f->change != c->number)
		status = -1;              /* a newer change has overtaken it */
	else if (!c->gate->server_roster) /* else the server's push is the truth */
		f->subscription = c->subscription;
	change_end(c, status);
}

static size_t count_friends(const struct thing *t)
{
	size_t n = 0;
	list_each(at, &t->friends) n++;
	return n;
}

void gate_let_in(struct gate *g, struct thing *t, const char *jid, enum role role, const struct gate_after *after)
{
	struct change *c = change_new(g, t, jid, after);
	if (!thing_find_friend(t, jid) && count_friends(t) >= LIMIT_FRIENDS) {
		log_warn(g->log, "thing '%s': has %d friends already: one more is refused", t->local, LIMIT_FRIENDS);
		change_end(c, -1);
		return;
	}
	struct friend *f = thing_add_friend(t, jid);
	f->role = role;
	f->change = c->number;
	c->subscription = f->subscription | SUBSCRIPTION_FROM;
	c->role = role;
	c->asked = f->asked;
	store_item(c, yes_done);
}

static void no_done(void *ctx, int status, const struct err *why);

static void store_again(void *ctx)
{
	struct change *c = ctx;
	list_drop(&c->link);
	store_item(c, no_done);
}

static void no_done(void *ctx, int status, const struct err *why)
{
	struct change *c = ctx;
	struct friend *f = thing_find_friend(c->thing, c->jid);
	bool newest = f ? f->change == c->number : true;
	if (status < 0 && newest) {
		complain(c, "an end of friendship", why);
		timer_set(c->gate->loop, &c->again, AGAIN_MS, store_again, c);
		list_add(&c->gate->retries, &c->link);
		return;
	}
	change_end(c, status);
}

/* Memory at once: what remains of the item is in the change, for the store. */
static struct change *apply(struct gate *g, struct thing *t, const char *jid, enum subscription s, bool asked,
			    const struct gate_after *after)
{
	struct change *c = change_new(g, t, jid, after);
	struct friend *f = thing_add_friend(t, jid);
	f->subscription = c->subscription = s;
	f->asked = c->asked = asked;
	f->change = c->number;
	c->role = f->role;
	if (s == SUBSCRIPTION_NONE && !asked)
		thing_drop_friend(f);
	return c;
}

void gate_put_out(struct gate *g, struct thing *t, const char *jid, const struct gate_after *after)
{
	const struct friend *f = thing_find_friend(t, jid);
	enum subscription rest = f ? f->subscription & SUBSCRIPTION_TO : SUBSCRIPTION_NONE;
	store_item(apply(g, t, jid, rest, f && f->asked, after), no_done);
}

void gate_set_subscription(struct gate *g, struct thing *t, const char *jid, enum subscription s, bool asked,
			   const struct gate_after *after)
{
	store_item(apply(g, t, jid, s, asked, after), no_done);
}

void gate_end_retries(struct gate *g)
{
	struct list *at;
	while ((at = list_pop(&g->retries))) {
		struct change *c = list_of(at, struct change, link);
		timer_stop(g->loop, &c->again);
		mem_free(c->jid);
		mem_free(c);
	}
}
