#include "core/xmpp/account.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/xmpp/account_attempt.h"
#include "core/xmpp/jid.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static const int64_t FIRST_MS = 500, MOST_MS = 60000;

enum {
	MOST_ACCOUNTS = 900,     /* below select()'s 1024 descriptors, and some for the rest of us */
	OTHER_DESCRIPTORS = 100, /* buses, store, control socket, and a second one for each login */
	BACKLOG_HIGH = LIMIT_LINK_HIGH / 4,
	MORE = 20, /* things that come later for which low descriptors are kept, too */
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
		account_attempt_due(all->list[i]);
}

static void accounts_close(struct link *l)
{
	struct accounts *all = of(l);
	if (!all->running || all->closing)
		return;
	accounts_flush(all);
	all->closing = true;
	if (all->server)
		account_server_cancel(all->server);
	for (size_t i = 0; i < all->n; i++) {
		struct account *a = all->list[i];
		timer_stop(l->loop, &a->timer);
		list_drop(&a->queued);
		a->all->n_up -= a->up;
		a->up = false;
		if (a->stream)
			account_stream_leave(a->stream);
	}
	account_attempt_end(all);
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
	for (size_t i = 0; i < all->n; i++)
		account_attempt_free(all->list[i]);
	map_free(&all->by_local);
	mem_free(all->list);
	mem_free(all->threads);
	mem_free(all->domain);
	mem_free(all);
}

static struct account *make_account(struct accounts *all, struct thing *thing)
{
	struct account *a = mem_new(sizeof(*a));
	*a = (struct account){ .all = all,
			       .thing = thing,
			       .local = mem_text(thing->local),
			       .jid = mem_format("%s@%s", thing->local, all->domain),
			       .thread = all->threads[all->n_made++ % all->n_threads],
			       .backoff = { .first_ms = FIRST_MS, .most_ms = MOST_MS } };
	all->list = mem_resize(all->list, (all->n + 1) * sizeof(*all->list));
	all->list[all->n++] = a;
	map_put(&all->by_local, a->local, a);
	return a;
}

static void accounts_add(struct link *l, struct thing *t)
{
	struct accounts *all = of(l);
	if (!all->closing)
		account_attempt_due(make_account(all, t));
}

static void take_out(struct accounts *all, const struct account *a)
{
	size_t i = 0;
	while (all->list[i] != a)
		i++;
	all->list[i] = all->list[--all->n];
	all->n_up -= a->up;
	all->n_tried -= a->tried;
	map_drop(&all->by_local, a->local);
}

static void accounts_drop(struct link *l, struct thing *t)
{
	struct accounts *all = of(l);
	struct account *a = map_find(&all->by_local, t->local);
	if (!a || all->closing)
		return;
	take_out(all, a);
	a->thing = NULL;
	a->up = false;
	timer_stop(l->loop, &a->timer);
	list_drop(&a->queued);
	list_drop(&a->dirty);
	if (!a->stream) {
		account_attempt_free(a);
		return;
	}
	account_stream_write(a->stream, a->out.data, a->out.size);
	text_clear(&a->out);
	account_stream_leave(a->stream);
}

static const struct link_driver driver = {
	.open = accounts_open,
	.close = accounts_close,
	.up = accounts_up,
	.begin = accounts_begin,
	.end = accounts_end,
	.congested = accounts_congested,
	.add = accounts_add,
	.drop = accounts_drop,
	.free = accounts_free,
};

int account_check(size_t things, struct err *e)
{
	struct rlimit limit = { 0 };
	size_t n = things, wanted = n + OTHER_DESCRIPTORS;
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
	all->n_threads = wanted < 1 ? 1 : wanted;
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
	for (size_t at = 0; (thing = map_next(&house->things, &at));)
		make_account(all, thing);
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
	all->hook = (struct turn_hook){ .fn = accounts_flush, .ctx = all };
	list_init(&all->queue);
	list_init(&all->dirty);
	all->library = account_login_library(house->things.n + MORE, settings->ca_file);
	make_threads(all);
	make_accounts(all, house);
	return &all->link;
}
