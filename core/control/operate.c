#include "core/base/mem.h"
#include "core/control/inside.h"

/*
 * `read` and `write` of one point: a wish like that of a friend, of who operates the machine. It goes the same way, through the
 * gate, range, words, interval, confirmation and deadline; only the gate knows him by another right.
 *
 * The wish may outlive the client, and the point may be gone when the client's turn comes: what is to be said is made ready in
 * the answer.
 */

static const int64_t READ_MS = 4500, WRITE_MS = 10000; /* as a friend gets them */

struct operation {
	struct list link; /* in control.operations while the wish is under way */
	struct control *control;
	struct client *client; /* NULL: gone */
	struct wish wish;
	struct wish_part part;
	bool answered;
	struct text line;
	struct err why; /* empty: it went well */
};

static const char *const words[] = {
	[WISH_FORBIDDEN] = "access denied",
	[WISH_BAD] = "the value is not acceptable",
	[WISH_NOT_FOUND] = "there is no such point",
	[WISH_BUSY] = "too many requests, or written too shortly ago",
	[WISH_UNREACHABLE] = "the device cannot be reached",
	[WISH_FAILED] = "the device did not do it",
	[WISH_CANCELLED] = "cancelled",
};

static void operation_free(struct operation *o)
{
	value_free(&o->part.value);
	sample_free(&o->part.sample);
	text_free(&o->line);
	mem_free(o);
}

static void make_line(struct operation *o, enum wish_status status)
{
	const struct point *p = o->part.point;
	json_begin(&o->line, NULL, '{');
	control_add_point(&o->line, p);
	if (o->wish.write)
		json_put(&o->line, "outcome", wish_is_good(status) ? wish_outcome(status) : "accepted");
	else
		control_add_sample(&o->line, &o->part.sample, p->unit, loop_utc(o->control->loop));
	json_end(&o->line, '}');
}

static void log_write(const struct operation *o, enum wish_status status)
{
	const struct point *p = o->part.point;
	log_info(o->control->log, "point '%s.%s': written from the command line: %s", p->device->id, p->id,
		 *o->why.text || !wish_is_good(status) ? o->why.text : wish_outcome(status));
}

static void judge(struct operation *o, enum wish_status status, const char *text)
{
	const struct point *p = o->part.point;
	const struct sample *s = &o->part.sample;
	const char *why = text ? text : words[status];
	size_t named = strlen(p->id);
	if (strncmp(why ? why : "", p->id, named) == 0 && strncmp(why + named, ": ", 2) == 0)
		why += named + 2; /* of a set with many points it says which */
	if (!wish_is_good(status))
		err_set(&o->why, "%s.%s: %s", p->device->id, p->id, why);
	else if (!o->wish.write && s->quality != QUALITY_GOOD)
		err_set(&o->why, "%s.%s: there is no good value: %s", p->device->id, p->id,
			s->trouble ? trouble_word(s->trouble) : quality_word(s->quality));
}

static void answered(struct wish *w, enum wish_status status, const char *text)
{
	struct operation *o = w->ctx;
	o->answered = true;
	list_drop(&o->link);
	judge(o, status, text);
	if (!w->write || !*o->why.text)
		make_line(o, status);
	if (w->write)
		log_write(o, status);
	if (o->client)
		control_wake(o->client, 0);
	else
		operation_free(o);
}

static struct operation *operation_new(struct client *c, struct point *p, bool write)
{
	struct control *control = c->control;
	struct operation *o = mem_new(sizeof(*o));
	int64_t write_ms = p->write_deadline_ms ? p->write_deadline_ms : WRITE_MS;
	o->control = control;
	o->client = c;
	o->part.point = p;
	o->wish = (struct wish){ .thing = control->desk,
				 .from = gate_operator,
				 .write = write,
				 .parts = &o->part,
				 .n_parts = 1,
				 .deadline_ms = loop_now(control->loop) + (write ? write_ms : READ_MS),
				 .answer = answered,
				 .ctx = o };
	return o;
}

static void send(struct client *c, struct operation *o)
{
	c->job = o;
	list_add(&c->control->operations, &o->link);
	c->control->wish(c->control->wish_ctx, &o->wish);
}

int operate_begin_read(struct client *c, struct err *e)
{
	struct point *p = control_find_point(c->control, c->question.args[0], e);
	if (!p)
		return -1;
	if (!(p->access & ACCESS_READ))
		return err_set(e, "point '%s' can only be written", c->question.args[0]);
	send(c, operation_new(c, p, false));
	return 0;
}

int operate_begin_write(struct client *c, struct err *e)
{
	struct value value = { 0 };
	const char *text = c->question.args[1];
	struct point *p = control_find_point(c->control, c->question.args[0], e);
	if (!p)
		return -1;
	if (!(p->access & ACCESS_WRITE))
		return err_set(e, "%s: is read-only", c->question.args[0]);
	if (point_parse(p, text, strlen(text), &value, e) < 0)
		return err_wrap(e, "%s", c->question.args[0]);
	struct operation *o = operation_new(c, p, true);
	o->part.value = value;
	send(c, o);
	return 0;
}

enum progress operate_more(struct client *c)
{
	struct operation *o = c->job;
	if (!o->answered)
		return PROGRESS_WAIT;
	if (o->line.size)
		control_say(c, &o->line);
	c->why = o->why;
	return PROGRESS_END;
}

void operate_end(struct client *c)
{
	struct operation *o = c->job;
	if (!o)
		return;
	if (o->answered)
		operation_free(o);
	else
		o->client = NULL;
}
