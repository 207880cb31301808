#include "core/base/mem.h"
#include "core/control/inside.h"

/*
 * Values are state, not a log: what changes while the client does not read is told once, with the newest value. Points are held by
 * name, too: what `point` points to is only compared until control_changed has looked it up again.
 */

struct watched {
	const char *name;          /* of the question */
	const struct point *point; /* NULL: there is none any more */
	bool due;
};

struct watching {
	struct list link; /* in control.watchings */
	struct client *client;
	size_t n;
	struct watched list[];
};

static int look_up(struct watching *w, size_t i, struct err *e)
{
	w->list[i].point = control_find_point(w->client->control, w->list[i].name, e);
	w->list[i].due = true;
	return w->list[i].point ? 0 : -1;
}

int watching_begin(struct client *c, struct err *e)
{
	size_t n = c->question.n_args;
	struct watching *w = mem_new(sizeof(*w) + n * sizeof(struct watched));
	w->client = c;
	w->n = n;
	c->job = w;
	list_add(&c->control->watchings, &w->link);
	for (size_t i = 0; i < n; i++) {
		w->list[i].name = c->question.args[i];
		if (look_up(w, i, e) < 0)
			return -1;
	}
	return 0;
}

static void say(struct client *c, const struct watched *it)
{
	static const struct sample none = { .quality = QUALITY_UNKNOWN };
	const struct point *p = it->point;
	struct text line = { 0 };
	json_begin(&line, NULL, '{');
	json_put(&line, "point", it->name);
	control_add_sample(&line, p ? &p->last : &none, p ? p->unit : NULL, loop_utc(c->control->loop));
	json_end(&line, '}');
	control_say(c, &line);
}

enum progress watching_more(struct client *c)
{
	struct watching *w = c->job;
	for (size_t i = 0; i < w->n; i++) {
		if (!w->list[i].due)
			continue;
		w->list[i].due = false;
		say(c, &w->list[i]);
		return PROGRESS_MORE;
	}
	return PROGRESS_WAIT;
}

void watching_end(struct client *c)
{
	struct watching *w = c->job;
	if (w)
		list_drop(&w->link);
	mem_free(w);
}

void control_news(struct control *c, const struct point *p)
{
	list_each (at, &c->watchings) {
		struct watching *w = list_of(at, struct watching, link);
		for (size_t i = 0; i < w->n; i++) {
			if (w->list[i].point != p)
				continue;
			w->list[i].due = true;
			control_wake(w->client, 0);
		}
	}
}

void control_changed(struct control *c)
{
	list_each (at, &c->watchings) {
		struct watching *w = list_of(at, struct watching, link);
		for (size_t i = 0; i < w->n; i++)
			look_up(w, i, NULL);
		control_wake(w->client, 0);
	}
}
