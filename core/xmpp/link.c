#include "core/xmpp/link.h"

#include "core/base/limits.h"

#include <string.h>

void link_open(struct link *l)
{
	l->driver->open(l);
}

void link_close(struct link *l)
{
	l->driver->close(l);
}

void link_free(struct link *l)
{
	if (l)
		l->driver->free(l);
}

void link_add(struct link *l, struct thing *t)
{
	if (l->driver->add)
		l->driver->add(l, t);
}

void link_drop(struct link *l, struct thing *t)
{
	if (l->driver->drop)
		l->driver->drop(l, t);
}

bool link_up(const struct link *l, const char *local)
{
	return l->driver->up(l, local);
}

bool link_congested(const struct link *l)
{
	return l->driver->congested(l);
}

void link_tell_up(struct link *l, const char *local)
{
	l->counts.ups++;
	l->counts.since_ms = loop_now(l->loop);
	l->counts.up = true;
	l->events->on_up(l->ctx, local);
}

void link_tell_down(struct link *l, const char *local, const struct err *why)
{
	if (l->counts.up || !*l->counts.why.text) /* attempts that fail again and again are one state */
		l->counts.since_ms = loop_now(l->loop);
	l->counts.up = false;
	l->counts.why = *why;
	l->events->on_down(l->ctx, local, why);
}

void link_tell_stanza(struct link *l, struct element *stanza)
{
	l->counts.taken++;
	l->events->on_stanza(l->ctx, stanza);
}

struct text *link_begin(struct link *l, const char *local, bool answer)
{
	must(!l->writing);
	struct text *t = l->driver->begin(l, local, answer);
	l->writing = t;
	l->mark = t ? t->size : 0;
	return t;
}

#ifndef NDEBUG
/* A `from` of another domain makes the server close the stream of all things. */
static bool is_from_us(const char *stanza, const char *domain)
{
	const char *from = strstr(stanza, " from='");
	if (!from)
		return false;
	from += strlen(" from='");
	size_t bare = strcspn(from, "'/");
	const char *at = memchr(from, '@', bare);
	size_t before = at ? (size_t)(at + 1 - from) : 0;
	return bare - before == strlen(domain) && memcmp(from + before, domain, bare - before) == 0;
}
#endif

bool link_end(struct link *l)
{
	struct text *t = l->writing;
	must(t);
	l->writing = NULL;
#ifndef NDEBUG
	must(is_from_us(t->data + l->mark, l->domain));
#endif
	size_t size = t->size - l->mark;
	bool fits = size <= LIMIT_STANZA_OUT;
	l->counts.sent += fits && size;
	if (!fits) {
		t->size = l->mark;
		t->data[t->size] = '\0';
		log_outside(l->log, LOG_LEVEL_WARN, "%s: a stanza of %zu bytes is too large to send, left out", l->name,
			    size);
	}
	l->driver->end(l);
	return fits;
}
