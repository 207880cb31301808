#include "tests/lib/desk.h"

#include "core/base/mem.h"
#include "core/control/inside.h"
#include "core/loop/local.h"
#include "core/xmpp/siot.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void figures(void *ctx, struct control_figures *ret)
{
	const struct desk *d = ctx;
	*ret = (struct control_figures){ .wishes = d->stage->requests.counts,
					 .wishes_open = d->stage->requests.n,
					 .notifications = d->stage->things.n_told,
					 .ready = true };
}

static void reset(void *ctx, struct thing *t)
{
	siot_reset(&((struct desk *)ctx)->stage->things, t);
}

static void forget(void *ctx, const struct thing *orphan)
{
	siot_forget(&((struct desk *)ctx)->stage->things, orphan);
}

static void on_sample(void *ctx, struct point *p, enum news news)
{
	struct desk *d = ctx;
	(void)news;
	control_news(&d->control, p);
}

struct desk *desk_new(size_t more)
{
	struct desk *d = mem_new(sizeof(*d));
	struct err e;
	d->stage = stage_new_large(more);
	snprintf(d->path, sizeof(d->path), "%s/control.sock", d->stage->folder);
	d->conf = (struct conf){ .house = d->stage->house,
				 .gateway = { .control = d->path, .language = "en" },
				 .xmpp = { .domain = "things.test" } };
	d->stage->hear_ctx = d;
	d->stage->hear = on_sample;
	log_keep(&d->stage->log);
	d->control = (struct control){ .conf = &d->conf,
				       .gate = &d->stage->gate,
				       .loop = d->stage->loop,
				       .log = &d->stage->log,
				       .figures = figures,
				       .wish = request_take,
				       .wish_ctx = &d->stage->requests,
				       .reset = reset,
				       .forget = forget,
				       .ctx = d };
	cr_assert_eq(control_open(&d->control, &e), 0, "%s", e.text);
	return d;
}

void desk_reopen(struct desk *d)
{
	struct err e;
	d->conf.house = d->stage->house;
	cr_assert_eq(control_open(&d->control, &e), 0, "%s", e.text);
}

void desk_free(struct desk *d)
{
	control_close(&d->control);
	d->stage->hear = NULL;
	while (d->stage->n_asked)
		stage_answer(d->stage, REQUEST_CANCELLED, NULL);
	control_end(&d->control);
	timer_stop(d->stage->loop, &d->tick);
	stage_free(d->stage);
	text_free(&d->said);
	mem_free(d);
}

int desk_connect(struct desk *d)
{
	int fd = local_connect(d->path);
	cr_assert_geq(fd, 0, "%s", strerror(errno));
	return fd;
}

/* Sets itself again: it may fire before the loop waits. */
static void tick(void *ctx)
{
	struct desk *d = ctx;
	timer_set(d->stage->loop, &d->tick, 1, tick, d);
}

/* Ends also when nothing happens. */
void desk_turn(struct desk *d)
{
	tick(d);
	loop_turn(d->stage->loop);
}

void desk_forget(struct desk *d)
{
	text_clear(&d->said);
}

/* false: the other side has closed */
static bool hear(struct desk *d, int fd)
{
	char bytes[65536];
	ssize_t n;
	while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		text_add_n(&d->said, bytes, (size_t)n);
	return n < 0 && errno == EAGAIN;
}

const char *desk_wait(struct desk *d, int fd, const char *fragment)
{
	while (!d->said.data || !strstr(d->said.data, fragment)) {
		bool there = hear(d, fd);
		bool found = d->said.data && strstr(d->said.data, fragment);
		cr_assert(there || found, "'%s' was not said, but: %s", fragment, d->said.data);
		if (!found)
			desk_turn(d);
	}
	return d->said.data;
}

const char *desk_ask(struct desk *d, int fd, const char *line)
{
	desk_forget(d);
	cr_assert_eq(send(fd, line, strlen(line), MSG_NOSIGNAL), (ssize_t)strlen(line));
	return desk_wait(d, fd, "{\"end\": ");
}

void desk_wait_end(struct desk *d, int fd)
{
	while (hear(d, fd))
		desk_turn(d);
	close(fd);
}

size_t desk_count(const char *fragment, const char *said)
{
	size_t n = 0;
	for (const char *at = said; (at = strstr(at, fragment)); at++)
		n++;
	return n;
}

size_t desk_clients(const struct desk *d)
{
	size_t n = 0;
	list_each (at, &d->control.clients)
		n++;
	return n;
}

bool desk_busy(const struct desk *d)
{
	list_each (at, &d->control.clients)
		if (list_of(at, struct client, link)->word)
			return true;
	return false;
}

size_t desk_backlog(const struct desk *d)
{
	size_t most = 0;
	list_each (at, &d->control.clients) {
		size_t one = local_backlog(list_of(at, struct client, link)->peer);
		most = one > most ? one : most;
	}
	return most;
}
