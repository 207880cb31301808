/* History on disk: written only while it is needed, there after a restart and a kill, forgotten with a reset. */
#include "core/history.h"
#include "tests/unit/store_place.h"

#include <signal.h>
#include <sys/resource.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

struct scene {
	struct place place;
	struct loop *loop;
	struct log log;
	char *said;
	size_t n_said;
	struct journal_bounds bounds;
	struct past past;
	struct spill spill;
};

static void start(struct scene *c)
{
	struct err e;
	c->loop = loop_new();
	past_begin(&c->past, 64 << 20);
	past_want(&c->past, "d.a", 1, DAY);
	past_want(&c->past, "d.b", 1, DAY);
	cr_assert_eq(spill_begin(&c->spill, &c->past, c->place.state, &c->bounds, c->loop, &c->log, &e), 0, "%s", e.text);
}

static void begin(struct scene *c)
{
	*c = (struct scene){ .place = place_new(), .bounds = { DAY, 64 << 20 } };
	log_init(&c->log, LOG_LEVEL_DEBUG, open_memstream(&c->said, &c->n_said));
	start(c);
}

static void stop(struct scene *c)
{
	spill_end(&c->spill);
	past_end(&c->past);
	loop_free(c->loop);
}

/* All that was not on disk by now is lost. */
static void die(struct scene *c)
{
	timer_stop(c->loop, &c->spill.timer);
	journal_close(c->spill.journal);
	timer_stop(c->loop, &c->spill.timer);
	spill_each_stranger(&c->spill, NULL, NULL);
	text_free(&c->spill.forgets);
	past_end(&c->past);
	loop_free(c->loop);
}

static void end(struct scene *c)
{
	stop(c);
	log_end(&c->log);
	fclose(c->log.file);
	free(c->said);
	place_free(&c->place);
}

static struct past_ring *ring(struct scene *c, const char *key)
{
	struct past_ring *r = map_find(&c->past.by_key, key);
	cr_assert(r);
	return r;
}

static void see(struct scene *c, const char *key, int from, int to)
{
	for (int i = from; i < to; i++) {
		struct sample s = sample_good(value_integer(i), loop_utc(c->loop));
		past_add(ring(c, key), &s, (unsigned)i % 4, loop_now(c->loop));
	}
}

/* Time goes on in steps in which the worker gets to its end. */
static void pass(struct scene *c, int64_t ms)
{
	for (int64_t passed = 0; passed < ms; passed += 10 * SECOND) {
		loop_skip(c->loop, 10 * SECOND);
		while (c->spill.flying || (c->spill.timer.place && c->spill.timer.due <= loop_now(c->loop)))
			loop_turn(c->loop);
	}
}

static off_t on_disk(const struct scene *c)
{
	off_t bytes = 0;
	struct stat at;
	DIR *directory = opendir(c->place.state);
	cr_assert(directory);
	for (struct dirent *e; (e = readdir(directory));) {
		char *path = mem_format("%s/%s", c->place.state, e->d_name);
		if (e->d_name[0] != '.' && stat(path, &at) == 0)
			bytes += at.st_size;
		mem_free(path);
	}
	closedir(directory);
	return bytes;
}

static void holds(struct scene *c, const char *key, int from, int to)
{
	struct past_walk w;
	struct pack_sample s;
	int64_t number;
	past_walk(&w, ring(c, key), 0);
	for (int i = from; i < to; i++) {
		cr_assert(past_next(&w, &s), "%d of %s is missing", i, key);
		cr_assert_eq(decimal_integer(s.value.number, &number), 0);
		cr_assert_eq(number, i);
		cr_assert_eq(s.flags, (unsigned)i % 4);
	}
	cr_assert_not(past_next(&w, &s), "%s", key);
}

Test(spill, writes_nothing_while_friends_can_hear_of_it)
{
	struct scene c;
	begin(&c);
	for (int i = 0; i < 50; i++) {
		see(&c, "d.a", i, i + 1);
		pass(&c, MINUTE);
	}
	spill_away(&c.spill, true);
	pass(&c, 40 * SECOND);
	spill_away(&c.spill, false); /* a short one does not count */
	pass(&c, HOUR);
	cr_expect_eq(on_disk(&c), 0);
	die(&c);
	start(&c);
	holds(&c, "d.a", 0, 0);
	end(&c);
}

Test(spill, has_on_disk_what_was_seen_when_xmpp_has_been_away)
{
	struct scene c;
	begin(&c);
	see(&c, "d.a", 0, 100);
	spill_away(&c.spill, true);
	pass(&c, 2 * MINUTE);
	see(&c, "d.a", 100, 150);
	see(&c, "d.b", 0, 10);
	pass(&c, 11 * MINUTE);
	see(&c, "d.a", 150, 160); /* not yet */
	off_t bytes = on_disk(&c);
	spill_away(&c.spill, false);
	pass(&c, HOUR);
	cr_expect_eq(on_disk(&c), bytes);
	die(&c);
	start(&c);
	holds(&c, "d.a", 0, 150);
	holds(&c, "d.b", 0, 10);
	die(&c);
	start(&c);
	holds(&c, "d.a", 0, 150);
	end(&c);
}

