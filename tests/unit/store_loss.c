/* A full disk and a kill: what was told to be on disk is there, and what was not is told. */
#include "tests/unit/store_place.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void limit_files(rlim_t bytes)
{
	struct rlimit limit = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(store, fails_exactly_the_puts_that_do_not_fit_on_the_disk)
{
	struct place p = place_new();
	struct outcome small = { 0 }, big = { 0 }, bad = { 0 };
	struct loop *loop = loop_new();
	struct store *s = open_or_fail(&p, loop);
	char *names = mem_new(3000001);
	memset(names, 'n', 3000000);
	signal(SIGXFSZ, SIG_IGN);
	limit_files(1000000);
	PUT(s, STORE_THING_ADD, &small, "a", NULL, NULL);
	PUT(s, STORE_REG_PUT, &big, "big@t", NULL, names, NULL, NULL, NULL, NULL, NULL);
	store_begin(s);
	PUT(s, STORE_THING_ADD, &bad, "c", NULL, NULL);
	PUT(s, STORE_THING_WANT, &bad, "c", "fly");
	store_end(s);
	store_begin(s);
	PUT(s, STORE_THING_ADD, &small, "b", NULL, NULL);
	PUT(s, STORE_FRIEND_PUT, &small, "b", "x@e", "1", "0", "0");
	store_end(s);
	while (small.dones + big.dones + bad.dones < 6)
		loop_turn(loop);
	cr_assert_eq(small.failed, 0, "%s", small.why);
	cr_assert_eq(big.failed, 1);
	cr_assert_eq(bad.failed, 2);
	cr_assert(strstr(big.why, "cannot store"), "%s", big.why);
	limit_files(RLIM_INFINITY);
	PUT(s, STORE_REG_PUT, &small, "later@t", NULL, names, NULL, NULL, NULL, NULL, NULL);
	store_close(s);
	cr_assert_eq(small.failed, 0, "%s", small.why);
	loop_free(loop);
	s = open_or_fail(&p, NULL);
	has_rows(s, STORE_THINGS, "a|-|-|0|-|-\nb|-|-|0|-|-\n");
	char *got = rows(s, STORE_REGS);
	cr_assert(text_begins(got, "later@t|"));
	mem_free(got);
	store_close(s);
	mem_free(names);
	place_free(&p);
}

Test(store, fails_all_of_them_when_nothing_fits_and_goes_on_when_there_is_room_again)
{
	struct place p = place_new();
	struct outcome o = { 0 };
	struct loop *loop = loop_new();
	struct store *s = open_or_fail(&p, loop);
	signal(SIGXFSZ, SIG_IGN);
	limit_files(32);
	for (int i = 0; i < 3; i++)
		PUT(s, STORE_GROUP_ADD, &o, i == 0 ? "a" : i == 1 ? "b" : "c", "k");
	while (o.dones < 3)
		loop_turn(loop);
	limit_files(RLIM_INFINITY);
	cr_assert_eq(o.failed, 3);
	has_rows(s, STORE_GROUPS, "");
	PUT(s, STORE_GROUP_ADD, &o, "d", "k");
	while (o.dones < 4)
		loop_turn(loop);
	cr_assert_eq(o.failed, 3, "%s", o.why);
	has_rows(s, STORE_GROUPS, "d|k\n");
	store_close(s);
	loop_free(loop);
	place_free(&p);
}

/* What a child writes: pairs that belong together. It tells a number when the done of the pair came. */
struct writer {
	struct store *store;
	int told, next;
};

struct pair {
	struct writer *writer;
	int number;
};

static void put_pair(struct writer *w);

static void tell(void *ctx, int status, const struct err *why)
{
	struct pair *pair = ctx;
	struct writer *w = pair->writer;
	(void)why;
	if (status < 0 || write(w->told, &pair->number, sizeof(pair->number)) != sizeof(pair->number))
		_exit(3);
	mem_free(pair);
	put_pair(w);
}

static void put_pair(struct writer *w)
{
	char local[16];
	struct pair *pair = mem_new(sizeof(*pair));
	*pair = (struct pair){ w, w->next++ };
	snprintf(local, sizeof(local), "%d", pair->number);
	store_begin(w->store);
	store_put(w->store, STORE_THING_ADD, (const char *const[]){ local, "key", NULL }, NULL, NULL);
	store_put(w->store, STORE_FRIEND_PUT, (const char *const[]){ local, "x@e", "1", "0", "0" }, tell, pair);
	store_end(w->store);
}

static _Noreturn void write_until_killed(const struct place *p, int told, int first)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct loop *loop = loop_new();
	struct writer w = { .store = store_open(p->state, loop, NULL), .told = told, .next = first };
	if (!w.store)
		_exit(2);
	for (int i = 0; i < 50; i++)
		put_pair(&w);
	loop_run(loop);
	_exit(1);
}

struct numbers {
	bool thing[100000], friend[100000];
	bool (*to)[100000];
};

static void mark(void *ctx, const char *const *values)
{
	struct numbers *n = ctx;
	long number = strtol(values[0], NULL, 10);
	cr_assert(number >= 0 && number < 100000);
	(*n->to)[number] = true;
}

Test(store, has_after_a_kill_whatever_it_had_told)
{
	struct place p = place_new();
	struct numbers *seen = mem_new(sizeof(*seen));
	bool *told = mem_array(100000, sizeof(*told));
	int top = -1;
	for (int round = 0; round < 12; round++) {
		int pipe_fds[2], number, left = 37 * round; /* at another point of its work each time */
		cr_assert_eq(pipe(pipe_fds), 0);
		pid_t child = fork();
		if (child == 0) {
			close(pipe_fds[0]);
			write_until_killed(&p, pipe_fds[1], top + 1);
		}
		close(pipe_fds[1]);
		while (read(pipe_fds[0], &number, sizeof(number)) == sizeof(number)) {
			told[number] = true;
			top = number > top ? number : top;
			if (left-- == 0)
				kill(child, SIGKILL);
		}
		close(pipe_fds[0]);
		int status;
		cr_assert_eq(waitpid(child, &status, 0), child);
		cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "child ended with %d", status);
		struct store *s = open_or_fail(&p, NULL);
		seen->to = &seen->thing;
		cr_assert_eq(store_each(s, STORE_THINGS, mark, seen, NULL), 0);
		seen->to = &seen->friend;
		cr_assert_eq(store_each(s, STORE_FRIENDS, mark, seen, NULL), 0);
		store_close(s);
		for (int i = 0; i < 100000; i++) {
			cr_assert(!told[i] || seen->thing[i], "pair %d was told and is lost", i);
			cr_assert_eq(seen->thing[i], seen->friend[i], "pair %d was torn", i);
			top = seen->thing[i] && i > top ? i : top;
		}
	}
	cr_assert_gt(top, 12 * 37);
	mem_free(told);
	mem_free(seen);
	place_free(&p);
}
