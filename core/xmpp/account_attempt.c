#include "core/xmpp/account_attempt.h"

#include "core/base/mem.h"
#include "core/conf/secret.h"
#include "core/xmpp/reply.h"
#include "core/xmpp/route.h"
#include "core/xmpp/things.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

/*
 * An account waits for its time (timer), then in the queue for its turn, then logs in, then is up. What ends a stream puts it
 * back to the first: after full jitter, or, when haste would not help, after the time of its trouble's row. The server's
 * addresses are looked up for all of them together.
 */

static const int64_t STEADY_MS = 60000, ADDRESS_MS = 60000, REMIND_MS = 180000, SETTLE_MS = 60000;

enum { CONNECTING = 20 }; /* log in at the same time: a restarted server is not stormed */

/* In the log: one line when things have come to rest, and one for each new cause. */

static void tell_count(struct accounts *all)
{
	if (all->n_up == all->n_told || all->n_open > all->n_up || !list_empty(&all->queue) || all->closing)
		return;
	all->n_told = all->n_up;
	if (all->n_up == all->n)
		all->said.text[0] = '\0';
	log_info(all->link.log, "%s: %zu of %zu accounts are connected to %s", all->link.name, all->n_up, all->n,
		 *all->settings->host ? all->settings->host : all->domain);
}

/* A server that goes away ends many connections in several ways: the first is said. false: it was not said. */
static bool complain_server(struct accounts *all, const struct account_trouble *trouble, const struct err *why)
{
	int64_t now = loop_now(all->link.loop);
	int64_t since = all->said.text[0] ? now - all->said_ms : INT64_MAX;
	bool again = text_same(all->said.text, why->text);
	if (trouble->loud ? again && since < REMIND_MS : again || since < SETTLE_MS)
		return false;
	all->said = *why;
	all->said_ms = now;
	if (trouble->loud)
		log_error(all->link.log, "%s: away: %s", all->link.name, why->text);
	else
		log_warn(all->link.log, "%s: away: %s", all->link.name, why->text);
	return true;
}

static void complain(struct account *a, const struct account_trouble *trouble, const struct err *why, int64_t delay)
{
	struct accounts *all = a->all;
	double seconds = (double)delay / 1000;
	if (trouble->of_account && trouble->loud)
		log_error(all->link.log, "%s: thing '%s' is away: %s; again in %.0f s", all->link.name, a->local,
			  why->text, seconds);
	else if (trouble->of_account)
		log_warn(all->link.log, "%s: thing '%s' is away: %s; again in %.0f s", all->link.name, a->local,
			 why->text, seconds);
	else if (!complain_server(all, trouble, why))
		log_debug(all->link.log, "%s: thing '%s' is away: %s; again in %.1f s", all->link.name, a->local,
			  why->text, seconds);
}

/* Attempts */

static void pump(struct accounts *all);

void account_attempt_due(struct account *a)
{
	list_add(&a->all->queue, &a->queued);
	pump(a->all);
}

static void its_time(void *ctx)
{
	account_attempt_due(ctx);
}

static void note_tried(struct account *a)
{
	a->all->n_tried += !a->tried;
	a->tried = true;
}

static void away(struct account *a, const struct account_trouble *trouble, const struct err *why)
{
	struct loop *loop = a->all->link.loop;
	int64_t delay = trouble->least_ms ? (int64_t)trouble->least_ms + loop_random(loop, trouble->jitter_ms)
					  : backoff_next(&a->backoff, loop);
	timer_set(loop, &a->timer, delay, its_time, a);
	note_tried(a);
	complain(a, trouble, why, delay);
	link_tell_down(&a->all->link, a->local, why);
}

static void finish(void *ctx)
{
	struct accounts *all = ctx;
	loop_drop_hook(all->link.loop, &all->hook);
	all->running = all->closing = false;
	all->link.events->on_closed(all->link.ctx);
}

void account_attempt_end(struct accounts *all)
{
	if (all->closing && all->n_open == 0 && !all->server)
		timer_set(all->link.loop, &all->closed, 0, finish, all);
}

static void on_stream_up(void *ctx)
{
	struct account *a = ctx;
	if (!a->thing)
		return;
	note_tried(a);
	a->up = true;
	a->all->n_up++;
	a->up_since = loop_now(a->all->link.loop);
	log_debug(a->all->link.log, "%s: thing '%s' is logged in", a->all->link.name, a->local);
	link_tell_up(&a->all->link, a->local);
	pump(a->all);
	tell_count(a->all);
}

static void forget_password(struct account *a)
{
	secret_free(a->password);
	a->password = NULL;
}

void account_attempt_free(struct account *a)
{
	forget_password(a);
	text_free(&a->out);
	mem_free(a->local);
	mem_free(a->jid);
	mem_free(a);
}

