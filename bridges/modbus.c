#include "bridges/mbtalk.h"
#include "core/bridge/bridge.h"
#include "core/loop/resolve.h"
#include "core/loop/worker.h"

#include <stdio.h>

/*
 * The drivers modbus-tcp and modbus-rtu, loop side: two queues, and one request at a time with the bus's worker.
 *
 * Happy path: open starts the worker, resolves the host and posts the opening; read and write queue, start_next turns the
 * first request into a question and posts it, on_answer decodes. Failure: a device's trouble ends its request; a lost line
 * ends all of them and says bridge_down. Close stops whatever the worker waits for and goes on when it came back.
 *
 * A request is in urgent or reads by its link, or it is running. A readback arrives through read with request.write set, so
 * driver_data says what is to be done.
 */

enum { URGENT_IN_A_ROW = 4 }; /* writes jump the queue, but cannot starve the polls */

struct modbus {
	struct mbline *line; /* owned by talk */
	struct mbtalk *talk;
	struct worker *worker;
	struct resolve *resolve;
	struct list urgent, reads; /* struct request.link */
	unsigned urgent_in_a_row;
	struct job job; /* the one that the worker has: opening, asking or shutting */
	bool with_worker, up, closing;
	struct err why; /* of the last opening that failed or line that was lost */
	int opened;

	/* of the running request, the worker's while it runs */
	struct bridge *bridge;
	struct request *running;
	struct mbframe_question question;
	int64_t deadline_us;
	struct mbtalk_outcome outcome;
};

static bool is_tcp(const struct bridge *b)
{
	return b->driver->protocol.options == mbaddress_tcp_rows;
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
	struct request *r;
	m->up = false;
	m->why = *why;
	for (struct list *link; (link = list_pop(&m->urgent)) || (link = list_pop(&m->reads));) {
		r = list_of(link, struct request, link);
		bridge_done(m->bridge, r, REQUEST_AWAY, NULL, &m->why);
	}
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
	if (is_tcp(b))
		return mbtalk_new_tcp(line, b->bus->options, has_several_units(b));
	return mbtalk_new_rtu(line, b->bus->options);
}

