#include "core/control/inside.h"

#include <string.h>

/* What changes the gateway: `reset`, `forget`, `reload`. */

static const int64_t LOOK_MS = 50, DISK_MS = 10000;

static struct thing *find_thing(const struct client *c)
{
	const struct house *h = c->control->conf->house;
	const char *local = control_arg(c, 0);
	return h ? house_find_thing(h, local, strlen(local)) : NULL;
}

static void cut_domain(struct client *c)
{
	char *local = c->question.args[0];
	local[strcspn(local, "@")] = '\0';
}

int order_begin_reset(struct client *c, struct err *e)
{
	cut_domain(c);
	struct thing *t = find_thing(c);
	if (!t)
		return err_set(e, "there is no thing '%.200s'; see jidgate things", control_arg(c, 0));
	log_info(c->control->log, "thing '%s': reset from the command line", t->local);
	c->control->reset(c->control->ctx, t);
	c->at = (size_t)(loop_now(c->control->loop) - c->control->began_ms);
	return 0;
}

/* It has a new key when the disk has it. */
enum progress order_more_reset(struct client *c)
{
	const struct thing *t = find_thing(c);
	int64_t waited = loop_now(c->control->loop) - c->control->began_ms - (int64_t)c->at;
	struct text line = { 0 };
	if (t && t->resetting && waited < DISK_MS) {
		control_wake(c, LOOK_MS);
		return PROGRESS_WAIT;
	}
	if (!t || t->resetting) {
		err_set(&c->why, "%s: nobody is let in any more, but the disk has not taken it; it is tried again",
			control_arg(c, 0));
		return PROGRESS_END;
	}
	json_begin(&line, NULL, '{');
	json_put(&line, "thing", t->local);
	json_put(&line, "key", t->key);
	json_end(&line, '}');
	control_say(c, &line);
	return PROGRESS_END;
}

int order_begin_forget(struct client *c, struct err *e)
{
	const struct gate *g = c->control->gate;
	cut_domain(c);
	const char *local = control_arg(c, 0);
	if (find_thing(c))
		return err_set(e, "thing '%.200s' is still in the configuration; take it out first", local);
	const struct thing *orphan = g ? map_find(&g->orphans, local) : NULL;
	if (!orphan)
		return err_set(e, "there is nothing kept of a thing '%.200s'", local);
	log_info(c->control->log, "thing '%s': to be forgotten, from the command line", orphan->local);
	c->control->forget(c->control->ctx, orphan);
	return 0;
}

enum progress order_more_forget(struct client *c)
{
	struct text line = { 0 };
	json_begin(&line, NULL, '{');
	json_put(&line, "thing", control_arg(c, 0));
	json_end(&line, '}');
	control_say(c, &line);
	return PROGRESS_END;
}

int order_begin_reload(struct client *c, struct err *e)
{
	(void)c, (void)e;
	return 0;
}

static void say_lines(struct client *c, const struct text *report)
{
	for (const char *at = report->data, *end; at && *at; at = end + (*end == '\n')) {
		struct text line = { 0 }, one = { 0 };
		end = at + strcspn(at, "\n");
		text_add_n(&one, at, (size_t)(end - at));
		json_begin(&line, NULL, '{');
		json_put(&line, "text", one.data);
		json_end(&line, '}');
		control_say(c, &line);
		text_free(&one);
	}
}

enum progress order_more_reload(struct client *c)
{
	struct text report = { 0 };
	if (!c->control->reload)
		err_set(&c->why, "this daemon cannot reload; restart it");
	else if (c->control->reload(c->control->ctx, &report, &c->why) == 0)
		c->why.text[0] = '\0';
	say_lines(c, &report);
	text_free(&report);
	return PROGRESS_END;
}
