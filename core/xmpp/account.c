#include "core/xmpp/account.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/conf/secret.h"
#include "core/loop/backoff.h"
#include "core/loop/resolve.h"
#include "core/xmpp/account_stream.h"
#include "core/xmpp/reply.h"
#include "core/xmpp/route.h"
#include "core/xmpp/things.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/*
 * An account waits for its time (timer), then in the queue for its turn, then logs in, then is up. What ends a stream puts it
 * back to the first: after full jitter, or, when haste would not help, after the time of its trouble's row. The server's
 * addresses are looked up for all of them together.
 */

static const int64_t STEADY_MS = 60000, FIRST_MS = 500, MOST_MS = 60000, ADDRESS_MS = 60000, REMIND_MS = 180000;

enum {
	MOST_ACCOUNTS = 900,     /* below select()'s 1024 descriptors, and some for the rest of us */
	OTHER_DESCRIPTORS = 100, /* buses, store, control socket, and a second one for each login */
	CONNECTING = 20,         /* log in at the same time: a restarted server is not stormed */
	BACKLOG_HIGH = LIMIT_LINK_HIGH / 4,
};

struct account {
	struct accounts *all;
	struct thing *thing;
	char *jid;
	char *password;
	char address[64];
	struct account_who who;
	struct account_thread *thread;
	struct account_stream *stream;
	struct text out;
	struct list queued, dirty;
	struct timer timer;
	struct backoff backoff;
	int64_t up_since;
	unsigned failures; /* each tries the next address */
	bool tried, up;
};

struct accounts {
	struct link link;
	const struct conf_xmpp *settings;
	char *domain;
	struct account_library *library;
	struct account_thread **threads;
	size_t n_threads;
	struct account *list;
	size_t n, n_up, n_open; /* open: have a stream */
	size_t n_tried;         /* at least once */
	size_t n_told;          /* n_up when it was last in the log */
	struct map by_local;
	struct account *writing;
	struct list queue, dirty;
	struct turn_hook hook;
	struct resolve *resolve;
	struct sockaddr_storage addresses[RESOLVE_MOST];
	size_t n_addresses;
	int64_t resolved;
	struct timer closed;
	struct err said; /* of the server, in the log */
	int64_t said_ms;
	bool running, closing;
};

static struct accounts *of(struct link *l)
{
	return (struct accounts *)l;
}

static const struct accounts *of_const(const struct link *l)
{
	return (const struct accounts *)l;
}

static size_t waiting(const struct account *a)
{
	return a->out.size + (a->stream ? account_stream_backlog(a->stream) : 0);
}

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

/* false: it has been said */
static bool complain_server(struct accounts *all, const struct account_trouble *trouble, const struct err *why)
{
	int64_t now = loop_now(all->link.loop);
	bool again = text_same(all->said.text, why->text);
	if (again && (!trouble->loud || now - all->said_ms < REMIND_MS))
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
		log_error(all->link.log, "%s: thing '%s' is away: %s; again in %.0f s", all->link.name, a->thing->local,
			  why->text, seconds);
	else if (trouble->of_account)
		log_warn(all->link.log, "%s: thing '%s' is away: %s; again in %.0f s", all->link.name, a->thing->local,
			 why->text, seconds);
	else if (!complain_server(all, trouble, why))
		log_debug(all->link.log, "%s: thing '%s' is away: %s; again in %.1f s", all->link.name, a->thing->local,
			  why->text, seconds);
}

/* Attempts */

static void pump(struct accounts *all);

static void its_time(void *ctx)
{
	struct account *a = ctx;
	list_add(&a->all->queue, &a->queued);
	pump(a->all);
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
	a->all->link.events->on_down(a->all->link.ctx, a->thing->local, why);
}

static void finish(void *ctx)
{
	struct accounts *all = ctx;
	loop_drop_hook(all->link.loop, &all->hook);
	all->running = all->closing = false;
	all->link.events->on_closed(all->link.ctx);
}

static void finish_when_closed(struct accounts *all)
{
	if (all->closing && all->n_open == 0 && !all->resolve)
		timer_set(all->link.loop, &all->closed, 0, finish, all);
}

static void on_stream_up(void *ctx)
{
	struct account *a = ctx;
	note_tried(a);
	a->up = true;
	a->all->n_up++;
	a->up_since = loop_now(a->all->link.loop);
	log_debug(a->all->link.log, "%s: thing '%s' is logged in", a->all->link.name, a->thing->local);
	a->all->link.events->on_up(a->all->link.ctx, a->thing->local);
	pump(a->all);
	tell_count(a->all);
}

