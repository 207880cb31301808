/* A new configuration for a bus that runs: who stays notices nothing, who leaves is asked nothing more. */
#include "tests/lib/rig.h"

#include "core/base/mem.h"

#include <criterion/criterion.h>
#include <string.h>

struct play {
	struct request *asked[64];
	size_t n_asked;
};

/* Of the whole test: a driver that is closed and opened has a new self. */
struct seen {
	size_t n_open, n_close, n_change, n_points_told, n_quiet, n_cancel, n_off;
	bool refuse_open;
};

static struct seen *seen_of(const struct bridge *b)
{
	return ((struct rig *)b->ctx)->ctx;
}

static int play_open(struct bridge *b, struct err *e)
{
	seen_of(b)->n_open++;
	if (seen_of(b)->refuse_open)
		return err_set(e, "connection refused");
	bridge_up(b);
	return 0;
}

static void play_write(struct bridge *b, struct request *r)
{
	struct play *p = b->self;
	cr_assert_lt(p->n_asked, 64);
	p->asked[p->n_asked++] = r;
}

static void play_read(struct bridge *b, struct request **r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		play_write(b, r[i]);
}

static int play_listen(struct bridge *b, struct point *p, bool on)
{
	seen_of(b)->n_off += !on;
	return text_begins(p->id, "told");
}

static void end_one(struct bridge *b, struct request *r, int status)
{
	struct play *play = b->self;
	size_t i = 0;
	while (play->asked[i] != r)
		i++;
	play->asked[i] = play->asked[--play->n_asked];
	struct sample s = sample_good(value_integer(7), loop_utc(b->loop));
	bridge_done(b, r, status, status == REQUEST_DONE && !r->write ? &s : NULL, NULL);
}

static void play_cancel(struct bridge *b, struct request *r)
{
	seen_of(b)->n_cancel++;
	end_one(b, r, REQUEST_CANCELLED);
}

static void play_close(struct bridge *b)
{
	seen_of(b)->n_close++;
	bridge_closed(b);
}

static void play_change(struct bridge *b)
{
	seen_of(b)->n_change++;
	seen_of(b)->n_points_told = b->n_points;
}

#define PLAY(change_function)                                                                                          \
	{                                                                                                              \
		.protocol = { .name = "play", .poll_ms = 1000 }, .size = sizeof(struct play), .open = play_open,           \
		.listen = play_listen, .read = play_read, .write = play_write, .cancel = play_cancel,                     \
		.close = play_close, .change = change_function,                                                             \
	}

static const struct bridge_driver lively = PLAY(play_change), plain = PLAY(NULL);

struct scene {
	struct seen seen;
	struct rig *rig;
	struct device *stays, *leaves;
	struct point *kept, *lost;
};

static void begin(struct scene *s, const struct bridge_driver *driver)
{
	*s = (struct scene){ .rig = rig_new(driver, NULL) };
	s->rig->ctx = &s->seen;
	s->stays = rig_device(s->rig, "stays", NULL);
	s->kept = rig_point(s->rig, s->stays, "kept", TYPE_INT, NULL);
	rig_point(s->rig, s->stays, "told", TYPE_INT, NULL);
	s->leaves = rig_device(s->rig, "leaves", NULL);
	s->lost = rig_point(s->rig, s->leaves, "lost", TYPE_INT, NULL);
	rig_point(s->rig, s->leaves, "told-too", TYPE_INT, NULL);
	s->kept->access = s->lost->access = ACCESS_BOTH;
	rig_start(s->rig);
}

static struct play *play_of(const struct scene *s)
{
	return s->rig->bridge->self;
}

static void end_all(struct scene *s)
{
	while (play_of(s)->n_asked)
		end_one(s->rig->bridge, play_of(s)->asked[0], REQUEST_DONE);
}

static void on_quiet(void *ctx, struct bridge *b)
{
	struct scene *s = ctx;
	(void)b;
	s->seen.n_quiet++;
}

static void hold(struct scene *s, bool reopen)
{
	s->leaves->leaving = true;
	bridge_hold(s->rig->bridge, reopen, on_quiet, s);
	cr_expect_eq(s->seen.n_quiet, 0, "not in the call");
}