Test(spill, has_all_on_disk_after_a_stop_and_writes_nothing_twice)
{
	struct scene c;
	begin(&c);
	for (int round = 0; round < 5; round++) {
		see(&c, "d.a", round * 5000, round * 5000 + 5000);
		stop(&c);
		start(&c);
		holds(&c, "d.a", 0, round * 5000 + 5000);
	}
	cr_expect_lt(on_disk(&c), 25000 * 5);
	end(&c);
}

Test(spill, forgets_on_disk_at_once_what_a_reset_forgets)
{
	struct scene c;
	begin(&c);
	see(&c, "d.a", 0, 100);
	see(&c, "d.b", 0, 100);
	stop(&c);
	start(&c);
	past_clear(ring(&c, "d.a"));
	spill_reset(&c.spill);
	pass(&c, 10 * SECOND);
	see(&c, "d.a", 7, 9);
	die(&c);
	start(&c);
	holds(&c, "d.a", 0, 0);
	holds(&c, "d.b", 0, 100);
	see(&c, "d.a", 7, 9);
	stop(&c);
	start(&c);
	holds(&c, "d.a", 7, 9);
	end(&c);
}

Test(spill, gives_no_point_what_was_seen_of_another)
{
	struct scene c;
	begin(&c);
	see(&c, "d.a", 0, 100);
	spill_end(&c.spill);
	past_end(&c.past);
	past_begin(&c.past, 64 << 20);
	past_want(&c.past, "d.a", 2, DAY); /* another unit */
	struct err e;
	cr_assert_eq(spill_begin(&c.spill, &c.past, c.place.state, &c.bounds, c.loop, &c.log, &e), 0);
	holds(&c, "d.a", 0, 0);
	end(&c);
}

static void restart_as(struct scene *c, const char *key, uint32_t meaning)
{
	struct err e;
	past_begin(&c->past, 64 << 20);
	past_want(&c->past, key, meaning, DAY);
	cr_assert_eq(spill_begin(&c->spill, &c->past, c->place.state, &c->bounds, c->loop, &c->log, &e), 0, "%s", e.text);
}

static void leave(struct scene *c)
{
	spill_end(&c->spill);
	past_end(&c->past);
}

Test(spill, forgets_with_a_reset_also_what_the_point_meant_before)
{
	struct scene c;
	begin(&c);
	see(&c, "d.a", 0, 100);
	leave(&c);
	restart_as(&c, "d.a", 2); /* another unit */
	past_clear(ring(&c, "d.a"));
	leave(&c);
	restart_as(&c, "d.a", 1); /* the next owner's is as it was */
	holds(&c, "d.a", 0, 0);
	end(&c);
}

static void forget(void *ctx, const char *key)
{
	struct scene *c = ctx;
	spill_forget(&c->spill, key);
}

Test(spill, gives_nothing_to_who_has_the_name_of_a_point_that_was_gone)
{
	struct scene c;
	begin(&c);
	see(&c, "d.a", 0, 100);
	see(&c, "d.b", 0, 100);
	leave(&c);
	restart_as(&c, "d.b", 1);
	spill_each_stranger(&c.spill, forget, &c);
	pass(&c, 10 * SECOND);
	die(&c);
	start(&c);
	holds(&c, "d.a", 0, 0);
	holds(&c, "d.b", 0, 100);
	see(&c, "d.a", 7, 9);
	stop(&c);
	start(&c);
	spill_each_stranger(&c.spill, forget, &c);
	holds(&c, "d.a", 7, 9);
	end(&c);
}

Test(spill, forgets_on_disk_a_point_that_goes_while_it_runs)
{
	struct scene c;
	begin(&c);
	see(&c, "d.a", 0, 100);
	see(&c, "d.b", 0, 100);
	stop(&c);
	start(&c);
	c.past.on_drop = forget;
	c.past.ctx = &c;
	past_sweep(&c.past); /* start wanted both */
	past_want(&c.past, "d.b", 1, DAY);
	past_sweep(&c.past);
	past_want(&c.past, "d.a", 1, DAY);
	see(&c, "d.a", 7, 9);
	pass(&c, 10 * SECOND);
	die(&c);
	start(&c);
	holds(&c, "d.a", 7, 9);
	holds(&c, "d.b", 0, 100);
	end(&c);
}

static void count_up(void *ctx, const char *key)
{
	(void)key;
	++*(size_t *)ctx;
}

static void see_new(struct scene *c, int number, int from, int to)
{
	char key[80];
	snprintf(key, sizeof(key), "a-device-with-a-name-that-is-rather-long-%05d.power", number);
	past_want(&c->past, key, 1, DAY);
	see(c, key, from, to);
}