static void begin(struct bridge *b, struct modbus *m)
{
	char name[16];
	m->bridge = b;
	m->line = is_tcp(b) ? mbline_new_tcp(b->bus->options) : mbline_new_rtu(b->bus->options);
	m->talk = make_talk(b, m->line);
	list_init(&m->urgent);
	list_init(&m->reads);
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

static uint8_t function_of(const struct mbaddress *a, const struct mbaddress_unit *unit, bool write)
{
	static const uint8_t reads[] = { [MBADDRESS_COIL] = MBFRAME_READ_COILS,
					 [MBADDRESS_DISCRETE] = MBFRAME_READ_DISCRETE,
					 [MBADDRESS_INPUT] = MBFRAME_READ_INPUT,
					 [MBADDRESS_HOLDING] = MBFRAME_READ_HOLDING };
	if (!write)
		return reads[a->table];
	bool many = unit->write_multiple || a->count > 1;
	if (a->table == MBADDRESS_COIL)
		return many ? MBFRAME_WRITE_COILS : MBFRAME_WRITE_COIL;
	return many ? MBFRAME_WRITE_REGISTERS : MBFRAME_WRITE_REGISTER;
}

static bool is_read(const struct request *r)
{
	return r->driver_data != NULL;
}

static int prepare(struct modbus *m, struct request *r, struct err *e)
{
	const struct mbaddress *a = r->point->address;
	const struct mbaddress_unit *unit = r->point->device->options;
	m->question = (struct mbframe_question){
		.unit = (uint8_t)unit_of(r->point),
		.function = function_of(a, unit, !is_read(r)),
		.address = a->first,
		.count = a->count,
	};
	m->deadline_us = mbline_now() + (r->deadline_ms - loop_now(m->bridge->loop)) * 1000;
	return is_read(r) ? 0 : mbcodec_encode(&a->codec, &r->raw, m->question.data, e);
}

static struct request *take_next(struct modbus *m)
{
	bool reads_turn = m->urgent_in_a_row >= URGENT_IN_A_ROW && !list_empty(&m->reads);
	bool urgent = !reads_turn && !list_empty(&m->urgent);
	struct list *link = list_pop(urgent ? &m->urgent : &m->reads);
	m->urgent_in_a_row = urgent ? m->urgent_in_a_row + 1 : 0;
	return link ? list_of(link, struct request, link) : NULL;
}

static void run_ask(struct job *job)
{
	struct modbus *m = modbus_of(job);
	mbtalk_ask(m->talk, &m->question, m->deadline_us, &m->outcome);
}

static void on_answer(struct job *job);

static void start_next(struct modbus *m)
{
	struct request *r;
	while (m->up && !m->closing && !m->with_worker && (r = take_next(m))) {
		struct err e;
		if (prepare(m, r, &e) < 0) {
			bridge_done(m->bridge, r, REQUEST_REFUSED, NULL, &e);
			continue;
		}
		m->running = r;
		post(m, run_ask, on_answer);
	}
}

static void refused(struct modbus *m, struct request *r, uint8_t exception)
{
	enum { NO_PATH = 10, NO_ANSWER = 11 }; /* a gateway speaks for the device behind it */
	struct err why;
	err_set(&why, "unit %u: function %u, address %u: exception %u, %s", m->question.unit, m->question.function,
		m->question.address, exception, mbframe_exception_word(exception));
	int status = exception == NO_ANSWER ? REQUEST_TIMEOUT : exception == NO_PATH ? REQUEST_AWAY : REQUEST_REFUSED;
	bridge_done(m->bridge, r, status, NULL, &why);
}

static void report(struct modbus *m, struct request *r)
{
	const struct mbaddress *a = r->point->address;
	const struct mbframe_answer *answer = &m->outcome.answer;
	struct value raw = { 0 };
	if (m->outcome.status != REQUEST_DONE) {
		bridge_done(m->bridge, r, m->outcome.status, NULL, &m->outcome.why);
	} else if (answer->exception) {
		refused(m, r, answer->exception);
	} else if (!is_read(r)) {
		bridge_done(m->bridge, r, REQUEST_DONE, NULL, NULL);
	} else {
		int64_t utc_ms = loop_utc(m->bridge->loop);
		enum trouble trouble = mbcodec_decode(&a->codec, answer->data, &raw);
		struct sample take = trouble ? sample_bad(trouble, utc_ms) : sample_good(raw, utc_ms);
		bridge_done(m->bridge, r, REQUEST_DONE, &take, NULL);
	}
}

/* What bridge_done sets going may ask, cancel or close before it returns; m->outcome is copied where it is used later. */
static void on_answer(struct job *job)
{
	struct modbus *m = modbus_of(job);
	struct request *r = m->running;
	struct err why = m->outcome.why;
	bool lost = m->outcome.lost;
	m->running = NULL;
	if (m->closing) {
		m->with_worker = false;
		end(m);
		return;
	}
	report(m, r);
	m->with_worker = false;
	if (m->closing)
		end(m);
	else if (lost)
		fall(m, &why);
	else
		start_next(m);
}

static void queue(struct modbus *m, struct request *r, bool read)
{
	r->driver_data = read ? m : NULL;
	list_add(read && !r->write ? &m->reads : &m->urgent, &r->link);
}

static void read_all(struct bridge *b, struct request **r, size_t n)
{
	struct modbus *m = b->self;
	for (size_t i = 0; i < n; i++) {
		if (m->up)
			queue(m, r[i], true);
		else
			bridge_done(b, r[i], REQUEST_AWAY, NULL, &m->why);
	}
	start_next(m);
}

static void write_one(struct bridge *b, struct request *r)
{
	struct modbus *m = b->self;
	if (m->up)
		queue(m, r, false);
	else
		bridge_done(b, r, REQUEST_AWAY, NULL, &m->why);
	start_next(m);
}

/* What is on the wire already is answered or times out. */
static void cancel(struct bridge *b, struct request *r)
{
	struct modbus *m = b->self;
	struct err late;
	if (m->running == r)
		return;
	list_drop(&r->link);
	if (loop_now(b->loop) < r->deadline_ms) {
		bridge_done(b, r, REQUEST_CANCELLED, NULL, NULL);
		return;
	}
	err_set(&late, "not sent: the bus was busy until its deadline");
	bridge_done(b, r, REQUEST_TIMEOUT, NULL, &late);
}

static void drop_all(struct list *requests)
{
	while (list_pop(requests))
		continue; /* the core ends them */
}

static void close_bus(struct bridge *b)
{
	struct modbus *m = b->self;
	m->closing = true;
	drop_all(&m->urgent);
	drop_all(&m->reads);
	mbline_stop(m->line);
	if (m->resolve)
		resolve_cancel(m->resolve);
	else if (!m->with_worker)
		end(m);
}

const struct bridge_driver driver_modbus_tcp = {
	.protocol = {
		.name = "modbus-tcp",
		.options = mbaddress_tcp_rows, .options_size = sizeof(struct mbaddress_tcp),
		.device = mbaddress_unit_rows, .device_size = sizeof(struct mbaddress_unit),
		.address = mbaddress_rows, .address_size = sizeof(struct mbaddress),
		.poll_ms = 1000,
		.wire_types = true,
		.check = mbaddress_check,
	},
	.size = sizeof(struct modbus),
	.open = open_bus, .read = read_all, .write = write_one, .cancel = cancel, .close = close_bus,
};

const struct bridge_driver driver_modbus_rtu = {
	.protocol = {
		.name = "modbus-rtu",
		.options = mbaddress_rtu_rows, .options_size = sizeof(struct mbaddress_rtu),
		.device = mbaddress_unit_rows, .device_size = sizeof(struct mbaddress_unit),
		.address = mbaddress_rows, .address_size = sizeof(struct mbaddress),
		.poll_ms = 1000,
		.wire_types = true,
		.check = mbaddress_check,
		.check_device = mbaddress_check_rtu_unit,
		.check_bus = mbaddress_check_rtu,
	},
	.size = sizeof(struct modbus),
	.open = open_bus, .read = read_all, .write = write_one, .cancel = cancel, .close = close_bus,
};
