#include "tests/bridges/laws.h"

#include "core/base/mem.h"
#include "tests/bridges/spy.h"

#include <stdio.h>
#include <string.h>

enum { ASKS = 8, QUIET_MS = 150, SHORT_MS = 40, TURN_MOST_MS = 50, SPIN_TURNS = 300, FAR_MS = 60000 };

struct scene {
	const struct laws *l;
	void *peer;
	struct spy spy;
	struct rig *rig;
	struct point *reads, *writes;
	struct rig_ask asks[ASKS];
	bool quiet;
};

static void begin_with(struct scene *s, const struct laws *l, const struct laws_bad *bad)
{
	char bus[512] = "", device[512] = "";
	*s = (struct scene){ .l = l };
	spy_begin(&s->spy, l->driver);
	s->peer = l->start ? l->start() : NULL;
	if (l->bus)
		l->bus(s->peer, bus, sizeof(bus));
	if (l->device)
		l->device(s->peer, device, sizeof(device));
	const struct laws_point *reads = bad && bad->reads.options ? &bad->reads : &l->reads;
	const struct laws_point *writes = bad && bad->writes.options ? &bad->writes : &l->writes;
	s->rig = rig_new(&s->spy.driver, bad && bad->bus ? bad->bus : bus);
	s->rig->ctx = &s->spy;
	struct device *d = rig_device(s->rig, "device", bad && bad->device ? bad->device : device);
	if (reads->options)
		s->reads = rig_point(s->rig, d, "reads", reads->type, reads->options);
	if (writes->options)
		s->writes = rig_point(s->rig, d, "writes", writes->type, writes->options);
	if (s->writes)
		s->writes->access = ACCESS_BOTH;
	s->spy.point = s->reads;
}

static void until_up(struct scene *s)
{
	RIG_UNTIL(s->rig, s->rig->bridge->state == BRIDGE_UP);
}

static void begin(struct scene *s, const struct laws *l)
{
	begin_with(s, l, NULL);
	rig_start(s->rig);
	until_up(s);
}

static void end_of_quiet(void *ctx)
{
	struct scene *s = ctx;
	s->quiet = true;
}

/* Real time goes by, and whatever happens, happens. */
static void let_be(struct scene *s, int64_t ms)
{
	struct timer t = { 0 };
	s->quiet = false;
	timer_set(s->rig->loop, &t, ms, end_of_quiet, s);
	RIG_UNTIL(s->rig, s->quiet);
}

static void end(struct scene *s)
{
	if (s->rig->bridge && s->rig->bridge->state != BRIDGE_CLOSED) {
		bridge_stop(s->rig->bridge);
		RIG_UNTIL(s->rig, s->rig->bridge->state == BRIDGE_CLOSED);
		let_be(s, QUIET_MS / 5);
		cr_expect_eq(s->spy.n_closed, 1);
	}
	cr_expect(!s->spy.broken[0], "%s", s->spy.broken);
	for (size_t i = 0; i < ASKS; i++)
		rig_ask_free(&s->asks[i]);
	rig_free(s->rig);
	if (s->l->stop)
		s->l->stop(s->peer);
}

/* Reads and writes by turns, as far as the driver can do them. */
static void ask(struct scene *s, size_t i, int64_t deadline_ms)
{
	bool can_read = s->reads && s->l->driver->read, can_write = s->writes && s->l->driver->write;
	if (s->asks[i].request.bridge) /* still under way */
		return;
	rig_ask_free(&s->asks[i]);
	s->asks[i] = (struct rig_ask){ 0 };
	if (can_write && (i % 2 || !can_read))
		rig_ask_write(s->rig, &s->asks[i], s->writes, s->l->shown, deadline_ms);
	else if (can_read)
		rig_ask_read(s->rig, &s->asks[i], s->reads, deadline_ms);
	else
		s->asks[i].n_done = 1; /* it only tells: nothing is ever asked */
}

static void ask_all(struct scene *s, int64_t deadline_ms)
{
	for (size_t i = 0; i < ASKS; i++)
		ask(s, i, deadline_ms);
}

