#include "bridges/mbask.h"
#include "bridges/mbcheck.h"
#include "bridges/mbqueue.h"
#include "bridges/mbtalk.h"
#include "core/bridge/bridge.h"
#include "core/loop/resolve.h"
#include "core/loop/worker.h"

#include <stdio.h>

/*
 * The drivers modbus-tcp, modbus-rtu and modbus-rtu-tcp, loop side: the queue, and one question at a time with the bus's worker.
 *
 * Happy path: open starts the worker, resolves the host and posts the opening; read and write queue, start_next turns the
 * next block of the queue into a question and posts it, on_answer decodes. Failure: a device's trouble ends the requests of
 * its block; a refused block of several points is halved until the guilty one is found; a lost line ends all of them and says
 * bridge_down. Close stops whatever the worker waits for and goes on when it came back.
 *
 * A request is in the queue, in running or in ending by its link. A readback arrives through read with request.write set, so
 * driver_data says what is to be done: NULL write, m a read that waits, &m->running a read that is on its way.
 */

struct modbus {
	struct mbline *line; /* owned by talk */
	struct mbtalk *talk;
	struct worker *worker;
	struct resolve *resolve;
	struct mbqueue queue;
	struct job job; /* the one that the worker has: opening, asking or shutting */
	bool with_worker, up, closing, several;
	struct err why; /* of the last opening that failed or line that was lost */
	int opened;

	/* of the running block; question, deadline_us and outcome are the worker's while it runs */
	struct bridge *bridge;
	bool runs; /* its answer is not here yet: who wants a register of it may ride along */
	struct mbqueue_block running;
	struct list ending; /* whose end is being told */
	bool silent[256];   /* units whose points have all been said to be offline */
	struct mbframe_question question;
	int64_t deadline_us;
	struct mbtalk_outcome outcome;
};

static bool is_tcp(const struct bridge *b)
{
	return b->driver->protocol.options != mbaddress_rtu_rows;
}

static struct modbus *modbus_of(struct job *job)
{
	return list_of(job, struct modbus, job);
}

static void post(struct modbus *m, void (*run)(struct job *job), void (*done)(struct job *job))
{
	m->job = (struct job){ .run = run, .done = done };
	m->with_worker = true;
	worker_post(m->worker, &m->job);
}

static void run_shut(struct job *job)
{
	mbline_shut(modbus_of(job)->line);
}

static void on_shut(struct job *job)
{
	struct modbus *m = modbus_of(job);
	struct bridge *b = m->bridge;
	worker_free(m->worker);
	mbtalk_free(m->talk);
	mbqueue_end(&m->queue);
	*m = (struct modbus){ 0 };
	bridge_closed(b);
}

/* The worker is idle and nothing more will come: the last job. */
static void end(struct modbus *m)
{
	post(m, run_shut, on_shut);
}

static void fall(struct modbus *m, const struct err *why)
{
	m->up = false;
	m->why = *why;
	for (struct request *r; (r = mbqueue_pop(&m->queue));)
		bridge_done(m->bridge, r, REQUEST_AWAY, NULL, &m->why);
	if (!m->closing)
		bridge_down(m->bridge, &m->why);
}

static void run_open(struct job *job)
{
	struct modbus *m = modbus_of(job);
	m->opened = mbline_open(m->line, &m->why);
}

static void on_open(struct job *job)
{
	struct modbus *m = modbus_of(job);
	m->with_worker = false;
	if (m->closing) {
		end(m);
		return;
	}
	m->up = m->opened == 0;
	if (m->up)
		bridge_up(m->bridge);
	else
		bridge_down(m->bridge, &m->why);
}

static void on_resolved(void *ctx, const struct sockaddr_storage *list, size_t n, const struct err *why)
{
	struct modbus *m = ctx;
	m->resolve = NULL;
	if (m->closing) {
		end(m);
		return;
	}
	if (why) {
		bridge_down(m->bridge, why);
		return;
	}
	mbline_addresses(m->line, list, n);
	post(m, run_open, on_open);
}

static int64_t unit_of(const struct point *p)
{
	return ((const struct mbaddress_unit *)p->device->options)->unit_id;
}

