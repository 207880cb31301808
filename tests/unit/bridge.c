#include "tests/lib/rig.h"

#include "core/base/limits.h"
#include "core/base/mem.h"

#include <criterion/criterion.h>
#include <string.h>

/* A driver that does only what the test tells it. */
struct play {
	struct request *asked[64];
	size_t n_asked, n_open, n_read_calls, n_cancelled;
	bool refuse_open;
};

static struct play *play_of(const struct bridge *b)
{
	return b->self;
}

static int play_open(struct bridge *b, struct err *e)
{
	play_of(b)->n_open++;
	if (play_of(b)->refuse_open)
		return err_set(e, "connection refused");
	bridge_up(b);
	return 0;
}

static void play_write(struct bridge *b, struct request *r)
{
	struct play *p = play_of(b);
	cr_assert_lt(p->n_asked, 64);
	p->asked[p->n_asked++] = r;
}

static void play_read(struct bridge *b, struct request **r, size_t n)
{
	play_of(b)->n_read_calls++;
	for (size_t i = 0; i < n; i++)
		play_write(b, r[i]);
}

static void play_cancel(struct bridge *b, struct request *r)
{
	(void)r;
	play_of(b)->n_cancelled++;
}

static void play_close(struct bridge *b)
{
	bridge_closed(b);
}

static const struct bridge_driver play_driver = {
	.protocol = { .name = "play", .poll_ms = 1000 },
	.size = sizeof(struct play),
	.open = play_open,
	.read = play_read,
	.write = play_write,
	.cancel = play_cancel,
	.close = play_close,
};

static struct point *two_points(struct rig *rig)
{
	struct device *d = rig_device(rig, "meter", NULL);
	struct point *p = rig_point(rig, d, "a", TYPE_INT, NULL);
	p->access = ACCESS_BOTH;
	rig_point(rig, d, "b", TYPE_INT, NULL);
	return p;
}

static void end_all(struct rig *rig, int status)
{
	struct play *play = play_of(rig->bridge);
	size_t n = play->n_asked;
	for (size_t i = 0; i < n; i++) {
		struct sample s = sample_good(value_integer((int64_t)i + 1), loop_utc(rig->loop));
		struct request *r = play->asked[i];
		bridge_done(rig->bridge, r, status, status == REQUEST_DONE && !r->write ? &s : NULL, NULL);
	}
	play->n_asked -= n;
	memmove(play->asked, play->asked + n, play->n_asked * sizeof(play->asked[0]));
}

Test(bridge, reads_points_of_one_interval_together_and_never_twice_at_once)
{
	struct rig *rig = rig_new(&play_driver, NULL);
	two_points(rig);
	rig_start(rig);
	struct play *play = play_of(rig->bridge);
	RIG_UNTIL(rig, play->n_asked == 2);
	cr_expect_eq(play->n_read_calls, 1);
	loop_skip(rig->loop, 1000);
	uint64_t turns = loop_turns(rig->loop);
	RIG_UNTIL(rig, loop_turns(rig->loop) > turns);
	cr_expect_eq(play->n_asked, 2, "a slow bus gets slower rounds, never a queue");
	end_all(rig, REQUEST_DONE);
	loop_skip(rig->loop, 1000);
	RIG_UNTIL(rig, play->n_asked == 2);
	cr_expect_eq(play->n_read_calls, 2);
	rig_free(rig);
}

Test(bridge, opens_again_with_growing_delay_and_says_once_that_it_is_away)
{
	struct rig *rig = rig_new(&play_driver, NULL);
	struct point *p = two_points(rig);
	char *written;
	size_t size;
	rig->log.file = open_memstream(&written, &size);
	rig->log.level = LOG_LEVEL_INFO;
	rig->bridge = NULL;
	rig_start(rig);
	struct play *play = play_of(rig->bridge);
	struct err why;
	err_set(&why, "cable cut");
	play->refuse_open = true;
	bridge_down(rig->bridge, &why);
	cr_expect_eq(p->last.quality, QUALITY_BAD);
	cr_expect_eq(p->last.trouble, TROUBLE_AWAY);
	for (size_t i = 2; i < 12; i++) {
		loop_skip(rig->loop, 60000);
		RIG_UNTIL(rig, play->n_open == i);
	}
	play->refuse_open = false;
	loop_skip(rig->loop, 60000);
	RIG_UNTIL(rig, rig->bridge->state == BRIDGE_UP);
	fflush(rig->log.file);
	cr_expect(strstr(written, "bus 'bus': away: cable cut; again in "), "%s", written);
	cr_expect_null(strstr(written, "connection refused"), "%s", written);
	cr_expect(strstr(strstr(written, "away"), "bus 'bus': up"), "%s", written);
	FILE *file = rig->log.file;
	rig_free(rig);
	fclose(file);
	free(written); /* memory of the C library */
}

