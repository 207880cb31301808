/* Records on disk for a while: whole or not at all, bounded in bytes and time, also after a kill and on a full disk. */
#include "core/store/journal.h"
#include "tests/unit/store_place.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { KEEP_MS = 3600000, BYTES = 1 << 20 };

static const struct journal_bounds bounds = { KEEP_MS, BYTES };

struct desk {
	struct place place;
	struct loop *loop;
	struct journal *journal;
	struct outcome outcome;
};

static void open_it(struct desk *d)
{
	struct err e;
	d->loop = loop_new();
	d->journal = journal_open(d->place.state, &bounds, d->loop, &e);
	cr_assert(d->journal, "%s", d->journal ? "" : e.text);
}

static void close_it(struct desk *d)
{
	journal_close(d->journal);
	loop_free(d->loop);
}

static void begin(struct desk *d)
{
	*d = (struct desk){ .place = place_new() };
	open_it(d);
}

static void end(struct desk *d)
{
	close_it(d);
	place_free(&d->place);
}

static void put(struct desk *d, const char *bytes)
{
	struct text t = { 0 };
	text_add(&t, bytes);
	int before = d->outcome.dones;
	journal_put(d->journal, &t, note, &d->outcome);
	while (d->outcome.dones == before)
		loop_turn(d->loop);
}

static void put_many(struct desk *d, int from, int to, size_t size)
{
	char *bytes = mem_new(size + 1);
	memset(bytes, '.', size);
	for (int i = from; i < to; i++) {
		char number[12];
		snprintf(number, sizeof(number), "%06d", i);
		memcpy(bytes, number, 6);
		put(d, bytes);
	}
	mem_free(bytes);
}

struct heard {
	int n, first, last;
};

static void hear(void *ctx, const char *bytes, size_t size)
{
	struct heard *h = ctx;
	int number;
	cr_assert_geq(size, 7);
	cr_assert_eq(sscanf(bytes, "%6d.", &number), 1);
	if (h->n == 0)
		h->first = number;
	else
		cr_assert_eq(number, h->last + 1, "in order, and none between is missing");
	h->last = number;
	h->n++;
}

static struct heard hear_all(struct desk *d)
{
	struct heard h = { 0 };
	close_it(d);
	open_it(d);
	journal_each(d->journal, hear, &h);
	return h;
}

static size_t count_files(const struct desk *d, off_t *ret_bytes)
{
	size_t n = 0;
	DIR *directory = opendir(d->place.state);
	struct stat at;
	*ret_bytes = 0;
	for (struct dirent *e; (e = readdir(directory));) {
		if (e->d_name[0] == '.')
			continue;
		char *path = mem_format("%s/%s", d->place.state, e->d_name);
		cr_assert_eq(stat(path, &at), 0);
		mem_free(path);
		*ret_bytes += at.st_size;
		n++;
	}
	closedir(directory);
	return n;
}

Test(journal, gives_back_what_was_put_in_over_restarts)
{
	struct desk d;
	begin(&d);
	for (int i = 0; i < 5; i++) {
		put_many(&d, i * 10, i * 10 + 10, 100);
		struct heard h = hear_all(&d);
		cr_expect_eq(h.n, i * 10 + 10);
		cr_expect_eq(h.first, 0);
	}
	end(&d);
}

Test(journal, is_bounded_in_bytes_and_the_newest_stay)
{
	struct desk d;
	off_t bytes;
	begin(&d);
	for (int i = 0; i < 60; i++) {
		put_many(&d, i * 10, i * 10 + 10, 10000);
		count_files(&d, &bytes);
		cr_assert_leq(bytes, BYTES);
	}
	struct heard h = hear_all(&d);
	cr_expect_eq(h.last, 599);
	cr_expect_gt(h.n, 80);
	end(&d);
}

Test(journal, is_bounded_in_time)
{
	struct desk d;
	off_t bytes;
	begin(&d);
	for (int i = 0; i < 100; i++) {
		put_many(&d, i, i + 1, 100);
		loop_skip(d.loop, KEEP_MS / 20);
	}
	struct heard h = { 0 };
	journal_each(d.journal, hear, &h);
	cr_expect_eq(h.last, 99);
	cr_expect_geq(h.n, 20);
	cr_expect_leq(h.n, 25);
	cr_expect_leq(count_files(&d, &bytes), 10);
	loop_skip(d.loop, 2 * KEEP_MS);
	put_many(&d, 100, 101, 100);
	h = hear_all(&d);
	cr_expect_eq(h.n, 1);
	end(&d);
}

