#include "core/cli/direct.h"

#include "core/base/mem.h"
#include "core/drivers.h"

#include <signal.h>

/*
 * Happy path: the bridge comes up, all is asked at once, the last end stops the bridge, its end stops the loop.
 * A bus that is away, or is not up in time, ends the same way with the cause.
 */

static const int64_t OPEN_MS = 10000, ASK_MS = 30000;

struct question {
	struct request request;
	struct direct *direct;
	struct direct_answer *answer;
};

struct direct {
	struct loop *loop;
	struct log log;
	struct bridge *bridge;
	struct timer next, limit;
	struct question *questions; /* NULL: watches */
	size_t n, open;
	bool asked, ending;
	int bad;
	struct err why;
	void (*news)(void *ctx, const struct point *p);
	void *ctx;
};

static void stop(void *ctx)
{
	struct direct *d = ctx;
	bridge_stop(d->bridge);
}

/* In a turn of its own: the bridge is in the middle of something when it tells us. */
static void end(struct direct *d)
{
	if (d->ending)
		return;
	d->ending = true;
	timer_stop(d->loop, &d->limit);
	timer_set(d->loop, &d->next, 0, stop, d);
}

static void fail(struct direct *d, const char *why)
{
	if (d->asked || d->ending)
		return;
	d->bad = err_set(&d->why, "bus '%s': %s", d->bridge->bus->id, *why ? why : "cannot be reached");
	end(d);
}

static void on_limit(void *ctx)
{
	fail(ctx, "cannot be opened in time");
}

static void on_done(struct request *r, int status, const struct sample *shown, const struct err *why)
{
	struct question *q = r->ctx;
	struct direct *d = q->direct;
	(void)shown;
	q->answer->status = status;
	q->answer->confirmed = r->confirmed;
	q->answer->answered = r->answered;
	if (status != REQUEST_DONE)
		err_set(&q->answer->why, "%s", why ? why->text : bridge_status_word(status));
	if (--d->open == 0)
		end(d);
}

static void ask(void *ctx)
{
	struct direct *d = ctx;
	struct request **all = mem_array(d->n, sizeof(struct request *));
	timer_stop(d->loop, &d->limit);
	for (size_t i = 0; i < d->n; i++) {
		all[i] = &d->questions[i].request;
		all[i]->deadline_ms = loop_now(d->loop) + ASK_MS;
	}
	d->asked = true;
	d->open = d->n;
	bridge_ask(d->bridge, all, d->n);
	mem_free(all);
}

static void on_state(void *ctx, struct bridge *b)
{
	struct direct *d = ctx;
	if (b->state == BRIDGE_CLOSED)
		loop_stop(d->loop);
	else if (!d->questions)
		return;
	else if (b->state == BRIDGE_AWAY)
		fail(d, b->why.text);
	else if (b->state == BRIDGE_UP && !d->asked && !d->ending)
		timer_set(d->loop, &d->next, 0, ask, d);
}

static void on_sample(void *ctx, struct point *p, enum news news)
{
	struct direct *d = ctx;
	(void)news;
	if (d->news && !d->ending)
		d->news(d->ctx, p);
}

static void on_signal(void *ctx, int signum)
{
	(void)signum;
	end(ctx);
}

static const struct bridge_driver *driver_of(const struct bus *bus, struct err *e)
{
	const struct bridge_driver *const *d = driver_list;
	while (*d && strcmp((*d)->protocol.name, bus->protocol) != 0)
		d++;
	must(*d);
	if ((*d)->read)
		return *d;
	err_set(e, "bus '%s': %s is told its values and cannot be asked for them", bus->id, bus->protocol);
	return NULL;
}

static void play(struct direct *d, const struct bridge_driver *driver, struct bus *bus, struct point **points, size_t n)
{
	static const struct bridge_events events = { on_sample, on_state, NULL };
	struct device shelf = { .bus = bus, .points = points, .n_points = n }, *shelves[] = { &shelf };
	struct house house = { .devices = shelves, .n_devices = 1 };
	d->bridge = bridge_new(driver, bus, &house, d->loop, &d->log, &events, d);
	if (d->questions)
		timer_set(d->loop, &d->limit, OPEN_MS, on_limit, d);
	bridge_start(d->bridge);
	loop_run(d->loop);
	timer_stop(d->loop, &d->next);
	bridge_free(d->bridge);
}

static int begin(struct direct *d, const struct cli *c, struct bus *bus, const struct bridge_driver **ret_driver,
		 struct err *e)
{
	*ret_driver = driver_of(bus, e);
	if (!*ret_driver)
		return -1;
	d->loop = loop_new();
	log_init(&d->log, LOG_LEVEL_ERROR, c->err);
	return 0;
}

static int finish(struct direct *d, struct err *e)
{
	loop_free(d->loop);
	log_end(&d->log);
	if (d->bad)
		*e = d->why;
	return d->bad;
}

int direct_ask(const struct cli *c, struct bus *bus, struct point **points, size_t n, struct value *raws,
	       struct direct_answer *ret, struct err *e)
{
	const struct bridge_driver *driver;
	struct direct d = { .n = n };
	if (begin(&d, c, bus, &driver, e) < 0)
		return -1;
	d.questions = mem_array(n, sizeof(*d.questions));
	for (size_t i = 0; i < n; i++) {
		struct request *r = &d.questions[i].request;
		d.questions[i].direct = &d;
		d.questions[i].answer = &ret[i];
		*r = (struct request){
			.point = points[i], .write = raws != NULL, .done = on_done, .ctx = &d.questions[i]
		};
		if (raws)
			r->raw = value_take(&raws[i]);
		points[i]->poll_ms = 0;
	}
	play(&d, driver, bus, points, n);
	for (size_t i = 0; i < n && !d.asked; i++)
		value_free(&d.questions[i].request.raw);
	mem_free(d.questions);
	return finish(&d, e);
}

int direct_watch(const struct cli *c, struct bus *bus, struct point **points, size_t n,
		 void (*news)(void *ctx, const struct point *p), void *ctx, struct err *e)
{
	const struct bridge_driver *driver;
	struct direct d = { .n = n, .news = news, .ctx = ctx };
	if (begin(&d, c, bus, &driver, e) < 0)
		return -1;
	loop_on_signal(d.loop, SIGINT, on_signal, &d);
	loop_on_signal(d.loop, SIGTERM, on_signal, &d);
	play(&d, driver, bus, points, n);
	return finish(&d, e);
}