Test(bridge, refuses_what_is_asked_of_a_bus_that_is_away)
{
	struct rig *rig = rig_new(&play_driver, NULL);
	struct point *p = two_points(rig);
	rig_start(rig);
	struct err why;
	err_set(&why, "cable cut");
	bridge_down(rig->bridge, &why);
	struct rig_ask a = { 0 };
	rig_ask_write(rig, &a, p, "5", 1000);
	cr_expect_eq(a.n_done, 1);
	cr_expect_eq(a.status, REQUEST_AWAY);
	cr_expect_str_eq(a.why.text, "cable cut");
	rig_ask_free(&a);
	rig_free(rig);
}

Test(bridge, makes_a_good_value_old_when_its_time_has_come)
{
	struct rig *rig = rig_new(&play_driver, NULL);
	struct point *p = two_points(rig);
	p->stale_ms = 3000;
	rig_start(rig);
	struct play *play = play_of(rig->bridge);
	RIG_UNTIL(rig, play->n_asked == 2);
	end_all(rig, REQUEST_DONE);
	cr_expect_eq(p->last.quality, QUALITY_GOOD);
	loop_skip(rig->loop, 2990);
	RIG_UNTIL(rig, play->n_asked == 2);
	RIG_UNTIL(rig, p->last.quality == QUALITY_OLD);
	cr_expect_eq(p->last.value.number.digits, 1, "the value stays, but as an old one");
	rig_free(rig);
}

Test(bridge, marks_what_could_not_be_read_and_names_why)
{
	static const struct {
		int status;
		enum trouble trouble;
	} rows[] = { { REQUEST_TIMEOUT, TROUBLE_TIMEOUT },
		     { REQUEST_REFUSED, TROUBLE_REFUSED },
		     { REQUEST_GARBLED, TROUBLE_GARBLED } };
	struct rig *rig = rig_new(&play_driver, NULL);
	struct point *p = two_points(rig);
	rig_start(rig);
	struct play *play = play_of(rig->bridge);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		RIG_UNTIL(rig, play->n_asked == 2);
		end_all(rig, rows[i].status);
		cr_expect_eq(p->last.quality, QUALITY_BAD);
		cr_expect_eq(p->last.trouble, rows[i].trouble);
		loop_skip(rig->loop, 1000);
	}
	rig_free(rig);
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;
	for (; (text = strstr(text, word)); text++)
		n++;
	return n;
}

/* A site with thirty absent meters would have hundreds of lines that say the same. */
Test(bridge, says_once_that_a_device_is_silent_and_of_each_point_what_is_its_own)
{
	static const struct {
		int status;
		const char *word;
		size_t lines;
	} rows[] = { { REQUEST_TIMEOUT, "does not answer", 1 }, { REQUEST_DONE, "good again", 1 },
		     { REQUEST_REFUSED, "refuse", 2 },		{ REQUEST_DONE, "good again", 2 },
		     { REQUEST_TIMEOUT, "does not answer", 1 }, { REQUEST_TIMEOUT, "does not answer", 0 },
		     { REQUEST_REFUSED, "refuse", 2 },		{ REQUEST_TIMEOUT, "does not answer", 1 } };
	struct rig *rig = rig_new(&play_driver, NULL);
	two_points(rig);
	rig_start(rig);
	struct play *play = play_of(rig->bridge);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *written = NULL;
		size_t size = 0;
		RIG_UNTIL(rig, play->n_asked == 2);
		rig->log.file = open_memstream(&written, &size);
		end_all(rig, rows[i].status);
		fclose(rig->log.file);
		rig->log.file = NULL;
		cr_expect_eq(count(written, rows[i].word), rows[i].lines, "row %zu: %s", i, written);
		free(written);
		loop_skip(rig->loop, 1000);
	}
	rig_free(rig);
}

