#include "bridges/mbtalk.h"

#include "bridges/mbplan.h"
#include "core/base/mem.h"
#include "core/bridge/bridge.h"

#include <string.h>

enum {
	UNITS = 256,
	FUNCTIONS = 24,  /* those above share the place of function 0, which is none */
	LATE_TIMES = 10, /* an answer later than so many timeouts does not come any more */
	BUFFER = 512,
	REST_MOST_US = 60000000,
	DOUBLED_MOST = 10,
	BUSY = 6,                   /* exception */
	GARBAGE_SILENCE_US = 20000, /* USB adapters deliver in pieces of up to 16 ms */
};

struct mbtalk {
	struct mbline *line;                /* owned */
	const struct mbaddress_rtu *serial; /* NULL: a connection */
	bool rtu, connects,
		several; /* connects: the line is a connection, which may have been closed while it was idle */
	bool searches;
	int64_t timeout_us, retries;
	struct unit *units;

	uint16_t transaction; /* TCP */

	int64_t byte_us, gap_us; /* RTU */
	int64_t silent_us;       /* RTU: when the line may be spoken on again */
};

struct unit {
	int64_t late_us[FUNCTIONS]; /* until when a late answer with this function is conceivable */
	int64_t rest_us;            /* until when the unit is left alone */
	unsigned rests;             /* in a row: it is probed less and less often */
};

static size_t place_of(uint8_t function)
{
	return function < FUNCTIONS ? function : 0;
}

static struct mbtalk *talk_new(struct mbline *take_line, int64_t timeout_ms, int64_t retries)
{
	struct mbtalk *t = mem_new(sizeof(*t));
	*t = (struct mbtalk){ .line = take_line, .timeout_us = timeout_ms * 1000, .retries = retries };
	t->units = mem_array(UNITS, sizeof(*t->units));
	return t;
}

static struct mbtalk *on_wire(struct mbtalk *t, struct mbplan_wire wire)
{
	t->rtu = t->several = true;
	t->byte_us = wire.byte_us;
	t->gap_us = wire.gap_us;
	return t;
}

struct mbtalk *mbtalk_new_rtu(struct mbline *take_line, const struct mbaddress_rtu *o)
{
	struct mbtalk *t = on_wire(talk_new(take_line, o->timeout_ms, o->retries), mbplan_serial(o->baud, o->mode));
	t->serial = o;
	return t;
}

struct mbtalk *mbtalk_new_rtu_tcp(struct mbline *take_line, const struct mbaddress_tcp *o)
{
	struct mbtalk *t = on_wire(talk_new(take_line, o->timeout_ms, o->retries), mbplan_serial(o->baud, 0));
	t->connects = true;
	return t;
}

struct mbtalk *mbtalk_new_tcp(struct mbline *take_line, const struct mbaddress_tcp *o)
{
	return talk_new(take_line, o->timeout_ms, o->retries);
}

void mbtalk_several(struct mbtalk *t, bool several)
{
	t->several = t->rtu || several;
}

void mbtalk_free(struct mbtalk *t)
{
	if (!t)
		return;
	mbline_free(t->line);
	mem_free(t->units);
	mem_free(t);
}

void mbtalk_search(struct mbtalk *t, bool on)
{
	t->searches = on;
}

int mbtalk_reopen(struct mbtalk *t, struct err *e)
{
	if (t->serial)
		on_wire(t, mbplan_serial(t->serial->baud, t->serial->mode));
	return mbline_open(t->line, e);
}

static int status_of(int line_status)
{
	static const int statuses[] = {
		[-MBLINE_OK] = REQUEST_DONE,
		[-MBLINE_TIMEOUT] = REQUEST_TIMEOUT,
		[-MBLINE_LOST] = REQUEST_AWAY,
		[-MBLINE_STOPPED] = REQUEST_CANCELLED,
	};
	return statuses[-line_status];
}

