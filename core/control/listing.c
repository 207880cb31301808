#include "core/base/text.h"
#include "core/control/inside.h"

#include <string.h>

/*
 * Lists walk the house by two numbers, device and point, that are looked at anew in every turn: devices may come and go in between.
 * Behind the house come the things that are kept but in no configuration any more; they are few.
 */

static char *cut_domain(struct client *c)
{
	char *local = c->question.n_args ? c->question.args[0] : NULL;
	if (local)
		local[strcspn(local, "@")] = '\0';
	return local;
}

static const struct house *house_of(const struct client *c)
{
	return c->control->conf->house;
}

/* The next point of a thing, or NULL at the end. */
static const struct point *next_point(struct client *c)
{
	const struct house *h = house_of(c);
	for (; h && c->at < h->n_devices; c->at++, c->at_inner = 0) {
		const struct device *d = h->devices[c->at];
		while (!d->broken && c->at_inner < d->n_points) {
			const struct point *p = d->points[c->at_inner++];
			if (p->thing && !p->disabled)
				return p;
		}
	}
	return NULL;
}

/* Things follow each other as their points do. */
static const struct thing *next_thing(struct client *c)
{
	const struct point *p;
	while ((p = next_point(c)))
		if (p == p->thing->points[0])
			return p->thing;
	return NULL;
}

static const struct thing *next_orphan(struct client *c)
{
	const struct gate *g = c->control->gate;
	return g ? map_next(&g->orphans, &c->at_inner) : NULL;
}

static void add_jid(struct text *to, const struct client *c, const char *key, const char *local)
{
	struct text jid = { 0 };
	text_addf(&jid, "%s@%s", local, c->control->conf->xmpp.domain);
	json_put(to, key, jid.data);
	text_free(&jid);
}

static const char *name_in(const struct client *c, const struct names *names)
{
	const char *name = names_find(names, c->control->conf->gateway.language);
	return name ? name : "";
}

static void add_thing(struct text *to, const struct client *c, const struct thing *t)
{
	json_begin(to, NULL, '{');
	add_jid(to, c, "thing", t->local);
	json_put(to, "name", name_in(c, &t->names));
}

static void add_owner(struct text *to, const struct thing *t)
{
	size_t n = control_count_friends(t);
	json_put(to, "owner", t->owner);
	json_put_bool(to, "registered", t->acknowledged || t->owner);
	json_put_number(to, "friends", (int64_t)n);
}

static void say_point(struct client *c, const struct point *p)
{
	struct text line = { 0 };
	add_thing(&line, c, p->thing);
	control_add_point(&line, p);
	json_put(&line, "point_name", name_in(c, &p->names));
	control_add_sample(&line, &p->last, p->unit, loop_utc(c->control->loop));
	json_put_bool(&line, "writable", p->access & ACCESS_WRITE);
	if (p->written_ms)
		json_put_number(&line, "written_age_ms", loop_now(c->control->loop) - p->written_ms);
	add_owner(&line, p->thing);
	json_end(&line, '}');
	control_say(c, &line);
}

static void say_orphan(struct client *c, const struct thing *t)
{
	struct text line = { 0 };
	json_begin(&line, NULL, '{');
	add_jid(&line, c, "thing", t->local);
	json_put_bool(&line, "gone", true);
	add_owner(&line, t);
	json_end(&line, '}');
	control_say(c, &line);
}

static bool is_wanted(const struct client *c, const struct thing *t)
{
	const char *what = control_arg(c, 0);
	return !what || text_same(what, t->local) || (t->device && text_same(what, t->device->id));
}

/* Of all lists. */
static int need_things(const struct client *c, struct err *e)
{
	return house_of(c) ? 0 : err_set(e, "this is a provisioning service: it has no things of its own");
}

static bool is_known(const struct control *control, const char *what)
{
	const struct house *h = control->conf->house;
	return house_find_thing(h, what, strlen(what)) || house_find_device(h, what) ||
	       (control->gate && map_find(&control->gate->orphans, what));
}

int listing_begin_things(struct client *c, struct err *e)
{
	const char *what = cut_domain(c);
	if (need_things(c, e) < 0)
		return -1;
	if (!what || is_known(c->control, what))
		return 0;
	return err_set(e, "there is no thing or device '%.200s'; see jidgate things", what);
}

int listing_begin_labels(struct client *c, struct err *e)
{
	return need_things(c, e);
}

enum progress listing_more_things(struct client *c)
{
	const struct point *p = next_point(c);
	const struct thing *orphan = p ? NULL : next_orphan(c);
	if (p && is_wanted(c, p->thing))
		say_point(c, p);
	else if (orphan && is_wanted(c, orphan))
		say_orphan(c, orphan);
	return p || orphan ? PROGRESS_MORE : PROGRESS_END;
}

static const char *const subscriptions[] = { "none", "from", "to", "both" };
static const char *const roles[] = { "friend", "owner", "service" };
static const char *const waits[] = { "asking", "waiting", "approved", "denied" };

static void say_person(struct client *c, const struct thing *t, const char *jid, const char *state, const char *item)
{
	struct text line = { 0 };
	json_begin(&line, NULL, '{');
	add_jid(&line, c, "thing", t->local);
	json_put(&line, "jid", jid);
	json_put(&line, "state", state);
	json_put(&line, "subscription", item);
	json_end(&line, '}');
	control_say(c, &line);
}

/* Who is let in, and who waits; at most LIMIT_FRIENDS and LIMIT_PENDING of one thing. */
static void say_friends(struct client *c, const struct thing *t)
{
	if (t->owner && !thing_find_friend(t, t->owner))
		say_person(c, t, t->owner, roles[ROLE_OWNER], subscriptions[SUBSCRIPTION_NONE]);
	list_each (at, &t->friends) {
		const struct friend *f = list_of(at, struct friend, link);
		enum role role = gate_is_owner(t, f->jid) ? ROLE_OWNER : f->role;
		if (f->subscription != SUBSCRIPTION_NONE)
			say_person(c, t, f->jid, roles[role], subscriptions[f->subscription]);
	}
	list_each (at, &t->pendings) {
		const struct pending *p = list_of(at, struct pending, link);
		say_person(c, t, p->jid, waits[p->state], subscriptions[SUBSCRIPTION_NONE]);
	}
}

int listing_begin_friends(struct client *c, struct err *e)
{
	const char *local = cut_domain(c);
	if (need_things(c, e) < 0)
		return -1;
	if (!local || house_find_thing(house_of(c), local, strlen(local)))
		return 0;
	return err_set(e, "there is no thing '%.200s'; see jidgate things", local);
}

enum progress listing_more_friends(struct client *c)
{
	const struct thing *t = next_thing(c);
	if (t && is_wanted(c, t))
		say_friends(c, t);
	return t ? PROGRESS_MORE : PROGRESS_END;
}

enum progress listing_more_labels(struct client *c)
{
	const struct thing *t = next_thing(c);
	const struct gate *g = c->control->gate;
	struct text line = { 0 };
	if (!t)
		return PROGRESS_END;
	add_thing(&line, c, t);
	json_put(&line, "key", t->owner ? NULL : t->key);
	json_put(&line, "device", t->device->id);
	json_put(&line, "device_name", name_in(c, &t->device->names));
	json_put(&line, "group_key", t->device->group_key);
	json_put(&line, "service", g ? g->service : NULL);
	json_end(&line, '}');
	control_say(c, &line);
	return PROGRESS_MORE;
}
