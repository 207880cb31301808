/*
 * The queue in front of the database. Puts of a turn are gathered and handed to the worker at its end; while a batch is on
 * its way the next ones gather, so that under load many share a commit. The worker has the database as long as a batch
 * flies; without a worker (command line, and while closing) batches run in the call.
 */
#include "core/store/store.h"

#include "core/base/mem.h"
#include "core/loop/worker.h"
#include "core/store/inside.h"

#include <string.h>

struct store {
	struct database db;
	char *directory;
	struct loop *loop;
	struct worker *worker;
	struct turn_hook hook;
	struct job job;
	bool flying, reporting;
	struct list batch;    /* flying: the worker's */
	struct list gathered; /* waiting for the next batch */
	struct group *open;   /* between begin and end */
};

static struct group *group_new(void)
{
	struct group *group = mem_new(sizeof(*group));
	list_init(&group->puts);
	return group;
}

static void group_report_and_free(struct group *group)
{
	for (struct list *link; (link = list_pop(&group->puts));) {
		struct put *put = list_of(link, struct put, link);
		if (put->done)
			put->done(put->ctx, group->why ? -1 : 0, group->why);
		mem_free(put);
	}
	mem_free(group->why);
	mem_free(group);
}

static void report(struct store *s)
{
	s->reporting = true;
	for (struct list *link; (link = list_pop(&s->batch));)
		group_report_and_free(list_of(link, struct group, link));
	s->reporting = false;
}

static void take_gathered(struct store *s)
{
	for (struct list *link; (link = list_pop(&s->gathered));)
		list_add(&s->batch, link);
}

static void run_batch(struct job *job)
{
	struct store *s = list_of(job, struct store, job);
	batch_run(&s->db, &s->batch);
}

static void on_done(struct job *job)
{
	struct store *s = list_of(job, struct store, job);
	s->flying = false;
	if (job->skipped)
		run_batch(job); /* the worker is gone, the database is this thread's again */
	report(s);
}

static void hand_over(void *ctx)
{
	struct store *s = ctx;
	if (s->flying || list_empty(&s->gathered))
		return;
	s->flying = true;
	take_gathered(s);
	worker_post(s->worker, &s->job);
}

static void run_all_now(struct store *s)
{
	while (!list_empty(&s->gathered)) {
		take_gathered(s);
		run_batch(&s->job);
		report(s);
	}
}

static void store_free(struct store *s)
{
	statements_free(&s->db);
	sqlite3_close(s->db.sql);
	mem_free(s->db.path);
	mem_free(s->directory);
	mem_free(s);
}

static void start_worker(struct store *s)
{
	s->job = (struct job){ .run = run_batch, .done = on_done };
	s->hook = (struct turn_hook){ .fn = hand_over, .ctx = s };
	s->worker = worker_new(s->loop, "store");
	loop_add_hook(s->loop, &s->hook);
}

struct store *store_open(const char *directory, struct loop *loop, struct err *e)
{
	struct store *s = mem_new(sizeof(*s));
	list_init(&s->batch);
	list_init(&s->gathered);
	s->loop = loop;
	s->directory = mem_text(directory);
	s->db.path = mem_format("%s/jidgate.db", directory);
	if (schema_open(directory, &s->db.sql, e) < 0 || statements_prepare(&s->db, e) < 0) {
		store_free(s);
		return NULL;
	}
	if (loop)
		start_worker(s);
	return s;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	must(!s->open && !s->reporting);
	if (s->loop)
		loop_drop_hook(s->loop, &s->hook);
	worker_free(s->worker);
	s->worker = NULL;
	run_all_now(s);
	store_free(s);
}

/* One piece of memory: the put, and behind it the copies of its values. */
static struct put *put_new(enum store_write what, const char *const *values)
{
	size_t n = statements_values(what), size = 0;
	for (size_t i = 0; i < n; i++)
		size += values[i] ? strlen(values[i]) + 1 : 0;
	struct put *put = mem_new(sizeof(*put) + size);
	char *at = put->text;
	put->what = what;
	for (size_t i = 0; i < n; i++) {
		if (!values[i])
			continue;
		size_t one = strlen(values[i]) + 1;
		put->values[i] = memcpy(at, values[i], one);
		at += one;
	}
	return put;
}

static void gather(struct store *s, struct group *group)
{
	list_add(&s->gathered, &group->link);
	if (!s->loop && !s->reporting)
		run_all_now(s);
}

void store_put(struct store *s, enum store_write what, const char *const *values,
	       void (*done)(void *ctx, int status, const struct err *why), void *ctx)
{
	must(what < STORE_WRITES);
	struct put *put = put_new(what, values);
	struct group *group = s->open ? s->open : group_new();
	put->done = done;
	put->ctx = ctx;
	list_add(&group->puts, &put->link);
	if (!s->open)
		gather(s, group);
}

void store_begin(struct store *s)
{
	must(!s->open);
	s->open = group_new();
}

void store_end(struct store *s)
{
	must(s->open);
	struct group *group = s->open;
	s->open = NULL;
	gather(s, group);
}

/* With a connection of its own: the worker may be in the middle of a batch with the other one. */
int store_each(struct store *s, enum store_read what, void (*row)(void *ctx, const char *const *values), void *ctx,
	       struct err *e)
{
	must(what < STORE_READS);
	struct database reader = { .path = s->db.path };
	if (schema_open(s->directory, &reader.sql, e) < 0)
		return -1;
	int status = statements_read(&reader, what, row, ctx, e);
	sqlite3_close(reader.sql);
	return status;
}