static bool has_several_units(const struct bridge *b)
{
	for (size_t i = 1; i < b->n_points; i++)
		if (unit_of(b->points[i]) != unit_of(b->points[0]))
			return true;
	return false;
}

static struct mbtalk *make_talk(const struct bridge *b, struct mbline *line)
{
	if (b->driver->protocol.options == mbaddress_tcp_rows)
		return mbtalk_new_tcp(line, b->bus->options);
	if (is_tcp(b))
		return mbtalk_new_rtu_tcp(line, b->bus->options);
	return mbtalk_new_rtu(line, b->bus->options);
}

static void begin(struct bridge *b, struct modbus *m)
{
	char name[16];
	m->bridge = b;
	m->line = is_tcp(b) ? mbline_new_tcp(b->bus->options) : mbline_new_rtu(b->bus->options);
	m->talk = make_talk(b, m->line);
	m->several = has_several_units(b);
	mbqueue_begin(&m->queue);
	list_init(&m->running.requests);
	list_init(&m->ending);
	m->queue.wire = mbcheck_wire(b->bus);
	snprintf(name, sizeof(name), "mb %s", b->bus->id);
	m->worker = worker_new(b->loop, name);
}

static int open_bus(struct bridge *b, struct err *e)
{
	struct modbus *m = b->self;
	(void)e;
	if (!m->worker)
		begin(b, m);
	if (!is_tcp(b)) {
		post(m, run_open, on_open);
		return 0;
	}
	const struct mbaddress_tcp *o = b->bus->options;
	m->resolve = resolve_all(b->loop, o->host, (int)o->port, SOCK_STREAM, on_resolved, m);
	return 0;
}

static struct request *first_of(const struct list *requests)
{
	return list_of(requests->next, struct request, link);
}

static int64_t latest_deadline(const struct mbqueue_block *b)
{
	int64_t latest = 0;
	for (struct list *at = b->requests.next; at != &b->requests; at = at->next)
		if (list_of(at, struct request, link)->deadline_ms > latest)
			latest = list_of(at, struct request, link)->deadline_ms;
	return latest;
}

static void run_ask(struct job *job)
{
	struct modbus *m = modbus_of(job);
	mbtalk_ask(m->talk, &m->question, m->deadline_us, &m->outcome);
}

static void on_answer(struct job *job);

/* The requests of the running block, to be ended one by one: what an end sets going may ask, cancel or close. */
static void begin_ending(struct modbus *m)
{
	for (struct list *at; (at = list_pop(&m->running.requests));)
		list_add(&m->ending, at);
}

static struct request *next_ending(struct modbus *m)
{
	struct list *at = list_pop(&m->ending);
	return at ? list_of(at, struct request, link) : NULL;
}

static void end_all(struct modbus *m, int status, const struct err *why)
{
	for (struct request *r; (r = next_ending(m));)
		bridge_done(m->bridge, r, status, NULL, why);
}

static void mark_running(struct modbus *m, void *mark)
{
	for (struct list *at = m->running.requests.next; at != &m->running.requests; at = at->next)
		if (!m->running.write)
			list_of(at, struct request, link)->driver_data = mark;
}

static void start_next(struct modbus *m)
{
	while (m->up && !m->closing && !m->with_worker &&
	       mbqueue_next(&m->queue, loop_now(m->bridge->loop), &m->running)) {
		struct err e;
		mark_running(m, &m->running);
		m->deadline_us = mbline_now() + (latest_deadline(&m->running) - loop_now(m->bridge->loop)) * 1000;
		if (mbask_question(&m->running, &m->question, &e) < 0) {
			begin_ending(m);
			end_all(m, REQUEST_REFUSED, &e);
			continue;
		}
		m->runs = true;
		mbtalk_several(m->talk, m->several);
		post(m, run_ask, on_answer);
	}
}

static void learn(struct modbus *m)
{
	int64_t *known = &m->queue.turnaround_us[m->question.unit];
	int64_t seen = m->outcome.turnaround_us;
	*known = *known ? *known + (seen - *known) / 8 : seen;
}