static bool all_done(const struct scene *s)
{
	for (size_t i = 0; i < ASKS; i++)
		if (!s->asks[i].n_done)
			return false;
	return true;
}

static void expect_one_end(struct scene *s, const char *when)
{
	RIG_UNTIL(s->rig, all_done(s));
	for (size_t i = 0; i < ASKS; i++)
		cr_expect_eq(s->asks[i].n_done, 1, "%s: request %zu ended %zu times", when, i, s->asks[i].n_done);
	cr_expect(!s->spy.broken[0], "%s: %s", when, s->spy.broken);
}

static void expect_status(const struct scene *s, int status, const char *when)
{
	bool asked = s->l->driver->read || (s->writes && s->l->driver->write);
	for (size_t i = 0; asked && i < ASKS; i++)
		cr_expect_eq(s->asks[i].status, status, "%s: request %zu: %s, not %s", when, i,
			     bridge_status_word(s->asks[i].status), bridge_status_word(status));
}

/* A sample of `reads` comes, asked for or told. */
static void expect_value(struct scene *s)
{
	if (!s->reads)
		return;
	size_t before = s->spy.n_samples;
	bool asks = s->l->driver->read && !s->reads->listens;
	while (s->spy.n_samples == before || s->spy.quality != QUALITY_GOOD) {
		if (asks)
			ask(s, 0, FAR_MS);
		else if (s->l->tell)
			s->l->tell(s->peer); /* again and again: nobody may be listening yet */
		if (!asks && s->l->connectionless)
			loop_skip(s->rig->loop, QUIET_MS); /* until the driver tries again, which is its own business */
		let_be(s, QUIET_MS / 15);
	}
	cr_expect_str_eq(s->spy.raw, s->l->raw);
}

static int64_t longest_turn(const struct laws *l)
{
	struct scene s;
	begin(&s, l);
	ask_all(&s, FAR_MS);
	RIG_UNTIL(s.rig, all_done(&s));
	if (l->mute)
		l->mute(s.peer, true);
	ask_all(&s, 100);
	let_be(&s, QUIET_MS);
	if (l->die)
		l->die(s.peer);
	let_be(&s, QUIET_MS);
	ask_all(&s, 100);
	if (l->revive)
		l->revive(s.peer); /* muted: whoever connects waits in vain */
	let_be(&s, 4 * QUIET_MS);
	int64_t longest = loop_longest_turn(s.rig->loop);
	end(&s);
	return longest;
}

/* Tried again on a machine that is busy with others: what blocks, blocks each time. */
void laws_1_never_blocks_the_loop(const struct laws *l)
{
	int64_t longest = TURN_MOST_MS + 1;
	for (int i = 0; i < 5 && longest > TURN_MOST_MS; i++)
		longest = longest_turn(l);
	cr_expect_leq(longest, TURN_MOST_MS, "a turn of the loop took %lld ms", (long long)longest);
}

static void end_in_time(struct scene *s)
{
	if (!s->l->mute)
		return;
	RIG_UNTIL(s->rig, s->rig->bridge->n_waiting == 0); /* a poll under way may be answered, and others with it */
	s->l->mute(s->peer, true);
	ask_all(s, 200);
	let_be(s, QUIET_MS / 5);
	loop_skip(s->rig->loop, 201);
	expect_one_end(s, "nobody answers");
	expect_status(s, REQUEST_TIMEOUT, "nobody answers");
	ask_all(s, FAR_MS);
	let_be(s, QUIET_MS / 5);
}

/* All of them wrote to one point: each took the place of the one before. */
static void expect_last(const struct scene *s)
{
	for (size_t i = 0; i < ASKS; i++)
		cr_expect_eq(s->asks[i].status, i == ASKS - 1 ? REQUEST_AWAY : REQUEST_CANCELLED, "request %zu: %s", i,
			     bridge_status_word(s->asks[i].status));
}