static enum mbframe_look look(const struct mbtalk *t, const struct mbframe_question *q, const uint8_t *bytes, size_t n,
			      size_t *ret_size, struct mbtalk_outcome *o)
{
	if (t->rtu)
		return mbframe_look_rtu(q, bytes, n, ret_size, &o->answer, &o->why);
	return mbframe_look_tcp(q, t->transaction, bytes, n, ret_size, &o->answer, &o->why);
}

/* A driver of the line that is switched on makes a byte of zeros or ones; no unit has such a number. */
static size_t count_noise(const struct mbtalk *t, const uint8_t *bytes, size_t n)
{
	size_t noise = 0;
	while (t->rtu && noise < n && (bytes[noise] == 0 || bytes[noise] > 247))
		noise++;
	return noise;
}

struct intake {
	uint8_t bytes[BUFFER];
	size_t n;
	bool foreign; /* a frame that was not ours went by */
};

static void drop(struct intake *in, size_t n)
{
	in->n -= n;
	memmove(in->bytes, in->bytes + n, in->n);
}

/* What has come in so far: MORE, GOOD or BAD; foreign frames are dropped on the way. */
static enum mbframe_look look_at_all(const struct mbtalk *t, const struct mbframe_question *q, struct intake *in,
				     struct mbtalk_outcome *o)
{
	for (;;) {
		size_t size = 0;
		drop(in, count_noise(t, in->bytes, in->n));
		enum mbframe_look seen = look(t, q, in->bytes, in->n, &size, o);
		if (seen != MBFRAME_FOREIGN)
			return seen;
		in->foreign = true;
		drop(in, size);
	}
}

static int cut_off(const struct mbframe_question *q, const struct intake *in, struct mbtalk_outcome *o)
{
	if (in->n > 0)
		err_set(&o->why, "unit %u: the answer ends after %zu bytes", q->unit, in->n);
	else if (!in->foreign)
		err_set(&o->why, "unit %u does not answer", q->unit);
	return in->n > 0 || in->foreign ? REQUEST_GARBLED : REQUEST_TIMEOUT;
}

static int listen_for(struct mbtalk *t, const struct mbframe_question *q, int64_t until_us, struct mbtalk_outcome *o)
{
	struct intake in = { .n = 0 };
	for (;;) {
		size_t n = 0;
		int status = mbline_receive(t->line, in.bytes + in.n, sizeof(in.bytes) - in.n, until_us, &n, &o->why);
		if (status == MBLINE_TIMEOUT)
			return cut_off(q, &in, o);
		if (status != MBLINE_OK)
			return status_of(status);
		in.n += n;
		enum mbframe_look seen = look_at_all(t, q, &in, o);
		if (seen == MBFRAME_GOOD)
			return REQUEST_DONE;
		if (seen == MBFRAME_BAD)
			return REQUEST_GARBLED;
	}
}

/* One frame out, one frame in. Called when the line is silent and open. */
static int exchange(struct mbtalk *t, const struct mbframe_question *q, struct mbtalk_outcome *o)
{
	uint8_t frame[MBFRAME_MOST];
	size_t size = t->rtu ? mbframe_rtu(q, frame) : mbframe_tcp(q, ++t->transaction, frame);
	int64_t wire_us = t->byte_us * (int64_t)(size + mbframe_answer_size(q));
	int64_t begun_us = mbline_now(), until_us = begun_us + wire_us + t->timeout_us;
	int status = mbline_send(t->line, frame, size, until_us, &o->why);
	if (status == MBLINE_TIMEOUT)
		err_set(&o->why, "unit %u: the question could not be sent within the timeout", q->unit);
	if (status != MBLINE_OK)
		return status_of(status);
	status = listen_for(t, q, until_us, o);
	int64_t thought_us = mbline_now() - begun_us - wire_us;
	o->turnaround_us = status == REQUEST_DONE && thought_us > 0 ? thought_us : 0;
	return status;
}

static int too_late(struct mbtalk_outcome *o)
{
	err_set(&o->why, "not sent: the bus was busy until its deadline");
	return REQUEST_TIMEOUT;
}

