#include "core/xmpp/ask.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <stdio.h>
#include <string.h>

static const int64_t ANSWER_MS = 30000;

struct ask {
	char id[32];
	char *to;    /* bare, prepared; a whole domain or an account */
	char *local; /* who asks */
	struct asks *asks;
	struct timer timer;
	ask_fn *fn;
	void *ctx;
};

static void finish(struct ask *a, const struct element *stanza)
{
	ask_fn *fn = a->fn;
	void *ctx = a->ctx;
	map_drop(&a->asks->waiting, a->id);
	timer_stop(a->asks->loop, &a->timer);
	mem_free(a->to);
	mem_free(a->local);
	mem_free(a);
	fn(ctx, stanza);
}

static void on_timeout(void *ctx)
{
	finish(ctx, NULL);
}

struct text *ask_begin(struct asks *asks, const struct writer_address *from, const char *to, const char *type,
		       const char *language, ask_fn *fn, void *ctx)
{
	struct text *t = link_begin(asks->link, from->local, true);
	if (!t)
		return NULL;
	struct ask *a = mem_new(sizeof(*a));
	snprintf(a->id, sizeof(a->id), "j%08x-%llx", asks->salt, (unsigned long long)++asks->n);
	a->to = mem_text(to);
	a->local = mem_text(from->local);
	a->asks = asks;
	a->fn = fn;
	a->ctx = ctx;
	map_put(&asks->waiting, a->id, a);
	timer_set(asks->loop, &a->timer, ANSWER_MS, on_timeout, a);
	writer_stanza(t, "iq", type, from, to, a->id);
	writer_attribute(t, "xml:lang", language);
	writer_raw(t, ">");
	return t;
}

void ask_end(struct asks *asks)
{
	text_add(asks->link->writing, "</iq>");
	must(link_end(asks->link)); /* what we ask is small */
}

bool ask_take(struct asks *asks, const struct incoming *in)
{
	struct ask *a = in->id ? map_find(&asks->waiting, in->id) : NULL;
	if (!a || strcmp(a->to, in->from_bare) != 0 || (!strchr(a->to, '@') && jid_resource(in->from)))
		return false; /* a domain answers without a resource (S37) */
	finish(a, in->stanza);
	return true;
}

void ask_drop_of(struct asks *asks, const char *local)
{
	struct ask *a;
	for (size_t at = 0; (a = map_next(&asks->waiting, &at));)
		if (text_same(a->local, local))
			finish(a, NULL);
}

void ask_drop_all(struct asks *asks)
{
	struct ask *a;
	for (size_t at = 0; (a = map_next(&asks->waiting, &at));)
		finish(a, NULL);
	map_free(&asks->waiting);
}
