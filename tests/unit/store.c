#include "tests/unit/store_place.h"

#include <sys/syscall.h>

/* SQLite's calls come here: how often it waits for the disk is what persist-first and group commit are about. */
static int syncs;
int fdatasync(int fd)
{
	__atomic_add_fetch(&syncs, 1, __ATOMIC_SEQ_CST);
	return (int)syscall(SYS_fdatasync, fd);
}

static int syncs_so_far(void)
{
	return __atomic_load_n(&syncs, __ATOMIC_SEQ_CST);
}

Test(store, keeps_what_was_put)
{
	struct place p = place_new();
	struct store *s = open_or_fail(&p, NULL);
	struct outcome o = { 0 };
	PUT(s, STORE_THING_ADD, &o, "boiler", "KEY1", "cellar");
	PUT(s, STORE_THING_ADD, &o, "boiler", "KEY2", NULL);
	PUT(s, STORE_THING_ADD, &o, "meter", NULL, NULL);
	PUT(s, STORE_GROUP_ADD, &o, "cellar", "G1");
	PUT(s, STORE_GROUP_ADD, &o, "cellar", "G2");
	PUT(s, STORE_FRIEND_PUT, &o, "boiler", "anna@b.example", "1", "0", "0");
	PUT(s, STORE_FRIEND_PUT, &o, "boiler", "anna@b.example", "3", "1", "1");
	PUT(s, STORE_FRIEND_PUT, &o, "meter", "anna@b.example", "0", "2", "0");
	PUT(s, STORE_PENDING_PUT, &o, "boiler", "bob@b.example", "1", "1");
	PUT(s, STORE_REG_PUT, &o, "boiler@t.example", "Boiler", "de\tKessel\n", "h1", "cellar", "h2", NULL, "5");
	PUT(s, STORE_DECISION_PUT, &o, "boiler@t.example", "anna@b.example", "pending", "5");
	PUT(s, STORE_DECISION_PUT, &o, "boiler@t.example", "anna@b.example", "yes", "6");
	cr_assert_eq(o.dones, 12, "each in the call");
	cr_assert_eq(o.failed, 0, "%s", o.why);
	store_close(s);
	s = open_or_fail(&p, NULL);
	has_rows(s, STORE_THINGS, "boiler|KEY1|cellar|0|-|-\nmeter|-|-|0|-|-\n");
	has_rows(s, STORE_GROUPS, "cellar|G1\n");
	has_rows(s, STORE_FRIENDS, "boiler|anna@b.example|3|1|1\nmeter|anna@b.example|0|2|0\n");
	has_rows(s, STORE_PENDINGS, "boiler|bob@b.example|1|1\n");
	has_rows(s, STORE_REGS, "boiler@t.example|Boiler|de\tKessel\n|h1|cellar|h2|-|5\n");
	has_rows(s, STORE_DECISIONS, "boiler@t.example|anna@b.example|yes|6\n");
	store_close(s);
	place_free(&p);
}

static void put_two_things(struct store *s, struct outcome *o)
{
	PUT(s, STORE_THING_ADD, o, "a", "KA", "g");
	PUT(s, STORE_THING_ADD, o, "b", "KB", "g");
	PUT(s, STORE_FRIEND_PUT, o, "a", "x@e", "1", "0", "0");
	PUT(s, STORE_FRIEND_PUT, o, "b", "x@e", "1", "0", "0");
	PUT(s, STORE_PENDING_PUT, o, "a", "y@e", "1", "0");
	PUT(s, STORE_PENDING_PUT, o, "b", "y@e", "1", "0");
}

