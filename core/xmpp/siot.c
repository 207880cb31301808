#include "core/xmpp/siot.h"

#include "core/base/mem.h"
#include "core/base/text.h"
#include "core/xmpp/presence.h"
#include "core/xmpp/roster.h"

#include <string.h>

/*
 * What the service tells us. Each stanza may come as a message or as an iq set, to the bare or the full JID (S12, S29), and
 * any number of times. From anybody but the service it is dropped and said in the log; an iq gets what any stranger gets (S37).
 */

static void note_other(const struct things *t, const struct incoming *in)
{
	char who[64];
	log_outside(t->log, LOG_LEVEL_WARN, "thing '%s': %s speaks as a provisioning service but is not ours: dropped",
		    in->to_local, text_quote(who, sizeof(who), in->from, strlen(in->from)));
}

void siot_note_stranger(const struct things *t, const struct incoming *in)
{
	for (const struct element *e = in->stanza->first; e; e = e->next)
		if (text_same(e->xmlns, SIOT_NS) || text_same(e->xmlns, SIOT_X_NS)) {
			note_other(t, in);
			return;
		}
}

static bool from_service(const struct things *t, struct incoming *in)
{
	if (gate_is_service(t->gate, in->from_bare) && (strchr(in->from_bare, '@') || !jid_resource(in->from)))
		return true; /* a domain speaks without a resource */
	note_other(t, in);
	if (in->answer.armed)
		reply_refuse(&in->answer, &reply_service_unavailable, NULL);
	return false;
}

bool siot_is_known(const struct thing *thing)
{
	return thing->acknowledged || thing->owner;
}

static void acknowledge(struct incoming *in)
{
	if (in->answer.armed)
		reply_empty(&in->answer);
}

static void refuse(struct incoming *in, const struct reply_error *why)
{
	if (in->answer.armed)
		reply_refuse(&in->answer, why, NULL);
}

/* What is said when a change holds: to the service, if it came as an iq, and to those who were friends until then. */
struct saying {
	struct things *things;
	struct answer *answer; /* NULL: a message */
	size_t n;
	char *jids[];
};

static struct saying *saying_new(struct things *t, struct incoming *in, size_t n)
{
	struct saying *s = mem_new(sizeof(*s) + n * sizeof(char *));
	s->things = t;
	if (in && in->answer.armed)
		s->answer = reply_later(&in->answer);
	return s;
}

static void saying_end(struct saying *s, int status)
{
	if (s->answer && status == 0)
		reply_empty(s->answer);
	else if (s->answer)
		reply_refuse(s->answer, &reply_internal, NULL);
	for (size_t i = 0; i < s->n; i++)
		mem_free(s->jids[i]);
	mem_free(s);
}

/* He was let in as owner, not by the service's word. */
static void put_out_former(struct things *t, struct thing *thing)
{
	list_each (at, &thing->friends) {
		const struct friend *f = list_of(at, struct friend, link);
		if (f->role == ROLE_OWNER && !gate_is_owner(thing, f->jid))
			roster_revoke(t, thing, f->jid);
	}
}

static void owner_done(void *ctx, struct thing *thing, const char *owner, int status)
{
	struct saying *s = ctx;
	struct things *t = s->things;
	if (status == 0) {
		log_info(t->log, "thing '%s': owned by %s", thing->local, owner);
		put_out_former(t, thing);
		if (thing_find_pending(thing, owner)) /* he asked before he claimed */
			roster_approve(t, thing, owner);
	}
	saying_end(s, status);
}

void siot_take_owner(void *self, struct incoming *in)
{
	struct things *t = self;
	struct thing *thing = in->target;
	const char *jid = element_get(in->payload, "jid");
	char owner[JID_BARE_ROOM];
	if (!from_service(t, in))
		return;
	if (!jid || jid_bare(jid, owner) < 0) {
		refuse(in, &reply_bad_request);
		return;
	}
	if (!siot_is_known(thing)) {
		log_info(t->log, "thing '%s': %s owned it before; it is registered anew first", thing->local, owner);
		refuse(in, &reply_not_allowed);
		return;
	}
	if (gate_is_owner(thing, owner)) {
		acknowledge(in);
		return;
	}
	const struct gate_after after = { owner_done, saying_new(t, in, 0) };
	gate_own(t->gate, thing, owner, &after);
}

