#include "core/control/control.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/control/client.h"

#include <string.h>

static void *on_peer(void *ctx, struct local_peer *peer)
{
	return client_new(ctx, peer);
}

static const struct local_events events = { on_peer, client_take, client_sent, client_gone };

static void on_log_line(void *ctx)
{
	follow_news(ctx);
}

int control_open(struct control *c, struct err *e)
{
	c->local = NULL;
	c->began_ms = loop_now(c->loop);
	c->desk = thing_new(mem_text("operator"), NULL);
	list_init(&c->clients);
	list_init(&c->watchings);
	list_init(&c->operations);
	int fault = local_listen(c->loop, c->conf->gateway.control, LIMIT_CONTROL_CLIENTS, &events, c, &c->local, e);
	if (fault)
		return fault;
	c->log->on_line = on_log_line;
	c->log->ctx = c;
	return 0;
}

void control_close(struct control *c)
{
	if (!c->local)
		return;
	c->log->on_line = NULL;
	list_each (at, &c->clients)
		client_drop(list_of(at, struct client, link));
	local_close(c->local);
	c->local = NULL;
}

void control_end(struct control *c)
{
	if (!c->desk)
		return;
	control_close(c);
	must(list_empty(&c->operations));
	thing_free(c->desk);
	c->desk = NULL;
}

struct point *control_find_point(const struct control *c, const char *name, struct err *e)
{
	struct point *p = c->conf->house ? house_find_point(c->conf->house, name) : NULL;
	if (p && !p->disabled)
		return p;
	if (p)
		err_set(e, "point '%.200s' is disabled", name);
	else
		err_set(e, "there is no point '%.200s' in what runs; it is named DEVICE.POINT; see jidgate reload",
			name);
	return NULL;
}

void control_add_point(struct text *to, const struct point *p)
{
	struct text name = { 0 };
	text_addf(&name, "%s.%s", p->device->id, p->id);
	json_put(to, "point", name.data);
	text_free(&name);
}

size_t control_count_friends(const struct thing *t)
{
	size_t n = 0;
	list_each (at, &t->friends) {
		const struct friend *f = list_of(at, struct friend, link);
		n += (f->subscription & SUBSCRIPTION_FROM) && f->role != ROLE_SERVICE;
	}
	return n;
}

void control_add_utc(struct text *to, const char *key, int64_t utc_ms)
{
	char when[25];
	bool there = utc_ms && text_utc_fits(utc_ms);
	if (there)
		text_utc(utc_ms, when);
	json_put(to, key, there ? when : NULL);
}

void control_add_sample(struct text *to, const struct sample *s, const char *unit, int64_t utc_ms)
{
	char room[DECIMAL_ROOM];
	bool good = s->quality == QUALITY_GOOD, seen = s->value.type != VALUE_NONE;
	json_put(to, "value", good ? value_print(&s->value, room) : NULL);
	if (!good && seen)
		json_put(to, "last", value_print(&s->value, room));
	json_put(to, "unit", unit ? unit : "");
	json_put(to, "quality", quality_word(s->quality));
	json_put(to, "trouble", s->trouble ? trouble_word(s->trouble) : "");
	control_add_utc(to, "time", s->utc_ms);
	if (s->utc_ms)
		json_put_number(to, "age_ms", utc_ms - s->utc_ms);
	else
		json_put(to, "age_ms", NULL);
}