static void refused(struct modbus *m, uint8_t exception)
{
	enum { ADDRESS = 2, VALUE = 3, NO_PATH = 10, NO_ANSWER = 11 }; /* a gateway speaks for the device behind it */
	struct err why;
	bool place = !m->running.write && (exception == ADDRESS || exception == VALUE);
	mark_running(m, m);
	if (place && mbqueue_refused(&m->queue, &m->running, exception, loop_now(m->bridge->loop)))
		return;
	err_set(&why, "unit %u: function %u, address %u: exception %u, %s", m->question.unit, m->question.function,
		m->question.address, exception, mbframe_exception_word(exception));
	int status = exception == NO_ANSWER ? REQUEST_TIMEOUT : exception == NO_PATH ? REQUEST_AWAY : REQUEST_REFUSED;
	begin_ending(m);
	end_all(m, status, &why);
}

/* The frame is whole and right, or it would not be here: so are all values of the block. */
static void deliver(struct modbus *m)
{
	int64_t utc_ms = loop_utc(m->bridge->loop);
	begin_ending(m);
	for (struct request *r; (r = next_ending(m));) {
		struct value raw = { 0 };
		enum trouble trouble = mbask_value(&m->running, &m->outcome.answer, r->point, &raw);
		struct sample take = trouble ? sample_bad(trouble, utc_ms) : sample_good(raw, utc_ms);
		bridge_done(m->bridge, r, REQUEST_DONE, &take, NULL);
	}
}

/* A unit that does not answer is one trouble, not one for each of its points as they become due. */
static void say_silent(struct modbus *m)
{
	struct bridge *b = m->bridge;
	uint8_t unit = m->question.unit;
	bool news = !m->silent[unit];
	m->silent[unit] = true;
	begin_ending(m);
	mbqueue_take_unit(&m->queue, unit, &m->ending);
	end_all(m, m->outcome.status, &m->outcome.why);
	for (size_t i = 0; news && i < b->n_points && !m->closing; i++) {
		struct sample offline = sample_bad(TROUBLE_TIMEOUT, loop_utc(b->loop));
		if (unit_of(b->points[i]) == unit)
			bridge_sample(b, b->points[i], &offline);
	}
}

/* Its other points are not left offline until they are due. */
static void say_back(struct modbus *m)
{
	struct bridge *b = m->bridge;
	uint8_t unit = m->question.unit;
	m->silent[unit] = false;
	for (size_t i = 0; i < b->n_points && !m->closing; i++)
		if (unit_of(b->points[i]) == unit && (i == 0 || b->points[i]->device != b->points[i - 1]->device))
			bridge_poll(b, b->points[i]->device);
}

static void report(struct modbus *m)
{
	bool answered = m->outcome.status == REQUEST_DONE, good = answered && !m->outcome.answer.exception;
	if (answered)
		learn(m);
	mbqueue_ended(&m->queue, &m->running, good, loop_now(m->bridge->loop));
	if (answered && !good) {
		refused(m, m->outcome.answer.exception);
	} else if (good && !m->running.write) {
		deliver(m);
	} else if (!good && m->outcome.silent) {
		say_silent(m);
	} else {
		begin_ending(m);
		end_all(m, m->outcome.status, good ? NULL : &m->outcome.why);
	}
	if (answered && m->silent[m->question.unit])
		say_back(m);
}

/* What bridge_done sets going may ask, cancel or close before it returns; m->outcome is copied where it is used later. */
static void on_answer(struct job *job)
{
	struct modbus *m = modbus_of(job);
	struct err why = m->outcome.why;
	bool lost = m->outcome.lost;
	m->runs = false;
	if (m->closing) {
		m->with_worker = false;
		mbqueue_ended(&m->queue, &m->running, false, 0);
		end(m);
		return;
	}
	report(m);
	m->with_worker = false;
	if (m->closing)
		end(m);
	else if (lost)
		fall(m, &why);
	else
		start_next(m);
}

static void queue_read(struct modbus *m, struct request *r)
{
	if (m->runs && !r->write && mbqueue_covers(&m->running, r)) {
		r->driver_data = &m->running;
		list_add(&m->running.requests, &r->link);
		return;
	}
	r->driver_data = m;
	mbqueue_add(&m->queue, r);
}

