#include "core/control/client.h"

#include "core/base/limits.h"
#include "core/base/mem.h"

/*
 * Happy path: client_take → a whole line → the word begins → it writes lines while there is room → its end → the next line.
 * A word has its turn when it has begun, when what was written is sent, and when it is woken; never for more than LIMIT_CONTROL_OUT
 * bytes, so that a long list and the rest of the gateway take turns.
 */

static const int64_t PATIENCE_MS = 30000; /* without a word, or without reading what it said */

static void leave_word(struct client *c)
{
	if (c->word && c->word->end)
		c->word->end(c);
	else
		mem_free(c->job);
	c->job = NULL;
	c->word = NULL;
	timer_stop(c->control->loop, &c->again);
	control_free_question(&c->question);
}

void client_gone(void *client)
{
	struct client *c = client;
	leave_word(c);
	timer_stop(c->control->loop, &c->patience);
	list_drop(&c->link);
	text_free(&c->in);
	mem_free(c);
}

void client_drop(struct client *c)
{
	local_drop(c->peer);
	client_gone(c);
}

static void lose_patience(void *ctx)
{
	client_drop(ctx);
}

/* He must say what he wants, and read. */
static void be_patient(struct client *c)
{
	bool needed = !c->word || local_backlog(c->peer);
	if (needed && !c->patience.place)
		timer_set(c->control->loop, &c->patience, PATIENCE_MS, lose_patience, c);
	else if (!needed)
		timer_stop(c->control->loop, &c->patience);
}

void control_say(struct client *c, struct text *line)
{
	text_add(line, "\n");
	c->said += line->size;
	local_write(c->peer, line->data, line->size);
	text_free(line);
}

static void say_end(struct client *c, const char *why)
{
	struct text line = { 0 };
	json_begin(&line, NULL, '{');
	json_put(&line, "end", why ? "failed" : "done");
	if (why)
		json_put(&line, "why", why);
	json_end(&line, '}');
	control_say(c, &line);
}

static void end_word(struct client *c)
{
	leave_word(c);
	say_end(c, *c->why.text ? c->why.text : NULL);
	c->why.text[0] = '\0';
}

static void on_again(void *ctx);

static bool has_room(const struct client *c)
{
	return c->said < LIMIT_CONTROL_OUT && local_backlog(c->peer) < LIMIT_CONTROL_OUT;
}

static void go_on(struct client *c)
{
	enum progress p = PROGRESS_MORE;
	c->said = 0;
	while (c->word && p == PROGRESS_MORE && has_room(c))
		p = c->word->more(c);
	if (c->word && p == PROGRESS_END)
		end_word(c);
	else if (c->word && p == PROGRESS_MORE && !local_backlog(c->peer))
		timer_set(c->control->loop, &c->again, 0, on_again, c);
}

static const struct command *find_word(const struct question *q)
{
	for (const struct command *w = control_commands; w->name; w++)
		if (text_same(w->name, q->word))
			return w;
	return NULL;
}

static int begin(struct client *c, const char *line, size_t size, struct err *e)
{
	if (control_parse(line, size, &c->question, e) < 0)
		return -1;
	const struct command *w = find_word(&c->question);
	if (!w)
		return err_set(e, "there is no such word; this is jidgate " JIDGATE_VERSION);
	if (c->question.n_args < w->least || c->question.n_args > w->most)
		return err_set(e, "%s takes %zu to %zu arguments", w->name, w->least, w->most);
	c->at = c->at_inner = 0;
	c->word = w;
	if (w->begin(c, e) == 0)
		return 0;
	return -1;
}

static void take_line(struct client *c, const char *line, size_t size)
{
	struct err why;
	if (begin(c, line, size, &why) < 0) {
		leave_word(c);
		say_end(c, why.text);
		return;
	}
	go_on(c);
}

static void drop_front(struct text *t, size_t size)
{
	memmove(t->data, t->data + size, t->size - size);
	t->size -= size;
	t->data[t->size] = '\0';
}

static void take_lines(struct client *c)
{
	const char *end;
	while (!c->word && c->in.size && has_room(c) && (end = memchr(c->in.data, '\n', c->in.size))) {
		size_t size = (size_t)(end - c->in.data);
		take_line(c, c->in.data, size);
		drop_front(&c->in, size + 1);
	}
	if (!c->word && c->in.size && !has_room(c) && !local_backlog(c->peer))
		control_wake(c, 0); /* many small requests in one piece */
	be_patient(c);
}

static void on_again(void *ctx)
{
	struct client *c = ctx;
	go_on(c);
	take_lines(c);
}

void client_sent(void *client)
{
	struct client *c = client;
	timer_stop(c->control->loop, &c->patience);
	on_again(c);
}

void client_take(void *client, const char *bytes, size_t size)
{
	struct client *c = client;
	text_add_n(&c->in, bytes, size);
	c->said = 0;
	take_lines(c);
	if (c->in.size <= LIMIT_CONTROL_LINE)
		return;
	say_end(c, "the request is too long");
	local_finish(c->peer);
	client_gone(c);
}

void control_wake(struct client *c, int64_t in_ms)
{
	timer_set(c->control->loop, &c->again, in_ms, on_again, c);
}

const char *control_arg(const struct client *c, size_t i)
{
	return i < c->question.n_args ? c->question.args[i] : NULL;
}

void *client_new(struct control *control, struct local_peer *peer)
{
	struct client *c = mem_new(sizeof(*c));
	*c = (struct client){ .control = control, .peer = peer };
	list_add(&control->clients, &c->link);
	be_patient(c);
	return c;
}