static void end_with_the_peer(struct scene *s)
{
	if (!s->l->die)
		return;
	s->l->die(s->peer);
	if (s->l->connectionless)
		loop_skip(s->rig->loop, FAR_MS);
	expect_one_end(s, "the peer dies");
	if (s->l->connectionless)
		return;
	RIG_UNTIL(s->rig, s->rig->bridge->state != BRIDGE_UP);
	ask_all(s, FAR_MS);
	if (s->l->driver->last_wins)
		loop_skip(s->rig->loop, FAR_MS + 1);
	expect_one_end(s, "the bus is away");
	if (s->l->driver->last_wins)
		expect_last(s);
	else
		expect_status(s, REQUEST_AWAY, "the bus is away");
}

void laws_2_ends_every_request_once(const struct laws *l)
{
	struct scene s;
	begin(&s, l);
	ask_all(&s, FAR_MS);
	expect_one_end(&s, "all is well");
	expect_status(&s, REQUEST_DONE, "all is well");
	end_in_time(&s);
	end_with_the_peer(&s);
	end(&s);

	begin(&s, l);
	if (l->mute)
		l->mute(s.peer, true);
	ask_all(&s, FAR_MS);
	bridge_stop(s.rig->bridge);
	expect_one_end(&s, "the bridge is closed");
	RIG_UNTIL(s.rig, s.rig->bridge->state == BRIDGE_CLOSED);
	end(&s);
}

static void nothing(struct scene *s)
{
	(void)s;
}

static void wait_a_little(struct scene *s)
{
	let_be(s, 5);
}

static void be_busy(struct scene *s)
{
	until_up(s);
	if (s->l->mute)
		s->l->mute(s->peer, true);
	ask_all(s, FAR_MS);
	if (s->l->tell)
		s->l->tell(s->peer);
}

static void lose_the_peer(struct scene *s)
{
	until_up(s);
	if (s->l->die)
		s->l->die(s->peer);
	let_be(s, QUIET_MS);
}

static void meet_silence(struct scene *s)
{
	until_up(s);
	if (!s->l->mute || !s->l->die || !s->l->revive)
		return;
	s->l->mute(s->peer, true);
	s->l->die(s->peer);
	let_be(s, QUIET_MS);
	s->l->revive(s->peer);
	let_be(s, QUIET_MS);
	loop_skip(s->rig->loop, FAR_MS); /* the core opens again, and nobody answers */
	let_be(s, QUIET_MS);
}

void laws_3_says_only_closed_after_close(const struct laws *l)
{
	static void (*const before[])(struct scene *) = { nothing, wait_a_little, until_up,
							  be_busy, lose_the_peer, meet_silence };
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		struct scene s;
		begin_with(&s, l, NULL);
		rig_start(s.rig);
		before[i](&s);
		bridge_stop(s.rig->bridge);
		if (l->tell)
			l->tell(s.peer);
		RIG_UNTIL(s.rig, s.rig->bridge->state == BRIDGE_CLOSED);
		let_be(&s, QUIET_MS / 3);
		cr_expect_eq(s.spy.n_closed, 1, "phase %zu", i);
		end(&s);
	}
}

void laws_4_takes_cancel_as_a_hint(const struct laws *l)
{
	struct scene s;
	begin(&s, l);
	if (l->mute)
		l->mute(s.peer, true);
	ask_all(&s, FAR_MS);
	for (size_t i = 0; i < ASKS; i++)
		bridge_cancel(s.rig->bridge, &s.asks[i].request);
	let_be(&s, QUIET_MS / 5);
	if (l->mute)
		l->mute(s.peer, false); /* answers come late, or never */
	let_be(&s, QUIET_MS / 5);
	if (!all_done(&s))
		loop_skip(s.rig->loop, FAR_MS);
	expect_one_end(&s, "cancelled");
	for (size_t i = 0; i < ASKS; i++)
		bridge_cancel(s.rig->bridge, &s.asks[i].request); /* too late: nobody has it */
	until_up(&s);
	ask_all(&s, FAR_MS);
	expect_one_end(&s, "asked again");
	end(&s);
}

void laws_5_delivers_raw_values(const struct laws *l)
{
	struct scene s;
	begin_with(&s, l, NULL);
	if (s.reads && s.reads->type != TYPE_BOOL && s.reads->type != TYPE_TEXT) {
		s.reads->has_scale = s.reads->has_offset = true;
		s.reads->scale = decimal_of(10);
		s.reads->offset = decimal_of(1000);
	}
	rig_start(s.rig);
	until_up(&s);
	expect_value(&s);
	end(&s);
}