/* Who asks for himself is asked for: only polls leave a guilty register alone. */
static bool is_left_alone(struct modbus *m, struct request *r)
{
	int64_t left_ms;
	struct err why;
	if (r->write || r->rank == REQUEST_ASKED)
		return false;
	uint8_t exception = mbqueue_is_guilty(&m->queue, r, loop_now(m->bridge->loop), &left_ms);
	if (!exception)
		return false;
	err_set(&why, "address %u: exception %u, %s; asked for again in %lld s",
		((const struct mbaddress *)r->point->address)->first, exception, mbframe_exception_word(exception),
		(long long)left_ms / 1000);
	bridge_done(m->bridge, r, REQUEST_REFUSED, NULL, &why);
	return true;
}

static void read_all(struct bridge *b, struct request **r, size_t n)
{
	struct modbus *m = b->self;
	for (size_t i = 0; i < n; i++) {
		if (!m->up)
			bridge_done(b, r[i], REQUEST_AWAY, NULL, &m->why);
		else if (!is_left_alone(m, r[i]))
			queue_read(m, r[i]);
	}
	start_next(m);
}

static void write_one(struct bridge *b, struct request *r)
{
	struct modbus *m = b->self;
	r->driver_data = NULL;
	if (m->up)
		mbqueue_add(&m->queue, r);
	else
		bridge_done(b, r, REQUEST_AWAY, NULL, &m->why);
	start_next(m);
}

static bool is_on_its_way(const struct modbus *m, const struct request *r)
{
	bool writes = !r->driver_data && m->running.write;
	bool running = writes && !list_empty(&m->running.requests) && first_of(&m->running.requests) == r;
	return r->driver_data == &m->running || running || !list_in(&r->link);
}

/* What is on the wire already is answered or times out. */
static void cancel(struct bridge *b, struct request *r)
{
	struct modbus *m = b->self;
	struct err late;
	if (is_on_its_way(m, r))
		return;
	list_drop(&r->link);
	if (loop_now(b->loop) < r->deadline_ms) {
		bridge_done(b, r, REQUEST_CANCELLED, NULL, NULL);
		return;
	}
	err_set(&late, "not sent: the bus was busy until its deadline");
	bridge_done(b, r, REQUEST_TIMEOUT, NULL, &late);
}

/* What was learned is of places, not of points, and stays. */
static void change(struct bridge *b)
{
	((struct modbus *)b->self)->several = has_several_units(b);
}

/* The core ends them. */
static void forget_all(struct modbus *m)
{
	while (mbqueue_pop(&m->queue))
		continue;
	while (list_pop(&m->running.requests))
		continue;
	while (list_pop(&m->ending))
		continue;
}

static void close_bus(struct bridge *b)
{
	struct modbus *m = b->self;
	m->closing = true;
	forget_all(m);
	mbline_stop(m->line);
	if (m->resolve)
		resolve_cancel(m->resolve);
	else if (!m->with_worker)
		end(m);
}

#define COMMON                                                                                                         \
	.device = mbaddress_unit_rows, .device_size = sizeof(struct mbaddress_unit), .address = mbaddress_rows,        \
	.address_size = sizeof(struct mbaddress), .poll_ms = 1000, .wire_types = true, .check = mbaddress_check,       \
	.plan = mbcheck_plan

#define FUNCTIONS                                                                                                      \
	.size = sizeof(struct modbus), .open = open_bus, .read = read_all, .write = write_one, .cancel = cancel,       \
	.close = close_bus, .change = change

const struct bridge_driver driver_modbus_tcp = {
	.protocol = { .name = "modbus-tcp",
		      .options = mbaddress_tcp_rows,
		      .options_size = sizeof(struct mbaddress_tcp),
		      COMMON },
	FUNCTIONS,
};

const struct bridge_driver driver_modbus_rtu = {
	.protocol = { .name = "modbus-rtu",
		      .options = mbaddress_rtu_rows,
		      .options_size = sizeof(struct mbaddress_rtu),
		      .check_device = mbaddress_check_rtu_unit,
		      .check_bus = mbaddress_check_rtu,
		      COMMON },
	FUNCTIONS,
};

const struct bridge_driver driver_modbus_rtu_tcp = {
	.protocol = { .name = "modbus-rtu-tcp",
		      .options = mbaddress_rtu_tcp_rows,
		      .options_size = sizeof(struct mbaddress_tcp),
		      .check_device = mbaddress_check_rtu_unit,
		      COMMON },
	FUNCTIONS,
};