Test(store, changes_one_thing_and_not_its_neighbour)
{
	struct place p = place_new();
	struct store *s = open_or_fail(&p, NULL);
	struct outcome o = { 0 };
	put_two_things(s, &o);
	PUT(s, STORE_THING_KEY, &o, "a", "KA2", "1");
	has_rows(s, STORE_THINGS, "a|KA2|g|1|-|-\nb|KB|g|0|-|-\n");
	PUT(s, STORE_THING_OWNER, &o, "a", "o@e");
	has_rows(s, STORE_THINGS, "a|-|g|1|o@e|-\nb|KB|g|0|-|-\n");
	PUT(s, STORE_THING_OWNER, &o, "a", NULL);
	PUT(s, STORE_THING_OWNER, &o, "b", NULL);
	has_rows(s, STORE_THINGS, "a|-|g|1|-|-\nb|KB|g|0|-|-\n");
	PUT(s, STORE_THING_OWNER, &o, "a", "o@e");
	PUT(s, STORE_THING_WANT, &o, "a", "reset");
	PUT(s, STORE_THING_WANT, &o, "b", "forget");
	has_rows(s, STORE_THINGS, "a|-|g|1|o@e|reset\nb|KB|g|0|-|forget\n");
	PUT(s, STORE_THING_RESET, &o, "a", "KA3");
	PUT(s, STORE_THING_RESET, &o, "b", "KB3");
	has_rows(s, STORE_THINGS, "a|KA3|g|0|-|-\nb|KB3|g|0|-|forget\n");
	has_rows(s, STORE_FRIENDS, "");
	has_rows(s, STORE_PENDINGS, "");
	put_two_things(s, &o);
	PUT(s, STORE_THING_FORGET, &o, "a");
	has_rows(s, STORE_THINGS, "b|KB3|g|0|-|forget\n");
	has_rows(s, STORE_FRIENDS, "b|x@e|1|0|0\n");
	has_rows(s, STORE_PENDINGS, "b|y@e|1|0\n");
	PUT(s, STORE_FRIEND_DROP, &o, "b", "x@e");
	PUT(s, STORE_PENDING_DROP, &o, "b", "y@e");
	PUT(s, STORE_GROUP_KEY, &o, "g", "G1");
	PUT(s, STORE_GROUP_KEY, &o, "g", "G2");
	has_rows(s, STORE_FRIENDS, "");
	has_rows(s, STORE_PENDINGS, "");
	has_rows(s, STORE_GROUPS, "g|G2\n");
	cr_assert_eq(o.failed, 0, "%s", o.why);
	store_close(s);
	place_free(&p);
}

Test(store, changes_one_registration_and_not_its_neighbour)
{
	struct place p = place_new();
	struct store *s = open_or_fail(&p, NULL);
	struct outcome o = { 0 };
	PUT(s, STORE_REG_PUT, &o, "a@t", NULL, NULL, "h", "g", "gh", NULL, "1");
	PUT(s, STORE_REG_PUT, &o, "b@t", NULL, NULL, "h", "g", "gh", NULL, "1");
	PUT(s, STORE_REG_PUT, &o, "a@t", NULL, NULL, NULL, "g", NULL, "o@e", "3");
	has_rows(s, STORE_REGS, "a@t|-|-|-|g|-|o@e|3\nb@t|-|-|h|g|gh|-|1\n");
	PUT(s, STORE_DECISION_PUT, &o, "a@t", "x@e", "no", "1");
	PUT(s, STORE_DECISION_PUT, &o, "a@t", "y@e", "yes", "1");
	PUT(s, STORE_DECISION_PUT, &o, "b@t", "x@e", "yes", "1");
	PUT(s, STORE_DECISION_DROP, &o, "a@t", "x@e");
	has_rows(s, STORE_DECISIONS, "a@t|y@e|yes|1\nb@t|x@e|yes|1\n");
	PUT(s, STORE_REG_DROP, &o, "a@t");
	has_rows(s, STORE_REGS, "b@t|-|-|h|g|gh|-|1\n");
	has_rows(s, STORE_DECISIONS, "b@t|x@e|yes|1\n");
	PUT(s, STORE_DECISION_DROP_ALL, &o, "b@t");
	has_rows(s, STORE_DECISIONS, "");
	cr_assert_eq(o.failed, 0, "%s", o.why);
	store_close(s);
	place_free(&p);
}