/* What a driver kept after it handed it over, the sanitizer sees when it is used again. */
void laws_6_keeps_no_sample(const struct laws *l)
{
	struct scene s;
	begin(&s, l);
	for (int i = 0; i < 20; i++)
		expect_value(&s);
	end(&s);
}

void laws_7_does_not_retry(const struct laws *l)
{
	struct scene s;
	if (!l->die || l->connectionless)
		return;
	begin(&s, l);
	s.spy.refuse_open = true; /* the core's own attempts do not reach the driver */
	l->die(s.peer);
	RIG_UNTIL(s.rig, s.spy.n_down);
	if (l->revive)
		l->revive(s.peer);
	size_t attempts = l->attempts ? l->attempts(s.peer) : 0;
	for (int i = 0; i < 3; i++) {
		loop_skip(s.rig->loop, FAR_MS);
		let_be(&s, QUIET_MS);
	}
	cr_expect_eq(s.spy.n_up, 1, "it came up by itself");
	cr_expect_eq(l->attempts ? l->attempts(s.peer) : 0, attempts, "it tried by itself");
	end(&s);
}

void laws_8_refuses_in_check(const struct laws *l)
{
	struct err e;
	for (size_t i = 0; i < l->n_bad; i++) {
		struct scene s;
		begin_with(&s, l, &l->bad[i]);
		cr_expect_lt(rig_check(s.rig, &e), 0, "bad configuration %zu is not refused", i);
		end(&s);
	}
	struct scene s;
	begin_with(&s, l, NULL);
	cr_expect_eq(rig_check(s.rig, &e), 0, "the good configuration is refused: %s", e.text);
	cr_expect_eq(rig_check(s.rig, &e), 0, "what check completed is refused when it is checked again: %s", e.text);
	end(&s);
}

/* Two of one kind at once, each with a peer and a loop of its own. tests/house looks for the symbols. */
void laws_9_has_nothing_global(const struct laws *l)
{
	struct scene one, two;
	begin(&one, l);
	begin(&two, l);
	expect_value(&two);
	expect_value(&one);
	if (l->die)
		l->die(one.peer);
	if (l->die && !l->connectionless)
		RIG_UNTIL(one.rig, one.spy.n_down);
	expect_value(&two);
	end(&one);
	expect_value(&two);
	ask_all(&two, FAR_MS);
	expect_one_end(&two, "the other one is gone");
	expect_status(&two, REQUEST_DONE, "the other one is gone");
	end(&two);
}

static void meet_misbehaviour(struct scene *s, size_t n)
{
	for (int i = 0; i < 2; i++) { /* as it is, and after the core had reason to open again */
		if (s->l->tell)
			s->l->tell(s->peer);
		ask_all(s, 300);
		let_be(s, SHORT_MS);
		loop_skip(s->rig->loop, FAR_MS);
		expect_one_end(s, "the peer misbehaves");
		let_be(s, SHORT_MS);
	}
	uint64_t turns = loop_turns(s->rig->loop);
	let_be(s, SHORT_MS);
	cr_expect_lt(loop_turns(s->rig->loop) - turns, SPIN_TURNS, "misbehaviour %zu: it spins", n);
}

static bool survives(const struct laws *l, size_t n)
{
	struct scene s;
	begin(&s, l);
	bool is_there = l->misbehave(s.peer, n);
	if (is_there) {
		meet_misbehaviour(&s, n);
		l->behave(s.peer);
		for (int i = 0; i < 3 && s.rig->bridge->state != BRIDGE_UP; i++) {
			loop_skip(s.rig->loop, FAR_MS);
			let_be(&s, SHORT_MS);
		}
		until_up(&s);
		expect_value(&s);
		cr_expect(!s.spy.broken[0], "misbehaviour %zu: %s", n, s.spy.broken);
	}
	end(&s);
	return is_there;
}

void laws_10_survives_what_the_device_sends(const struct laws *l)
{
	for (size_t n = 0; l->misbehave && survives(l, n); n++)
		;
}