static void forget_password(struct account *a)
{
	secret_free(a->password);
	a->password = NULL;
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
	if (text_same(trouble->word, "refused"))
		forget_password(a); /* the file is read again: somebody may have mended it */
	if (!all->closing) {
		away(a, trouble, why);
		pump(all);
		tell_count(all);
	}
	finish_when_closed(all);
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
	if (fill_in(a, stanza, room))
		a->all->link.events->on_stanza(a->all->link.ctx, stanza);
}

static void on_stream_over(void *ctx, struct element *start)
{
	struct account *a = ctx;
	struct attribute room[2];
	struct incoming in;
	struct incoming_room addresses;
	if (fill_in(a, start, room) && incoming_read(&in, &addresses, &a->all->link, start) == 0 && in.answer.armed)
		reply_refuse(&in.answer, &reply_policy_violation, "The stanza is too large.");
}

static const struct account_stream_events stream_events = { on_stream_up, on_stream_stanza, on_stream_over,
							    on_stream_end };

static void log_in(struct account *a)
{
	struct accounts *all = a->all;
	struct err e;
	const struct sockaddr_storage *address = &all->addresses[a->failures % all->n_addresses];
	if (!a->password && secret_read(a->thing->password_file, a->thing->device->file, &a->password, &e) < 0) {
		err_wrap(&e, "password_file");
		away(a, account_stream_trouble("password"), &e);
		return;
	}
	must(getnameinfo((const struct sockaddr *)address, resolve_size(address), a->address, sizeof(a->address), NULL,
			 0, NI_NUMERICHOST) == 0);
	a->who = (struct account_who){ .jid = a->jid,
				       .password = a->password,
				       .ca_file = all->settings->ca_file,
				       .address = a->address,
				       .port = (unsigned short)all->settings->port };
	all->n_open++;
	a->stream = account_stream_open(a->thread, all->link.loop, &a->who, all->domain, THINGS_RESOURCE,
					&stream_events, a);
}

static void on_addresses(void *ctx, const struct sockaddr_storage *list, size_t n, const struct err *why)
{
	struct accounts *all = ctx;
	struct list *at;
	all->resolve = NULL;
	all->n_addresses = n;
	all->resolved = loop_now(all->link.loop);
	for (size_t i = 0; i < n; i++)
		all->addresses[i] = list[i];
	while (!n && !all->closing && (at = list_pop(&all->queue)))
		away(list_of(at, struct account, queued), account_stream_trouble(""), why);
	pump(all);
	finish_when_closed(all);
}