Test(bridge, hints_at_the_deadline_and_waits_for_the_end)
{
	struct rig *rig = rig_new(&play_driver, NULL);
	struct point *p = two_points(rig);
	rig_start(rig);
	struct play *play = play_of(rig->bridge);
	RIG_UNTIL(rig, play->n_asked == 2);
	struct rig_ask a = { 0 };
	rig_ask_write(rig, &a, p, "5", 1000);
	loop_skip(rig->loop, 1000);
	RIG_UNTIL(rig, play->n_cancelled == 1);
	cr_expect_eq(a.n_done, 0, "cancel is a hint, not an end");
	cr_expect_not(bridge_is_stuck(rig->bridge));
	loop_skip(rig->loop, 31000);
	cr_expect(bridge_is_stuck(rig->bridge));
	end_all(rig, REQUEST_TIMEOUT);
	cr_expect_eq(a.n_done, 1);
	cr_expect_eq(a.status, REQUEST_TIMEOUT);
	rig_ask_free(&a);
	rig_free(rig);
}

Test(bridge, ends_what_the_driver_has_forgotten_at_the_stop)
{
	struct rig *rig = rig_new(&play_driver, NULL);
	struct point *p = two_points(rig);
	rig_start(rig);
	RIG_UNTIL(rig, play_of(rig->bridge)->n_asked == 2);
	struct rig_ask a = { 0 };
	rig_ask_write(rig, &a, p, "5", 1000);
	bridge_stop(rig->bridge);
	cr_expect_eq(a.n_done, 1);
	cr_expect_eq(a.status, REQUEST_CANCELLED);
	rig_ask_free(&a);
	rig_free(rig);
}

Test(bridge, takes_a_poll_that_was_on_the_wire_before_a_write_for_no_new_value)
{
	struct rig *rig = rig_new(&play_driver, NULL);
	struct point *p = two_points(rig);
	rig_start(rig);
	struct play *play = play_of(rig->bridge);
	RIG_UNTIL(rig, play->n_asked == 2);
	struct rig_ask a = { 0 };
	rig_ask_write(rig, &a, p, "5", 1000);
	struct request *write = play->asked[2];
	play->n_asked = 2;
	loop_skip(rig->loop, 10);
	end_all(rig, REQUEST_DONE); /* the poll ends: what the device had before */
	loop_skip(rig->loop, 10);
	bridge_done(rig->bridge, write, REQUEST_DONE, NULL, NULL);
	cr_expect_eq(a.status, REQUEST_DONE);
	cr_expect_not(point_is_fresh(p, loop_now(rig->loop)));
	rig_ask_free(&a);
	rig_free(rig);
}

Test(bridge, answers_no_read_with_a_value_from_before_a_write)
{
	struct rig *rig = rig_new(&play_driver, NULL);
	struct point *p = two_points(rig);
	rig_start(rig);
	RIG_UNTIL(rig, play_of(rig->bridge)->n_asked == 2);
	end_all(rig, REQUEST_DONE);
	cr_expect(point_is_fresh(p, loop_now(rig->loop)));
	struct rig_ask a = { 0 };
	rig_ask_write(rig, &a, p, "5", 1000);
	end_all(rig, REQUEST_DONE);
	cr_expect_eq(a.status, REQUEST_DONE);
	cr_expect_not(a.confirmed);
	cr_expect_not(point_is_fresh(p, loop_now(rig->loop)));
	rig_ask_free(&a);
	rig_free(rig);
}

static void keep_found(struct rig *rig, const char *key, const char *block)
{
	snprintf(rig->ctx, 64, "%s: %s", key, block ? block : "gone");
}

Test(bridge, tells_what_the_bus_found_while_it_is_up_and_not_what_is_too_large)
{
	struct rig *rig = rig_new(&play_driver, NULL);
	char told[64] = "";
	two_points(rig);
	rig->ctx = told;
	rig->on_found = keep_found;
	rig_start(rig);
	bridge_found(rig->bridge, "plug", "{ id = \"plug\"; }");
	cr_expect_str_eq(told, "plug: { id = \"plug\"; }");
	bridge_found(rig->bridge, "plug", NULL);
	cr_expect_str_eq(told, "plug: gone");
	char *large = mem_new(LIMIT_FOUND_BLOCK + 2);
	memset(large, ' ', LIMIT_FOUND_BLOCK + 1);
	bridge_found(rig->bridge, "large", large);
	bridge_found(rig->bridge, "", "{ }");
	bridge_down(rig->bridge, &(const struct err){ "cut" });
	bridge_found(rig->bridge, "late", "{ }");
	cr_expect_eq(rig->n_found, 2);
	mem_free(large);
	rig_free(rig);
}