Test(journal, leaves_out_what_was_torn_at_any_byte)
{
	struct desk d;
	begin(&d);
	put_many(&d, 0, 3, 50);
	char *path = mem_format("%s/00000001.past", d.place.state);
	struct stat at;
	cr_assert_eq(stat(path, &at), 0);
	for (off_t size = at.st_size - 1; size >= 0; size--) {
		cr_assert_eq(truncate(path, size), 0);
		struct heard h = { 0 };
		journal_each(d.journal, hear, &h);
		cr_assert_eq(h.n, size / (at.st_size / 3), "%ld", (long)size);
	}
	mem_free(path);
	put_many(&d, 3, 4, 50);
	end(&d);
}

Test(journal, leaves_out_what_is_not_as_it_was_written)
{
	struct desk d;
	begin(&d);
	put_many(&d, 0, 3, 50);
	char *path = mem_format("%s/00000001.past", d.place.state);
	struct stat at;
	cr_assert_eq(stat(path, &at), 0);
	int fd = open(path, O_RDWR);
	for (off_t i = at.st_size / 3; i < at.st_size * 2 / 3; i++) {
		char byte;
		cr_assert_eq(pread(fd, &byte, 1, i), 1);
		byte ^= 64;
		cr_assert_eq(pwrite(fd, &byte, 1, i), 1);
		struct heard h = { 0 };
		journal_each(d.journal, hear, &h);
		cr_assert_eq(h.n, 1, "byte %ld", (long)i);
		byte ^= 64;
		cr_assert_eq(pwrite(fd, &byte, 1, i), 1);
	}
	close(fd);
	mem_free(path);
	end(&d);
}

Test(journal, says_that_the_disk_is_full_and_goes_on_when_it_is_not)
{
	struct desk d;
	struct rlimit limit = { .rlim_cur = 1000, .rlim_max = RLIM_INFINITY };
	begin(&d);
	put_many(&d, 0, 5, 150);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	put_many(&d, 5, 6, 2000);
	cr_expect_eq(d.outcome.failed, 1);
	cr_expect(strstr(d.outcome.why, "cannot write into "), "%s", d.outcome.why);
	limit.rlim_cur = RLIM_INFINITY;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	put_many(&d, 5, 10, 2000);
	cr_expect_eq(d.outcome.failed, 1);
	cr_expect_eq(hear_all(&d).n, 10);
	end(&d);
}

Test(journal, writes_what_is_under_way_when_the_loop_stands_still)
{
	struct desk d;
	begin(&d);
	struct text t = { 0 };
	text_add(&t, "000000.");
	journal_put(d.journal, &t, note, &d.outcome);
	journal_hold(d.journal);
	cr_expect_eq(d.outcome.dones, 1);
	text_add(&t, "000001.");
	journal_put(d.journal, &t, note, &d.outcome);
	cr_expect_eq(d.outcome.dones, 2, "in the call");
	cr_expect_eq(hear_all(&d).n, 2);
	end(&d);
}

Test(journal, has_all_that_was_said_to_be_on_disk_after_a_kill)
{
	struct desk d;
	begin(&d);
	close_it(&d);
	int said = 0;
	for (int round = 0; round < 20; round++) {
		int pipes[2];
		cr_assert_eq(pipe(pipes), 0);
		pid_t child = fork();
		if (child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			open_it(&d);
			for (int i = said;; i++) {
				put_many(&d, i, i + 1, 500);
				if (write(pipes[1], &i, sizeof(i)) < 0)
					_exit(1);
			}
		}
		close(pipes[1]);
		int n = 0, last = said - 1, one;
		while (n++ < 10 + round && read(pipes[0], &one, sizeof(one)) == sizeof(one))
			last = one;
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		while (read(pipes[0], &one, sizeof(one)) == sizeof(one))
			last = one;
		close(pipes[0]);
		open_it(&d);
		struct heard h = { 0 };
		journal_each(d.journal, hear, &h);
		cr_assert_geq(h.last, last, "round %d", round);
		cr_assert_leq(h.last, last + 1);
		said = h.last + 1;
		close_it(&d);
	}
	open_it(&d);
	end(&d);
}

Test(journal, can_be_removed)
{
	struct desk d;
	begin(&d);
	put_many(&d, 0, 3, 50);
	close_it(&d);
	journal_remove(d.place.state);
	cr_expect_lt(access(d.place.state, F_OK), 0);
	journal_remove(d.place.state);
	place_free(&d.place);
}