static void look_up(struct accounts *all)
{
	const char *host = *all->settings->host ? all->settings->host : all->domain;
	if (!all->resolve)
		all->resolve =
			resolve_all(all->link.loop, host, (int)all->settings->port, SOCK_STREAM, on_addresses, all);
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

/* The link */

static void accounts_flush(void *ctx)
{
	struct accounts *all = ctx;
	struct list *at;
	while ((at = list_pop(&all->dirty))) {
		struct account *a = list_of(at, struct account, dirty);
		account_stream_write(a->stream, a->out.data, a->out.size);
		text_clear(&a->out);
	}
}

static void accounts_open(struct link *l)
{
	struct accounts *all = of(l);
	must(!all->running);
	all->running = true;
	loop_add_hook(l->loop, &all->hook);
	for (size_t i = 0; i < all->n; i++)
		list_add(&all->queue, &all->list[i].queued);
	pump(all);
}

static void accounts_close(struct link *l)
{
	struct accounts *all = of(l);
	if (!all->running || all->closing)
		return;
	accounts_flush(all);
	all->closing = true;
	if (all->resolve)
		resolve_cancel(all->resolve);
	for (size_t i = 0; i < all->n; i++) {
		struct account *a = &all->list[i];
		timer_stop(l->loop, &a->timer);
		list_drop(&a->queued);
		a->all->n_up -= a->up;
		a->up = false;
		if (a->stream)
			account_stream_leave(a->stream);
	}
	finish_when_closed(all);
}

static bool accounts_up(const struct link *l, const char *local)
{
	const struct accounts *all = of_const(l);
	const struct account *a = local ? map_find(&all->by_local, local) : NULL;
	return local ? a && a->up : all->n_up > 0 && all->n_tried == all->n;
}

static struct text *accounts_begin(struct link *l, const char *local, bool answer)
{
	struct accounts *all = of(l);
	struct account *a = local ? map_find(&all->by_local, local) : NULL;
	if (!a || !a->up || (!answer && waiting(a) > BACKLOG_HIGH))
		return NULL;
	all->writing = a;
	return &a->out;
}

/* The server puts it in itself, and closes the stream for one that does not fit the resource it has given. */
static void leave_from_out(struct text *t, size_t mark)
{
	char *begin = t->size > mark ? strstr(t->data + mark, " from='") : NULL;
	char *end = begin ? strchr(begin + strlen(" from='"), '\'') : NULL;
	if (!end || memchr(t->data + mark, '>', (size_t)(begin - t->data) - mark))
		return;
	size_t rest = t->size - (size_t)(end + 1 - t->data);
	memmove(begin, end + 1, rest + 1);
	t->size = (size_t)(begin - t->data) + rest;
}

static void accounts_end(struct link *l)
{
	struct accounts *all = of(l);
	struct account *a = all->writing;
	leave_from_out(&a->out, l->mark);
	if (a->out.size && !list_in(&a->dirty))
		list_add(&all->dirty, &a->dirty);
	all->writing = NULL;
}

/* Each account has its own bound, in begin. */
static bool accounts_congested(const struct link *l)
{
	(void)l;
	return false;
}

static void accounts_free(struct link *l)
{
	struct accounts *all = of(l);
	must(!all->running);
	for (size_t i = 0; i < all->n_threads; i++)
		account_thread_free(all->threads[i]);
	account_login_library_free(all->library);
	for (size_t i = 0; i < all->n; i++) {
		forget_password(&all->list[i]);
		text_free(&all->list[i].out);
		mem_free(all->list[i].jid);
	}
	map_free(&all->by_local);
	mem_free(all->list);
	mem_free(all->threads);
	mem_free(all->domain);
	mem_free(all);
}

static const struct link_driver driver = {
	.open = accounts_open,
	.close = accounts_close,
	.up = accounts_up,
	.begin = accounts_begin,
	.end = accounts_end,
	.congested = accounts_congested,
	.free = accounts_free,
};

int account_check(const struct house *house, struct err *e)
{
	struct rlimit limit = { 0 };
	size_t n = house->things.n, wanted = n + OTHER_DESCRIPTORS;
	if (n > MOST_ACCOUNTS)
		return err_set(
			e, "%zu things are too many for accounts mode, which can have %d: component mode has no limit",
			n, MOST_ACCOUNTS);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted)
		return err_set(e,
			       "%zu things in accounts mode need %zu file descriptors, the limit is %llu (LimitNOFILE)",
			       n, wanted, (unsigned long long)limit.rlim_cur);
	return 0;
}

static void make_threads(struct accounts *all)
{
	size_t wanted = (size_t)all->settings->threads;
	all->n_threads = wanted < 1 ? 1 : wanted > all->n && all->n ? all->n : wanted;
	all->threads = mem_array(all->n_threads, sizeof(*all->threads));
	for (size_t i = 0; i < all->n_threads; i++) {
		char name[16];
		snprintf(name, sizeof(name), "accounts-%zu", i % 100);
		all->threads[i] = account_thread_new(all->link.loop, name, all->library);
	}
}

static void make_accounts(struct accounts *all, struct house *house)
{
	struct thing *thing;
	all->list = mem_array(all->n, sizeof(*all->list));
	for (size_t at = 0, i = 0; (thing = map_next(&house->things, &at)); i++) {
		struct account *a = &all->list[i];
		*a = (struct account){ .all = all,
				       .thing = thing,
				       .jid = mem_format("%s@%s", thing->local, all->domain),
				       .thread = all->threads[i % all->n_threads],
				       .backoff = { .first_ms = FIRST_MS, .most_ms = MOST_MS } };
		map_put(&all->by_local, thing->local, a);
	}
}

struct link *account_new(const char *name, const struct conf_xmpp *settings, struct house *house, struct loop *loop,
			 struct log *log, const struct link_events *events, void *ctx)
{
	struct accounts *all = mem_new(sizeof(*all));
	char prepared[JID_BARE_ROOM];
	all->domain = mem_text(jid_bare(settings->domain, prepared) == 0 ? prepared : settings->domain);
	all->link = (struct link){
		.driver = &driver,
		.domain = all->domain,
		.accounts = true,
		.events = events,
		.ctx = ctx,
		.loop = loop,
		.log = log,
		.name = name,
	};
	all->settings = settings;
	all->n = house->things.n;
	all->hook = (struct turn_hook){ .fn = accounts_flush, .ctx = all };
	list_init(&all->queue);
	list_init(&all->dirty);
	all->library = account_login_library(all->n, settings->ca_file);
	make_threads(all);
	make_accounts(all, house);
	return &all->link;
}