/* What core/reload.c does: the leaving one is out of the house, another one comes. */
static struct point *swap(struct scene *s)
{
	struct house *h = s->rig->house;
	h->devices[1] = h->devices[--h->n_devices];
	house_free_device(h, s->leaves);
	struct device *d = rig_device(s->rig, "comes", NULL);
	d->joining = true;
	struct point *p = rig_point(s->rig, d, "new", TYPE_INT, NULL);
	bridge_resume(s->rig->bridge, h);
	d->joining = false;
	return p;
}

static void nothing(void *ctx)
{
	(void)ctx;
}

static void turn(struct scene *s)
{
	struct timer t = { 0 };
	timer_set(s->rig->loop, &t, 0, nothing, NULL);
	RIG_UNTIL(s->rig, !t.place);
}

Test(bridge_renew, a_driver_that_can_change_goes_on_with_what_stays)
{
	struct scene s;
	struct rig_ask stays = { 0 }, leaves = { 0 };
	begin(&s, &lively);
	RIG_UNTIL(s.rig, play_of(&s)->n_asked == 2);
	end_all(&s);
	rig_ask_write(s.rig, &stays, s.kept, "1", 60000);
	rig_ask_write(s.rig, &leaves, s.lost, "1", 60000);
	hold(&s, false);
	turn(&s);
	cr_expect_eq(s.seen.n_quiet, 0, "one that leaves is still asked");
	end_one(s.rig->bridge, &leaves.request, REQUEST_DONE);
	RIG_UNTIL(s.rig, s.seen.n_quiet == 1);
	cr_expect_eq(leaves.status, REQUEST_DONE);
	cr_expect_eq(s.seen.n_change, 1);
	cr_expect_eq(s.seen.n_points_told, 2);
	cr_expect_eq(s.seen.n_off, 1);
	struct point *p = swap(&s);
	cr_expect_eq(s.seen.n_change, 2);
	cr_expect_eq(s.seen.n_points_told, 3);
	cr_expect_eq(s.seen.n_open, 1);
	cr_expect_eq(stays.n_done, 0, "it is still under way");
	cr_expect_eq(play_of(&s)->n_asked, 2);
	cr_expect_eq(play_of(&s)->asked[1]->point, p, "the new one is read at once");
	end_one(s.rig->bridge, &stays.request, REQUEST_DONE);
	cr_expect_eq(stays.status, REQUEST_DONE);
	end_all(&s);
	loop_skip(s.rig->loop, 1000);
	RIG_UNTIL(s.rig, play_of(&s)->n_asked == 2);
	rig_free(s.rig);
}

Test(bridge_renew, what_is_asked_of_who_leaves_is_refused_as_busy)
{
	struct scene s;
	struct rig_ask first = { 0 }, second = { 0 };
	begin(&s, &lively);
	rig_ask_write(s.rig, &first, s.lost, "1", 60000);
	hold(&s, false);
	rig_ask_read(s.rig, &second, s.lost, 1000);
	cr_expect_eq(second.n_done, 1);
	cr_expect_eq(second.status, REQUEST_BUSY);
	cr_expect_str_eq(second.why.text, "its configuration is being changed");
	loop_skip(s.rig->loop, 3000);
	RIG_UNTIL(s.rig, s.seen.n_quiet == 1);
	cr_expect_eq(first.status, REQUEST_CANCELLED, "what does not end in time is cancelled");
	cr_expect_gt(s.seen.n_cancel, 0);
	swap(&s);
	rig_free(s.rig);
}

Test(bridge_renew, a_driver_that_cannot_change_is_opened_again_and_what_stays_waits_for_it)
{
	struct scene s;
	struct rig_ask before = { 0 }, during = { 0 };
	begin(&s, &plain);
	RIG_UNTIL(s.rig, play_of(&s)->n_asked == 2);
	end_all(&s);
	size_t news = s.rig->n_samples;
	rig_ask_write(s.rig, &before, s.kept, "1", 60000);
	hold(&s, false);
	rig_ask_write(s.rig, &during, s.kept, "2", 60000);
	cr_expect_eq(during.n_done, 0);
	end_all(&s);
	cr_expect_eq(before.status, REQUEST_DONE);
	RIG_UNTIL(s.rig, s.seen.n_quiet == 1);
	cr_expect_eq(s.seen.n_close, 1);
	cr_expect_eq(s.rig->n_closed, 0, "nobody else hears of it");
	swap(&s);
	RIG_UNTIL(s.rig, play_of(&s)->n_asked == 3);
	end_all(&s);
	cr_expect_eq(during.status, REQUEST_DONE);
	cr_expect_eq(s.seen.n_open, 2);
	cr_expect_eq(s.rig->n_away, 0);
	cr_expect_eq(s.rig->n_samples, news + 1, "only the new point has news");
	rig_free(s.rig);
}