static void on_stream_end(void *ctx, const struct account_trouble *trouble, const struct err *why)
{
	struct account *a = ctx;
	struct accounts *all = a->all;
	if (a->up && loop_now(all->link.loop) - a->up_since >= STEADY_MS)
		backoff_reset(&a->backoff);
	if (a->up)
		all->n_up--;
	else
		a->failures++;
	all->n_open--;
	a->up = false;
	a->stream = NULL;
	text_free(&a->out);
	list_drop(&a->dirty);
	if (!a->thing) {
		account_attempt_free(a);
		pump(all);
		tell_count(all);
		account_attempt_end(all);
		return;
	}
	if (text_same(trouble->word, "refused"))
		forget_password(a); /* the file is read again: somebody may have mended it */
	if (!all->closing) {
		away(a, trouble, why);
		pump(all);
		tell_count(all);
	}
	account_attempt_end(all);
}

/* The server leaves addresses away where it speaks for the own account (RFC 6120, 8.1.1.1 and 8.1.2.1). What it says of others
 * is true: the parser knows a `from` from somebody's x:from. false: not for this account. */
static bool fill_in(const struct account *a, struct element *stanza, struct attribute room[2])
{
	const char *to = element_get(stanza, "to");
	char bare[JID_BARE_ROOM];
	if (to && (jid_bare(to, bare) < 0 || !text_same(bare, a->jid)))
		return false;
	if (!to) {
		room[0] = (struct attribute){ .name = "to", .value = a->jid, .next = stanza->attributes };
		stanza->attributes = &room[0];
	}
	if (!element_get(stanza, "from")) {
		room[1] = (struct attribute){ .name = "from", .value = a->jid, .next = stanza->attributes };
		stanza->attributes = &room[1];
	}
	return true;
}

static void on_stream_stanza(void *ctx, struct element *stanza)
{
	struct account *a = ctx;
	struct attribute room[2];
	if (a->thing && fill_in(a, stanza, room))
		link_tell_stanza(&a->all->link, stanza);
}

static void on_stream_over(void *ctx, struct element *start)
{
	struct account *a = ctx;
	struct attribute room[2];
	struct incoming in;
	struct incoming_room addresses;
	if (a->thing && fill_in(a, start, room) && incoming_read(&in, &addresses, &a->all->link, start) == 0 &&
	    in.answer.armed)
		reply_refuse(&in.answer, &reply_policy_violation, "The stanza is too large.");
}

static const struct account_stream_events stream_events = { on_stream_up, on_stream_stanza, on_stream_over,
							    on_stream_end };

static int read_password(struct account *a, struct err *e)
{
	const char *file = a->thing->password_file;
	if (!file)
		return err_set(e, "it has no password_file");
	return secret_read(file, a->thing->device->file, &a->password, e) < 0 ? err_wrap(e, "password_file") : 0;
}

static unsigned short port_of(const struct sockaddr_storage *address)
{
	const struct sockaddr_in6 *six = (const void *)address;
	const struct sockaddr_in *four = (const void *)address;
	return ntohs(address->ss_family == AF_INET6 ? six->sin6_port : four->sin_port);
}

static void log_in(struct account *a)
{
	struct accounts *all = a->all;
	struct err e;
	const struct sockaddr_storage *address = &all->addresses[a->failures % all->n_addresses];
	if (!a->password && read_password(a, &e) < 0) {
		away(a, account_trouble_find("password"), &e);
		return;
	}
	must(getnameinfo((const struct sockaddr *)address, resolve_size(address), a->address, sizeof(a->address), NULL,
			 0, NI_NUMERICHOST) == 0);
	a->who = (struct account_who){ .jid = a->jid,
				       .password = a->password,
				       .ca_file = all->settings->ca_file,
				       .address = a->address,
				       .port = port_of(address) };
	all->n_open++;
	a->stream = account_stream_open(a->thread, all->link.loop, &a->who, all->domain, THINGS_RESOURCE,
					&stream_events, a);
}

static void on_addresses(void *ctx, const struct sockaddr_storage *list, size_t n, const struct err *why)
{
	struct accounts *all = ctx;
	struct list *at;
	all->server = NULL;
	all->n_addresses = n;
	all->resolved = loop_now(all->link.loop);
	for (size_t i = 0; i < n; i++)
		all->addresses[i] = list[i];
	while (!n && !all->closing && (at = list_pop(&all->queue)))
		away(list_of(at, struct account, queued), account_trouble_find(""), why);
	pump(all);
	account_attempt_end(all);
}

static void look_up(struct accounts *all)
{
	if (!all->server)
		all->server = account_server_find(all->link.loop, all->settings->host, all->domain,
						  (int)all->settings->port, on_addresses, all);
}

static void pump(struct accounts *all)
{
	struct list *at;
	bool known = all->n_addresses && loop_now(all->link.loop) - all->resolved < ADDRESS_MS;
	if (all->closing || list_empty(&all->queue))
		return;
	if (!known) {
		look_up(all);
		return;
	}
	while (all->n_open - all->n_up < CONNECTING && (at = list_pop(&all->queue)))
		log_in(list_of(at, struct account, queued));
}
