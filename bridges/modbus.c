#include "bridges/mbanswer.h"
#include "bridges/mbask.h"
#include "bridges/mbcheck.h"
#include "core/bridge/bridge.h"

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

static bool has_several_units(const struct bridge *b)
{
	for (size_t i = 1; i < b->n_points; i++)
		if (mbanswer_unit(b->points[i]) != mbanswer_unit(b->points[0]))
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

static void start_next(struct modbus *m)
{
	while (m->up && !m->closing && !m->with_worker &&
	       mbqueue_next(&m->queue, loop_now(m->bridge->loop), &m->running)) {
		struct err e;
		mbanswer_mark(m, &m->running);
		m->deadline_us = mbline_now() + (latest_deadline(&m->running) - loop_now(m->bridge->loop)) * 1000;
		if (mbask_question(&m->running, &m->question, &e) < 0) {
			mbanswer_end_all(m, REQUEST_REFUSED, &e);
			continue;
		}
		m->runs = true;
		mbtalk_several(m->talk, m->several);
		post(m, run_ask, on_answer);
	}
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
	mbanswer_report(m);
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