Test(bridge_renew, what_waited_is_refused_when_the_bus_does_not_come_back)
{
	struct scene s;
	struct rig_ask during = { 0 }, late = { 0 };
	begin(&s, &plain);
	hold(&s, true);
	rig_ask_write(s.rig, &during, s.kept, "2", 60000);
	rig_ask_read(s.rig, &late, s.kept, 10);
	loop_skip(s.rig->loop, 3000);
	RIG_UNTIL(s.rig, s.seen.n_quiet == 1);
	cr_expect_eq(late.status, REQUEST_TIMEOUT);
	s.seen.refuse_open = true;
	swap(&s);
	cr_expect_eq(during.status, REQUEST_AWAY);
	cr_expect_eq(s.kept->last.trouble, TROUBLE_AWAY);
	rig_free(s.rig);
}

/* A write that waits for a bus that is away is nobody's any more when its point leaves. */
Test(bridge_renew, what_waits_for_a_bus_that_is_away_ends_with_its_device_or_goes_on_waiting)
{
	struct scene s;
	struct bridge_driver last_wins = plain;
	struct rig_ask older = { 0 }, kept = { 0 }, lost = { 0 }, read = { 0 };
	last_wins.last_wins = true;
	begin(&s, &last_wins);
	s.seen.refuse_open = true;
	bridge_down(s.rig->bridge, &(const struct err){ "gone" });
	rig_ask_write(s.rig, &older, s.kept, "1", 600000);
	rig_ask_write(s.rig, &lost, s.lost, "1", 600000);
	rig_ask_write(s.rig, &kept, s.kept, "2", 600000);
	rig_ask_read(s.rig, &read, s.kept, 600000);
	cr_expect_eq(older.status, REQUEST_CANCELLED);
	cr_expect_eq(read.status, REQUEST_AWAY, "who reads wants to know now");
	cr_expect_eq(lost.n_done + kept.n_done, 0);
	hold(&s, false);
	cr_expect_eq(lost.status, REQUEST_BUSY);
	RIG_UNTIL(s.rig, s.seen.n_quiet == 1);
	swap(&s);
	cr_expect_eq(kept.n_done, 0, "the bus is still away");
	s.seen.refuse_open = false;
	loop_skip(s.rig->loop, 60000);
	RIG_UNTIL(s.rig, s.rig->bridge->state == BRIDGE_UP);
	end_all(&s);
	cr_expect_eq(kept.status, REQUEST_DONE);
	rig_free(s.rig);
}

Test(bridge_renew, a_bus_that_goes_down_meanwhile_is_opened_again)
{
	struct scene s;
	begin(&s, &lively);
	hold(&s, false);
	end_all(&s);
	bridge_down(s.rig->bridge, &(const struct err){ "cut" });
	RIG_UNTIL(s.rig, s.seen.n_quiet == 1);
	cr_expect_eq(s.seen.n_close, 1);
	swap(&s);
	cr_expect_eq(s.seen.n_open, 2);
	cr_expect_eq(s.rig->bridge->state, BRIDGE_UP);
	rig_free(s.rig);
}

/* rig_free stops the bus, in each of the phases. */
static void stops_in(bool reopen, size_t turns)
{
	struct scene s;
	struct rig_ask asked = { 0 }, during = { 0 };
	begin(&s, &lively);
	rig_ask_write(s.rig, &asked, s.lost, "1", 60000);
	hold(&s, reopen);
	rig_ask_write(s.rig, &during, s.kept, "2", 60000);
	if (turns)
		end_all(&s);
	for (size_t i = 0; i < turns; i++)
		turn(&s);
	bridge_stop(s.rig->bridge);
	cr_expect_eq(asked.n_done, 1);
	cr_expect_eq(during.n_done, 1);
	rig_free(s.rig);
}

Test(bridge_renew, can_be_stopped_at_any_time)
{
	for (size_t turns = 0; turns < 5; turns++) {
		stops_in(false, turns);
		stops_in(true, turns);
	}
}
