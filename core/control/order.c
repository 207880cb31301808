#include "core/base/mem.h"
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

/* It may outlive the client, as any wish. */
struct reloading {
	struct client *client; /* NULL: gone */
	bool over;
	int status;
	char *report;
};

static void reloading_free(struct reloading *r)
{
	mem_free(r->report);
	mem_free(r);
}

static void reloaded(void *ctx, int status, const char *report)
{
	struct reloading *r = ctx;
	r->over = true;
	r->status = status;
	r->report = mem_text(report ? report : "");
	if (r->client)
		control_wake(r->client, 0);
	else
		reloading_free(r);
}

int order_begin_reload(struct client *c, struct err *e)
{
	const struct control *control = c->control;
	if (!control->reload)
		return err_set(e, "this daemon cannot reload; restart it");
	struct reloading *r = mem_new(sizeof(*r));
	r->client = c;
	c->job = r;
	control->reload(control->ctx, reloaded, r);
	return 0;
}

static void say_lines(struct client *c, char *report)
{
	char *line;
	while ((line = strsep(&report, "\n"))) {
		struct text t = { 0 };
		if (!*line)
			continue;
		json_begin(&t, NULL, '{');
		json_put(&t, "text", line);
		json_end(&t, '}');
		control_say(c, &t);
	}
}

enum progress order_more_reload(struct client *c)
{
	struct reloading *r = c->job;
	if (!r->over)
		return PROGRESS_WAIT;
	say_lines(c, r->report);
	if (r->status < 0)
		err_set(&c->why, "nothing is changed");
	return PROGRESS_END;
}

void order_end_reload(struct client *c)
{
	struct reloading *r = c->job;
	if (r && r->over)
		reloading_free(r);
	else if (r)
		r->client = NULL;
}
