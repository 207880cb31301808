#include "core/xmpp/strangers.h"

#include "core/base/limits.h"
#include "core/base/mem.h"

#include <string.h>

enum { PEOPLE = 4096, SERVERS = 256, WAYS = 4 /* places next to each other where a server may be */, MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

struct stranger { /* one who asked, at one address */
	uint64_t print;
	int64_t since; /* of his hour: it begins with what is counted first, not when the clock says so */
	unsigned n; /* asked in it */
	bool waits;
};

struct server { /* its users together */
	uint64_t print;
	int64_t since; /* of their minute */
	unsigned asks, lists;
};

struct strangers {
	struct loop *loop;
	uint64_t salt;
	struct stranger people[PEOPLE];
	struct server servers[SERVERS];
};

struct strangers *strangers_new(struct loop *loop)
{
	struct strangers *s = mem_new(sizeof(*s));
	s->loop = loop;
	s->salt = (uint64_t)loop_random(loop, UINT32_MAX) << 32 | loop_random(loop, UINT32_MAX);
	return s;
}

void strangers_free(struct strangers *s)
{
	mem_free(s);
}

static uint64_t mix(uint64_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 1099511628211u;
	return (h ^ 0xFF) * 1099511628211u; /* 0xFF is in no UTF-8: "ab","c" is not "a","bc" */
}

static size_t place(uint64_t print, size_t n)
{
	return (print ^ print >> 29) % n;
}

static uint64_t print_of(const struct strangers *s, const char *jid, const char *local)
{
	return mix(mix(s->salt, jid), local);
}

/* The one at this address, or who else has his place. */
static const struct stranger *look(const struct strangers *s, uint64_t print)
{
	return &s->people[place(print, PEOPLE)];
}

static struct stranger *meet(struct strangers *s, const char *jid, const char *local)
{
	uint64_t print = print_of(s, jid, local);
	struct stranger *one = &s->people[place(print, PEOPLE)];
	int64_t now = loop_now(s->loop);
	if (one->print != print)
		*one = (struct stranger){ .print = print };
	if (one->n && now - one->since >= HOUR_MS)
		one->n = 0;
	if (!one->n)
		one->since = now;
	return one;
}

static bool is_over(const struct strangers *s, const struct server *server)
{
	return (!server->asks && !server->lists) || loop_now(s->loop) - server->since >= MINUTE_MS;
}

/* Only if all its places are taken does a server share one, so that one who calls all the time silences nobody else. */
static struct server *server_of(struct strangers *s, const char *jid)
{
	const char *at = strchr(jid, '@');
	uint64_t print = mix(s->salt, at ? at + 1 : jid);
	struct server *row = &s->servers[place(print, SERVERS / WAYS) * WAYS], *found = NULL;
	for (size_t i = 0; i < WAYS; i++)
		if (row[i].print == print)
			found = &row[i];
	for (size_t i = 0; i < WAYS && !found; i++)
		if (is_over(s, &row[i]))
			found = &row[i];
	if (!found)
		return row;
	if (found->print != print || is_over(s, found))
		*found = (struct server){ .print = print, .since = loop_now(s->loop) };
	return found;
}

bool strangers_ask(struct strangers *s, const char *jid, const char *local)
{
	if (!s)
		return false;
	struct stranger *one = meet(s, jid, local);
	struct server *server = server_of(s, jid);
	one->waits = true;
	if (one->n >= LIMIT_QUERIES_HOUR || server->asks >= LIMIT_ASKS_MINUTE)
		return false;
	one->n++;
	server->asks++;
	return true;
}

void strangers_forget(struct strangers *s, const char *jid, const char *local)
{
	uint64_t print = s ? print_of(s, jid, local) : 0;
	if (s && look(s, print)->print == print)
		meet(s, jid, local)->waits = false;
}

bool strangers_waits(const struct strangers *s, const char *jid, const char *local)
{
	uint64_t print = s ? print_of(s, jid, local) : 0;
	return s && look(s, print)->print == print && look(s, print)->waits;
}

bool strangers_may_list(struct strangers *s, const char *jid)
{
	if (!s)
		return false;
	struct server *server = server_of(s, jid);
	if (server->lists >= LIMIT_LISTS_MINUTE)
		return false;
	server->lists++;
	return true;
}