static bool is_in_doubt(const struct unit *u, int64_t now_us)
{
	for (size_t i = 0; i < FUNCTIONS; i++)
		if (u->late_us[i] > now_us)
			return true;
	return false;
}

/* After garbage: until the line has been silent for a while, but not for ever. */
static void let_it_end(struct mbtalk *t)
{
	int64_t most_us = mbline_now() + t->timeout_us;
	int64_t silence_us = t->gap_us > GARBAGE_SILENCE_US ? t->gap_us : GARBAGE_SILENCE_US;
	uint8_t bytes[BUFFER];
	size_t n;
	while (mbline_now() < most_us &&
	       mbline_receive(t->line, bytes, sizeof(bytes), mbline_now() + silence_us, &n, NULL) == MBLINE_OK)
		continue;
}

/* True: it has not answered well for the second time in a row. */
static bool doubt(struct mbtalk *t, const struct mbframe_question *q)
{
	struct unit *u = &t->units[q->unit];
	bool again = is_in_doubt(u, mbline_now());
	u->late_us[place_of(q->function)] = mbline_now() + LATE_TIMES * t->timeout_us;
	return again;
}

static void trust(struct mbtalk *t, const struct mbframe_question *q)
{
	t->units[q->unit] = (struct unit){ 0 };
}

/* Never below the time in which a late answer is conceivable. */
static void let_rest(struct mbtalk *t, const struct mbframe_question *q)
{
	struct unit *u = &t->units[q->unit];
	int64_t least_us = LATE_TIMES * t->timeout_us, most_us = least_us > REST_MOST_US ? least_us : REST_MOST_US;
	int64_t rest_us = least_us << (u->rests < DOUBLED_MOST ? u->rests : DOUBLED_MOST);
	u->rest_us = mbline_now() + (rest_us < most_us ? rest_us : most_us);
	u->rests++;
}

/* One that was silent before costs one question, and nobody listens for it any longer. */
static bool is_probed(const struct mbtalk *t, const struct mbframe_question *q)
{
	return t->units[q->unit].rests > 0;
}

static bool rests(const struct mbtalk *t, const struct mbframe_question *q, struct mbtalk_outcome *o)
{
	int64_t left_us = t->units[q->unit].rest_us - mbline_now();
	if (left_us <= 0)
		return false;
	err_set(&o->why, "unit %u does not answer and is left alone for %lld ms", q->unit, (long long)(left_us / 1000));
	return true;
}

/* Ends in an open connection, with nothing in it. A device may close one that was idle: that is no trouble as long as it
 * takes a new one. */
static int get_connected(struct mbtalk *t, struct mbtalk_outcome *o)
{
	if (mbline_is_open(t->line) && mbline_discard(t->line, &o->why) == MBLINE_OK)
		return 0;
	return mbline_open(t->line, &o->why);
}

/* Behind a gateway there are others who may answer: then silence is the unit's trouble, and costs a new connection. Any
 * other trouble is the connection's. */
static int tcp_once(struct mbtalk *t, const struct mbframe_question *q, int64_t deadline_us, struct mbtalk_outcome *o)
{
	if (rests(t, q, o))
		return REQUEST_TIMEOUT;
	if (get_connected(t, o) < 0) {
		o->lost = true;
		return mbline_is_stopped(t->line) ? REQUEST_CANCELLED : REQUEST_AWAY;
	}
	if (mbline_now() > deadline_us)
		return too_late(o);
	int status = exchange(t, q, o);
	if (status == REQUEST_DONE) {
		trust(t, q);
		return status;
	}
	mbline_shut(t->line);
	o->lost = status != REQUEST_TIMEOUT || !t->several;
	if (t->searches)
		return status;
	bool again = doubt(t, q);
	if ((again || is_probed(t, q)) && !o->lost)
		let_rest(t, q);
	return status;
}