/* More than go into one record: who has a name again is not to be forgotten with the one before. */
Test(spill, forgets_thousands_that_go_at_once)
{
	enum { KEYS = 9000, AGAIN = 100 };
	struct scene c;
	size_t left = 0;
	begin(&c);
	for (int i = 0; i < KEYS; i++)
		see_new(&c, i, 0, 1);
	stop(&c);
	start(&c);
	spill_each_stranger(&c.spill, forget, &c);
	for (int i = 0; i < KEYS; i += KEYS / AGAIN)
		see_new(&c, i, 7, 9);
	stop(&c);
	start(&c);
	spill_each_stranger(&c.spill, count_up, &left);
	cr_expect_eq(left, AGAIN, "%zu", left);
	end(&c);
}

struct site { /* two devices of one point each */
	struct point points[2];
	struct device devices[2];
	struct device *both[2];
	struct point *of[2];
	struct house house;
	struct conf_gateway settings;
	struct history history;
};

static void site_begin(struct site *s, struct scene *c, size_t n_devices, bool broken)
{
	*s = (struct site){ .settings = { .state = c->place.root, .history = { .file_ms = DAY, .size = 64 << 20, .memory = 64 << 20 } } };
	for (int i = 0; i < 2; i++) {
		s->points[i] = (struct point){ .id = "a", .type = TYPE_INT, .access = ACCESS_READ, .history_ms = DAY };
		s->points[i].device = s->both[i] = &s->devices[i];
		s->of[i] = &s->points[i];
		s->devices[i] = (struct device){ .id = i ? "e" : "d", .points = &s->of[i], .n_points = !broken, .broken = broken };
	}
	s->house = (struct house){ .devices = s->both, .n_devices = n_devices };
	c->loop = loop_new();
	history_begin(&s->history, &s->settings, &s->house, c->loop, &c->log);
}

static void site_end(struct site *s, struct scene *c)
{
	history_end(&s->history);
	loop_free(c->loop);
}

static void site_see(struct site *s, struct scene *c)
{
	for (size_t i = 0; i < s->house.n_devices; i++) {
		struct sample sample = sample_good(value_integer(5), loop_utc(c->loop));
		past_add(s->points[i].past, &sample, 0, loop_now(c->loop));
	}
}

static bool site_knows(const struct site *s, int device)
{
	struct past_walk w;
	struct pack_sample sample;
	past_walk(&w, s->points[device].past, 0);
	return past_next(&w, &sample);
}

Test(spill, a_device_that_left_the_configuration_is_forgotten_and_one_with_a_mistake_is_not)
{
	struct site s;
	struct scene c;
	begin(&c);
	stop(&c);
	site_begin(&s, &c, 2, false);
	site_see(&s, &c);
	site_end(&s, &c);
	site_begin(&s, &c, 1, true); /* d has a mistake, e is not there */
	site_end(&s, &c);
	site_begin(&s, &c, 2, false);
	cr_expect(site_knows(&s, 0));
	cr_expect_not(site_knows(&s, 1), "after a restart");
	site_see(&s, &c);
	site_end(&s, &c);
	site_begin(&s, &c, 2, false);
	cr_expect(site_knows(&s, 1));
	s.house.n_devices = 1;
	history_attach(&s.history, &s.house);
	site_end(&s, &c);
	site_begin(&s, &c, 2, false);
	cr_expect(site_knows(&s, 0));
	cr_expect_not(site_knows(&s, 1), "while it runs");
	site_end(&s, &c);
	start(&c);
	end(&c);
}

Test(spill, says_once_that_the_disk_is_full_and_keeps_it_in_memory)
{
	struct scene c;
	struct rlimit limit = { .rlim_cur = 100, .rlim_max = RLIM_INFINITY };
	begin(&c);
	see(&c, "d.a", 0, 1000);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	spill_away(&c.spill, true);
	pass(&c, HOUR);
	limit.rlim_cur = RLIM_INFINITY;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	fflush(c.log.file);
	char *first = strstr(c.said, "history: cannot write into ");
	cr_assert(first, "%s", c.said);
	cr_expect_null(strstr(first + 1, "history: "), "%s", c.said);
	holds(&c, "d.a", 0, 1000);
	pass(&c, 20 * MINUTE);
	fflush(c.log.file);
	cr_expect(strstr(c.said, "history: can be written again"), "%s", c.said);
	die(&c);
	start(&c);
	holds(&c, "d.a", 0, 1000);
	end(&c);
}

Test(spill, writes_no_more_in_an_hour_than_its_share)
{
	struct scene c;
	begin(&c);
	c.spill.bounds = (struct journal_bounds){ DAY, 24 * 8192 };
	spill_away(&c.spill, true);
	off_t before = 0;
	for (int hour = 0; hour < 10; hour++) {
		for (int i = 0; i < 12; i++) {
			see(&c, "d.a", 0, 1000);
			pass(&c, 5 * MINUTE);
		}
		off_t now = on_disk(&c);
		cr_expect_leq(now - before, 2 * 8192 + 300 * 1024, "hour %d: %ld", hour, (long)(now - before));
		before = now;
	}
	c.spill.bounds = c.bounds;
	end(&c);
}