static void take_yes(struct things *t, struct thing *thing, const char *jid)
{
	const struct pending *p = thing_find_pending(thing, jid);
	const struct friend *f = thing_find_friend(thing, jid);
	if (!siot_is_known(thing))
		return;
	if (p && p->subscribed_first && p->state != PENDING_DENIED)
		roster_approve(t, thing, jid);
	else if (!f || !(f->subscription & SUBSCRIPTION_FROM))
		gate_remember(t->gate, thing, jid, PENDING_APPROVED, false); /* the next subscribe is granted (S21) */
}

/* Also to somebody who is not a friend here: an `unsubscribed` that was lost while the link was down is made good (S29). */
static void take_no(struct things *t, struct thing *thing, const char *jid)
{
	if (gate_is_owner(thing, jid))
		return; /* S24 */
	gate_deny(t->gate, thing, jid);
	roster_revoke(t, thing, jid);
}

static const struct {
	const char *word;
	void (*take)(struct things *t, struct thing *thing, const char *jid);
} states[] = { { "yes", take_yes }, { "no", take_no } };

static void take_item(struct things *t, struct thing *thing, const struct element *item)
{
	const char *jid = element_get(item, "jid"), *word = element_get(item, "friend");
	char bare[JID_BARE_ROOM];
	if (!jid || !word || jid_bare(jid, bare) < 0 || gate_is_service(t->gate, bare))
		return; /* S27: what is neither yes nor no is no news */
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (text_same(word, states[i].word))
			states[i].take(t, thing, bare);
}

void siot_take_states(void *self, struct incoming *in)
{
	if (!from_service(self, in))
		return;
	for (const struct element *e = element_child(in->payload, "item", NULL); e; e = element_next(e, "item", NULL))
		take_item(self, in->target, e);
	acknowledge(in);
}

/* Its device has a new key, too: whoever can still be claimed by it must say so. */
static void register_siblings(struct things *t, const struct thing *thing)
{
	for (size_t i = 0; thing->device && i < thing->device->n_points; i++) {
		struct thing *sibling = thing->device->points[i]->thing;
		if (sibling && sibling->key && !sibling->owner &&
		    (i == 0 || sibling != thing->device->points[i - 1]->thing))
			siot_register(t, sibling);
	}
}

static void reset_done(void *ctx, struct thing *thing, const char *key, int status)
{
	struct saying *s = ctx;
	struct things *t = s->things;
	(void)key;
	for (size_t i = 0; i < s->n && status == 0; i++) {
		presence_unavailable(t, thing, s->jids[i]);
		presence_say(t, thing, "unsubscribed", s->jids[i]);
	}
	if (status == 0) {
		log_info(t->log, "thing '%s': reset; it has a new key and no owner", thing->local);
		register_siblings(t, thing);
	}
	saying_end(s, status);
}

static void reset(struct things *t, struct thing *thing, struct incoming *in)
{
	size_t n = 0;
	list_each (at, &thing->friends)
		n++;
	struct saying *s = saying_new(t, in, n);
	list_each (at, &thing->friends) {
		const struct friend *f = list_of(at, struct friend, link);
		if (f->role != ROLE_SERVICE && (f->subscription & SUBSCRIPTION_FROM))
			s->jids[s->n++] = mem_text(f->jid);
	}
	const struct gate_after after = { reset_done, s };
	gate_reset(t->gate, thing, &after);
}

void siot_reset(struct things *t, struct thing *thing)
{
	if (!thing->resetting)
		reset(t, thing, NULL);
}

void siot_take_disowned(void *self, struct incoming *in)
{
	const struct thing *thing = in->target;
	if (!from_service(self, in))
		return;
	if (thing->resetting)
		refuse(in, &reply_resource_constraint); /* the first one is answered when it holds */
	else
		reset(self, in->target, in);
}