/* Nobody may speak for one more timeout, so that a late answer does not meet the next question on the line. If it comes,
 * the unit is in step again. */
static void keep_quiet(struct mbtalk *t, const struct mbframe_question *q)
{
	struct mbtalk_outcome ignored;
	int status = listen_for(t, q, mbline_now() + t->timeout_us, &ignored);
	if (status == REQUEST_DONE)
		trust(t, q);
	if (status == REQUEST_GARBLED)
		let_it_end(t);
}

static void recover(struct mbtalk *t, const struct mbframe_question *q, int status)
{
	bool again = !t->searches && doubt(t, q);
	if (status == REQUEST_GARBLED)
		let_it_end(t);
	else if (t->searches)
		return;
	else if (status == REQUEST_TIMEOUT && (again || is_probed(t, q)))
		let_rest(t, q);
	else if (status == REQUEST_TIMEOUT)
		keep_quiet(t, q);
}

static int rtu_exchange(struct mbtalk *t, const struct mbframe_question *q, int64_t deadline_us,
			struct mbtalk_outcome *o)
{
	int status = mbline_pause(t->line, t->silent_us);
	if (status == MBLINE_OK)
		status = mbline_discard(t->line, &o->why);
	if (status != MBLINE_OK)
		return status_of(status);
	if (mbline_now() > deadline_us)
		return too_late(o);
	status = exchange(t, q, o);
	if (status == REQUEST_DONE)
		trust(t, q);
	else
		recover(t, q, status);
	t->silent_us = mbline_now() + t->gap_us;
	return status;
}

/* Any answer will do, and an exception is one. */
static int get_in_step(struct mbtalk *t, const struct mbframe_question *q, int64_t deadline_us,
		       struct mbtalk_outcome *o)
{
	static const uint8_t functions[] = { MBFRAME_READ_HOLDING, MBFRAME_READ_INPUT, MBFRAME_READ_COILS,
					     MBFRAME_READ_DISCRETE };
	for (size_t i = 0; i < sizeof(functions); i++) {
		if (t->units[q->unit].late_us[functions[i]] > mbline_now())
			continue;
		struct mbframe_question other = { q->unit, functions[i], q->address, 1, { 0 } };
		return rtu_exchange(t, &other, deadline_us, o);
	}
	err_set(&o->why, "unit %u gives no good answers", q->unit);
	return REQUEST_TIMEOUT;
}

static int rtu_once(struct mbtalk *t, const struct mbframe_question *q, int64_t deadline_us, struct mbtalk_outcome *o)
{
	int status = REQUEST_DONE;
	if (rests(t, q, o))
		return REQUEST_TIMEOUT;
	if (t->connects && get_connected(t, o) < 0) {
		o->lost = true;
		return mbline_is_stopped(t->line) ? REQUEST_CANCELLED : REQUEST_AWAY;
	}
	if (t->units[q->unit].late_us[place_of(q->function)] > mbline_now())
		status = get_in_step(t, q, deadline_us, o);
	if (status == REQUEST_DONE)
		status = rtu_exchange(t, q, deadline_us, o);
	o->lost = status == REQUEST_AWAY;
	if (o->lost)
		mbline_shut(t->line);
	return status;
}

static bool may_do_better(const struct mbtalk_outcome *o)
{
	bool busy = o->status == REQUEST_DONE && o->answer.exception == BUSY;
	return busy || o->status == REQUEST_TIMEOUT || o->status == REQUEST_GARBLED;
}

void mbtalk_ask(struct mbtalk *t, const struct mbframe_question *q, int64_t deadline_us, struct mbtalk_outcome *ret)
{
	int64_t left = mbframe_writes(q->function) ? 0 : t->retries;
	do {
		ret->lost = false;
		ret->status = (t->rtu ? rtu_once : tcp_once)(t, q, deadline_us, ret);
	} while (left-- > 0 && may_do_better(ret) && mbline_now() <= deadline_us);
	ret->silent = t->units[q->unit].rest_us > mbline_now();
}
