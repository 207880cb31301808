#include "core/cli/daemon.h"

#include "core/base/json.h"
#include "core/base/mem.h"
#include "core/conf/conf.h"
#include "core/loop/local.h"
#include "core/loop/loop.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Happy path: connect, send one line, hand over line by line, stop at the one that says end. */

static const int64_t PATIENCE_MS = 40000; /* without a word of it; a write may take as long as its deadline */

struct call {
	const struct cli *cli;
	struct loop *loop;
	struct watch *watch;
	struct timer patience;
	const struct daemon_lines *lines;
	int fd;
	struct text in;
	bool over;
	int end;
	struct err why;
};

const char *daemon_text(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));
	return text ? text : "";
}

long long daemon_number(const json_t *line, const char *key)
{
	return json_integer_value(json_object_get(line, key));
}

void daemon_print_quality(const struct cli *c, const json_t *line)
{
	const char *trouble = daemon_text(line, "trouble"), *last = daemon_text(line, "last");
	const char *unit = daemon_text(line, "unit");
	fprintf(c->out, "%s%s%s", daemon_text(line, "quality"), *trouble ? ", " : "", trouble);
	if (*last)
		fprintf(c->out, " (last %s%s%s)", last, *unit ? " " : "", unit);
}

static void finish(struct call *c, int end, const char *why)
{
	if (c->over)
		return;
	c->over = true;
	c->end = end;
	if (end != DAEMON_DONE)
		err_set(&c->why, "%s", why);
	loop_stop(c->loop);
}

/* Names and values are the devices', and what is printed may go to a terminal. */
static void make_plain(json_t *value)
{
	const char *key;
	json_t *member;
	if (json_is_string(value)) {
		char *plain = text_plain(json_string_value(value));
		json_string_set_nocheck(value, plain);
		mem_free(plain);
	}
	json_object_foreach (value, key, member)
		make_plain(member);
}

json_t *daemon_parse(const char *text, size_t size)
{
	json_t *line = json_loadb(text, size, 0, NULL);
	make_plain(line);
	return line;
}

static void take_line(struct call *c, const char *text, size_t size)
{
	json_t *line = daemon_parse(text, size);
	const char *end = daemon_text(line, "end");
	if (!line)
		finish(c, DAEMON_FAILED, "the daemon's answer cannot be understood");
	else if (strcmp(end, "done") == 0)
		finish(c, DAEMON_DONE, NULL);
	else if (*end)
		finish(c, DAEMON_FAILED, daemon_text(line, "why"));
	else
		c->lines->line(c->lines->ctx, line, text);
	if (ferror(c->cli->out)) /* head has had enough */
		finish(c, DAEMON_FAILED, "cannot write the output");
	json_decref(line);
}

static void take_lines(struct call *c)
{
	char *at = c->in.data, *end;
	while (!c->over && (end = memchr(at, '\n', (size_t)(c->in.data + c->in.size - at)))) {
		*end = '\0';
		take_line(c, at, (size_t)(end - at));
		at = end + 1;
	}
	size_t rest = (size_t)(c->in.data + c->in.size - at);
	memmove(c->in.data, at, rest);
	c->in.size = rest;
}

static void on_silence(void *ctx)
{
	finish(ctx, DAEMON_FAILED, "the daemon does not answer");
}

static void wait_on(struct call *c)
{
	if (!c->lines->endless)
		timer_set(c->loop, &c->patience, PATIENCE_MS, on_silence, c);
}

static void on_event(void *ctx, int events)
{
	struct call *c = ctx;
	char bytes[16384];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		finish(c, DAEMON_FAILED, "the daemon has ended");
		return;
	}
	text_add_n(&c->in, bytes, (size_t)n);
	wait_on(c);
	take_lines(c);
}

static void on_signal(void *ctx, int signum)
{
	(void)signum;
	finish(ctx, DAEMON_DONE, NULL);
}

/* It is small enough for the kernel's buffer of a new connection. */
static int send_question(int fd, const char *word, char *const *args, int n, struct err *e)
{
	struct text line = { 0 };
	json_begin(&line, NULL, '{');
	json_put(&line, "word", word);
	json_begin(&line, "args", '[');
	for (int i = 0; i < n; i++)
		json_put(&line, NULL, args[i]);
	json_end(&line, ']');
	json_end(&line, '}');
	text_add(&line, "\n");
	ssize_t sent = send(fd, line.data, line.size, MSG_NOSIGNAL);
	bool whole = sent == (ssize_t)line.size;
	text_free(&line);
	return whole ? 0
		     : err_set(e, "cannot ask the daemon: %s", sent < 0 ? strerror(errno) : "the question is too long");
}

static int listen_to(struct call *c, struct err *e)
{
	c->loop = loop_new();
	if (c->lines->endless) {
		loop_on_signal(c->loop, SIGINT, on_signal, c);
		loop_on_signal(c->loop, SIGTERM, on_signal, c);
	}
	c->watch = watch_new(c->loop, c->fd, WATCH_READ, on_event, c);
	wait_on(c);
	loop_run(c->loop);
	timer_stop(c->loop, &c->patience);
	watch_free(c->watch);
	loop_free(c->loop);
	text_free(&c->in);
	if (c->end != DAEMON_DONE)
		*e = c->why;
	return c->end;
}

static int connect_to(const char *path, int *ret_fd, struct err *e)
{
	*ret_fd = local_connect(path);
	if (*ret_fd >= 0)
		return 0;
	if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) {
		err_set(e, "no daemon listens on %s", path);
		return DAEMON_NONE;
	}
	return err_set(e, "cannot ask the daemon: %s: %s", path, strerror(errno));
}

int daemon_ask(const struct cli *cli, const char *word, char *const *args, int n, const struct daemon_lines *lines,
	       struct err *e)
{
	struct call c = { .cli = cli, .lines = lines };
	char *path = conf_control(cli->conf);
	int end = connect_to(path, &c.fd, e);
	mem_free(path);
	if (end != 0)
		return end;
	end = send_question(c.fd, word, args, n, e);
	if (end == 0)
		end = listen_to(&c, e);
	close(c.fd);
	return end;
}