Test(store, tells_of_a_change_that_met_nothing)
{
	struct place p = place_new();
	struct store *s = open_or_fail(&p, NULL);
	struct outcome o = { 0 };
	PUT(s, STORE_THING_OWNER, &o, "ghost", "o@e");
	cr_assert_eq(o.failed, 1);
	cr_assert(strstr(o.why, "cannot store owner of 'ghost': it is not there"), "%s", o.why);
	PUT(s, STORE_THING_KEY, &o, "ghost", "K", "0");
	PUT(s, STORE_THING_RESET, &o, "ghost", "K");
	PUT(s, STORE_THING_WANT, &o, "ghost", "reset");
	cr_assert_eq(o.failed, 4);
	store_put(s, STORE_THING_WANT, (const char *const[]){ "ghost", NULL }, NULL, NULL);
	store_close(s);
	place_free(&p);
}

Test(store, fails_only_the_group_that_holds_a_bad_put)
{
	for (int with_loop = 0; with_loop < 2; with_loop++) {
		struct place p = place_new();
		struct outcome good = { 0 }, bad = { 0 }, lone = { 0 };
		struct loop *loop = with_loop ? loop_new() : NULL;
		struct store *s = open_or_fail(&p, loop);
		PUT(s, STORE_THING_ADD, &good, "a", NULL, NULL);
		store_begin(s);
		PUT(s, STORE_THING_ADD, &bad, "b", NULL, NULL);
		PUT(s, STORE_FRIEND_PUT, &bad, "b", "x@e", "7", "0", "0");
		PUT(s, STORE_THING_ADD, &bad, "c", NULL, NULL);
		store_end(s);
		store_begin(s);
		PUT(s, STORE_THING_ADD, &good, "d", NULL, NULL);
		PUT(s, STORE_THING_ADD, &good, "e", NULL, NULL);
		store_end(s);
		store_begin(s);
		store_end(s);
		PUT(s, STORE_DECISION_PUT, &lone, "a\nb", "x@e", "perhaps", "0");
		store_close(s);
		cr_assert_eq(good.dones, 3);
		cr_assert_eq(good.failed, 0, "%s", good.why);
		cr_assert_eq(bad.failed, 3);
		cr_assert(strstr(bad.why, "cannot store friend of 'b'"), "%s", bad.why);
		cr_assert_eq(lone.failed, 1);
		cr_assert(strstr(lone.why, "'a?b'"), "a stranger's text is quoted: %s", lone.why);
		if (loop)
			loop_free(loop);
		s = open_or_fail(&p, NULL);
		has_rows(s, STORE_THINGS, "a|-|-|0|-|-\nd|-|-|0|-|-\ne|-|-|0|-|-\n");
		has_rows(s, STORE_DECISIONS, "");
		store_close(s);
		place_free(&p);
	}
}

Test(store, shares_one_commit_among_all_that_wait_and_syncs_before_it_tells)
{
	enum { N = 1000 };
	struct place p = place_new();
	struct outcome o = { .loop = loop_new(), .wanted = N };
	struct store *s = open_or_fail(&p, o.loop);
	char jid[32];
	int before = syncs_so_far();
	for (int i = 0; i < N; i++) {
		snprintf(jid, sizeof(jid), "%d@e", i);
		PUT(s, STORE_FRIEND_PUT, &o, "a", jid, "1", "0", "0");
	}
	cr_assert_eq(o.dones, 0, "nothing happens in the call");
	loop_run(o.loop);
	cr_assert_eq(o.failed, 0, "%s", o.why);
	int took = syncs_so_far() - before;
	cr_assert(took >= 1 && took <= 8, "%d syncs", took);
	o = (struct outcome){ .loop = o.loop, .wanted = 1 };
	for (int i = 0; i < 5; i++) {
		before = syncs_so_far();
		o.dones = 0;
		snprintf(jid, sizeof(jid), "%d@e", N + i);
		PUT(s, STORE_FRIEND_PUT, &o, "a", jid, "1", "0", "0");
		loop_run(o.loop);
		cr_assert_geq(syncs_so_far() - before, 1, "put %d was told before it was on disk", i);
	}
	store_close(s);
	loop_free(o.loop);
	place_free(&p);
}

struct queue {
	struct loop *loop;
	int dones;
};

struct numbered {
	struct queue *queue;
	int number;
};

static void in_order(void *ctx, int status, const struct err *why)
{
	struct numbered *put = ctx;
	(void)why;
	cr_assert_eq(status, 0);
	cr_assert_eq(put->number, put->queue->dones++);
}

static void nothing(void *ctx)
{
	(void)ctx;
}

