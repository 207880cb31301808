#include "bridges/mbanswer.h"

#include "bridges/mbask.h"

int64_t mbanswer_unit(const struct point *p)
{
	return ((const struct mbaddress_unit *)p->device->options)->unit_id;
}

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

static void end_them(struct modbus *m, int status, const struct err *why)
{
	for (struct request *r; (r = next_ending(m));)
		bridge_done(m->bridge, r, status, NULL, why);
}

void mbanswer_end_all(struct modbus *m, int status, const struct err *why)
{
	begin_ending(m);
	end_them(m, status, why);
}

void mbanswer_mark(struct modbus *m, void *mark)
{
	for (struct list *at = m->running.requests.next; at != &m->running.requests; at = at->next)
		if (!m->running.write)
			list_of(at, struct request, link)->driver_data = mark;
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
	mbanswer_mark(m, m);
	if (place && mbqueue_refused(&m->queue, &m->running, exception, loop_now(m->bridge->loop)))
		return;
	err_set(&why, "unit %u: function %u, address %u: exception %u, %s", m->question.unit, m->question.function,
		m->question.address, exception, mbframe_exception_word(exception));
	int status = exception == NO_ANSWER ? REQUEST_TIMEOUT : exception == NO_PATH ? REQUEST_AWAY : REQUEST_REFUSED;
	mbanswer_end_all(m, status, &why);
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
	end_them(m, m->outcome.status, &m->outcome.why);
	for (size_t i = 0; news && i < b->n_points && !m->closing; i++) {
		struct sample offline = sample_bad(TROUBLE_TIMEOUT, loop_utc(b->loop));
		if (mbanswer_unit(b->points[i]) == unit)
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
		if (mbanswer_unit(b->points[i]) == unit && (i == 0 || b->points[i]->device != b->points[i - 1]->device))
			bridge_poll(b, b->points[i]->device);
}

void mbanswer_report(struct modbus *m)
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
		mbanswer_end_all(m, m->outcome.status, good ? NULL : &m->outcome.why);
	}
	if (answered && m->silent[m->question.unit])
		say_back(m);
}
