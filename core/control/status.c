#include "core/control/inside.h"

#include <stdio.h>
#include <unistd.h>

/* The first line is the gateway, then one line for each bus. */

static int64_t resident_kib(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (!f)
		return 0;
	if (fscanf(f, "%*s %ld", &pages) != 1)
		pages = 0;
	fclose(f);
	return (int64_t)pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int64_t since_utc(const struct control *c, int64_t then_ms)
{
	return loop_utc(c->loop) - (loop_now(c->loop) - (then_ms ? then_ms : c->began_ms));
}

static void add_link(struct text *to, const struct control *c, const char *key, const struct control_link *l,
		     bool accounts)
{
	if (!l->there) {
		json_put(to, key, NULL);
		return;
	}
	json_begin(to, key, '{');
	json_put(to, "state", l->up ? "up" : "away");
	json_put(to, "why", l->up || !l->why || !*l->why ? NULL : l->why);
	control_add_utc(to, "since", since_utc(c, l->since_ms));
	json_put(to, "domain", l->domain);
	json_put_number(to, "connects", (int64_t)l->ups);
	json_put_number(to, "stanzas_in", (int64_t)l->taken);
	json_put_number(to, "stanzas_out", (int64_t)l->sent);
	if (accounts)
		json_put_number(to, "accounts_up", (int64_t)l->accounts);
	json_end(to, '}');
}

struct tally {
	size_t things, registered, owned, friends, waiting, orphans;
};

static struct tally count_things(const struct control *c)
{
	struct tally n = { 0 };
	const struct thing *t;
	for (size_t at = 0; c->conf->house && (t = map_next(&c->conf->house->things, &at)); n.things++) {
		n.registered += t->acknowledged || t->owner;
		n.owned += t->owner != NULL;
		n.friends += control_count_friends(t);
		list_each (it, &t->pendings)
			n.waiting += list_of(it, struct pending, link)->state != PENDING_DENIED;
	}
	n.orphans = c->gate ? c->gate->orphans.n : 0;
	return n;
}

static void add_things(struct text *to, const struct control *c, bool service_fails)
{
	struct tally n = count_things(c);
	const char *service = c->gate ? c->gate->service : NULL;
	json_put(to, "service", service);
	if (service && (service_fails || n.registered)) /* before it was heard nobody knows */
		json_put_bool(to, "service_answers", !service_fails);
	else
		json_put(to, "service_answers", NULL);
	json_begin(to, "things", '{');
	json_put_number(to, "all", (int64_t)n.things);
	json_put_number(to, "registered", (int64_t)n.registered);
	json_put_number(to, "owned", (int64_t)n.owned);
	json_put_number(to, "friends", (int64_t)n.friends);
	json_put_number(to, "waiting", (int64_t)n.waiting);
	json_put_number(to, "gone", (int64_t)n.orphans);
	json_end(to, '}');
}

static const char *const ends[WISH_STATUSES] = {
	[WISH_DONE] = "done",
	[WISH_ANSWERED] = "answered",
	[WISH_CONFIRMED] = "confirmed",
	[WISH_FORBIDDEN] = "forbidden",
	[WISH_BAD] = "bad_value",
	[WISH_NOT_FOUND] = "not_found",
	[WISH_BUSY] = "busy",
	[WISH_UNREACHABLE] = "unreachable",
	[WISH_FAILED] = "failed",
	[WISH_CANCELLED] = "cancelled",
};

static void add_ends(struct text *to, const char *key, const uint64_t *n)
{
	json_begin(to, key, '{');
	for (size_t i = 0; i < WISH_STATUSES; i++)
		json_put_number(to, ends[i], (int64_t)n[i]);
	json_end(to, '}');
}

static void say_gateway(struct client *client)
{
	const struct control *c = client->control;
	struct control_figures f = { 0 };
	struct text line = { 0 };
	c->figures(c->ctx, &f);
	json_begin(&line, NULL, '{');
	json_put(&line, "name", names_find(&c->conf->gateway.names, c->conf->gateway.language));
	json_put(&line, "version", JIDGATE_VERSION);
	json_put_bool(&line, "ready", f.ready);
	control_add_utc(&line, "since", since_utc(c, 0));
	json_put_number(&line, "uptime_ms", loop_now(c->loop) - c->began_ms);
	add_link(&line, c, "xmpp", &f.things, c->conf->xmpp.mode == MODE_ACCOUNTS);
	add_link(&line, c, "provisioner", &f.provisioner, false);
	if (f.provisioner.there)
		json_put_number(&line, "registrations", (int64_t)f.registrations);
	add_things(&line, c, f.service_fails);
	add_ends(&line, "reads", f.wishes.reads);
	add_ends(&line, "writes", f.wishes.writes);
	json_put_number(&line, "requests_open", (int64_t)f.wishes_open);
	json_put_number(&line, "notifications", (int64_t)f.notifications);
	json_put_number(&line, "memory_kib", resident_kib());
	json_put_number(&line, "longest_turn_ms", loop_longest_turn(c->loop));
	json_end(&line, '}');
	control_say(client, &line);
}

static void add_points(struct text *to, const struct bridge *b)
{
	size_t n[QUALITY_BAD + 1] = { 0 };
	for (size_t i = 0; i < b->n_points; i++)
		n[b->points[i]->last.quality]++;
	json_put_number(to, "points", (int64_t)b->n_points);
	for (int q = 0; q <= QUALITY_BAD; q++)
		json_put_number(to, quality_word((enum quality)q), (int64_t)n[q]);
}

static void add_counts(struct text *to, const struct bridge_counts *n)
{
	json_put_number(to, "reads", (int64_t)n->reads);
	json_put_number(to, "read_errors", (int64_t)n->read_errors);
	json_put_number(to, "writes", (int64_t)n->writes);
	json_put_number(to, "write_errors", (int64_t)n->write_errors);
	json_put_number(to, "samples", (int64_t)n->samples);
	json_put_number(to, "news", (int64_t)n->news);
	json_put_number(to, "ups", (int64_t)n->ups);
	json_put_number(to, "aways", (int64_t)n->aways);
	if (n->last_request_ms >= 0)
		json_put_number(to, "last_request_ms", n->last_request_ms);
	if (n->busy_percent >= 0)
		json_put_number(to, "busy_percent", n->busy_percent);
}

static void say_bus(struct client *client, const struct bus *bus)
{
	struct bridge *b = bus->bridge;
	struct text line = { 0 };
	if (!b)
		return;
	bool away = b->state != BRIDGE_UP && *b->why.text; /* also while it is opened again */
	struct bridge_counts n = bridge_count(b);
	json_begin(&line, NULL, '{');
	json_put(&line, "bus", bus->id);
	json_put(&line, "protocol", bus->protocol);
	json_put(&line, "state", bridge_state_word(away && b->state == BRIDGE_OPENING ? BRIDGE_AWAY : b->state));
	json_put(&line, "why", away ? b->why.text : NULL);
	control_add_utc(&line, "since", since_utc(client->control, b->since_ms));
	add_points(&line, b);
	json_put_number(&line, "waiting", (int64_t)b->n_waiting);
	add_counts(&line, &n);
	json_end(&line, '}');
	control_say(client, &line);
}

enum progress status_more(struct client *c)
{
	const struct house *h = c->control->conf->house;
	if (c->at == 0)
		say_gateway(c);
	else if (h && c->at <= h->n_buses)
		say_bus(c, h->buses[c->at - 1]);
	else
		return PROGRESS_END;
	c->at++;
	return PROGRESS_MORE;
}