Test(store, gathers_while_a_batch_is_on_its_way_and_keeps_the_order)
{
	enum { N = 300 };
	struct place p = place_new();
	struct queue queue = { .loop = loop_new() };
	struct store *s = open_or_fail(&p, queue.loop);
	struct numbered puts[N];
	struct timer timer = { 0 };
	for (int i = 0; i < N; i++) {
		puts[i].queue = &queue;
		puts[i].number = i;
		store_put(s, STORE_GROUP_KEY, (const char *const[]){ "g", i % 2 ? "k" : "l" }, in_order, &puts[i]);
		timer_set(queue.loop, &timer, 0, nothing, NULL);
		loop_turn(queue.loop);
	}
	store_close(s);
	cr_assert_eq(queue.dones, N);
	loop_free(queue.loop);
	place_free(&p);
}

Test(store, closed_at_any_moment_keeps_what_was_handed_over)
{
	enum { N = 60 };
	struct place p = place_new();
	struct outcome o = { 0 };
	char local[16];
	for (int i = 0; i < N; i++) {
		struct loop *loop = loop_new();
		struct timer timer = { 0 };
		struct store *s = open_or_fail(&p, loop);
		snprintf(local, sizeof(local), "t%02d", i);
		PUT(s, STORE_THING_ADD, &o, local, NULL, NULL);
		timer_set(loop, &timer, 0, nothing, NULL);
		loop_turn(loop);
		store_close(s);
		cr_assert_eq(o.dones, i + 1);
		loop_free(loop);
	}
	cr_assert_eq(o.failed, 0, "%s", o.why);
	struct store *s = open_or_fail(&p, NULL);
	char *got = rows(s, STORE_THINGS);
	cr_assert_eq(strlen(got), N * strlen("t00|-|-|0|-|-\n"));
	mem_free(got);
	store_close(s);
	place_free(&p);
}

struct chain {
	struct store *store;
	int left;
	struct outcome end;
};

static void put_next(void *ctx, int status, const struct err *why)
{
	struct chain *c = ctx;
	char local[16];
	cr_assert_eq(status, 0);
	(void)why;
	if (c->left-- == 0)
		return;
	snprintf(local, sizeof(local), "t%d", c->left);
	store_put(c->store, STORE_THING_ADD, (const char *const[]){ local, NULL, NULL }, put_next, c);
}

Test(store, lets_a_done_put_more_also_while_it_closes)
{
	for (int with_loop = 0; with_loop < 2; with_loop++) {
		struct place p = place_new();
		struct loop *loop = with_loop ? loop_new() : NULL;
		struct chain c = { .store = open_or_fail(&p, loop), .left = 3 };
		put_next(&c, 0, NULL);
		store_close(c.store);
		cr_assert_eq(c.left, -1);
		if (loop)
			loop_free(loop);
		c.store = open_or_fail(&p, NULL);
		has_rows(c.store, STORE_THINGS, "t0|-|-|0|-|-\nt1|-|-|0|-|-\nt2|-|-|0|-|-\n");
		store_close(c.store);
		place_free(&p);
	}
}

Test(store, may_be_written_by_the_command_line_beside_the_daemon)
{
	struct place p = place_new();
	struct outcome o = { 0 };
	struct loop *loop = loop_new();
	struct store *daemon = open_or_fail(&p, loop), *words = open_or_fail(&p, NULL);
	char local[16];
	for (int i = 0; i < 200; i++) {
		snprintf(local, sizeof(local), "t%03d", i);
		PUT(i % 2 ? daemon : words, STORE_THING_ADD, &o, local, NULL, NULL);
	}
	while (o.dones < 200)
		loop_turn(loop);
	cr_assert_eq(o.failed, 0, "%s", o.why);
	char *both[2] = { rows(daemon, STORE_THINGS), rows(words, STORE_THINGS) };
	cr_assert_str_eq(both[0], both[1]);
	cr_assert_eq(strlen(both[0]), 200 * strlen("t000|-|-|0|-|-\n"));
	mem_free(both[0]);
	mem_free(both[1]);
	store_close(words);
	store_close(daemon);
	loop_free(loop);
	place_free(&p);
}
