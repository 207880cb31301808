/*
 * Three lists: waiting (under the lock), finished (under the lock, the loop is woken when it gets its first job) and
 * ready (the loop thread's alone: finished ones whose done is being called). A done may free the worker: it empties all three
 * lists, and its memory lasts until the handle has closed.
 */
#include "core/loop/worker.h"

#include "core/base/mem.h"
#include "core/loop/inside.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>

enum { STACK_BYTES = 256 * 1024 }; /* a site has a worker per bus; nothing that runs there recurses */

struct worker {
	uv_async_t wake;
	struct loop *loop;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct list waiting, finished, ready;
	bool stopping;
	char name[16];
};

static struct job *job_of(struct list *link)
{
	return link ? list_of(link, struct job, link) : NULL;
}

static void hand_back(struct worker *w, struct job *job)
{
	pthread_mutex_lock(&w->lock);
	bool first = list_empty(&w->finished);
	list_add(&w->finished, &job->link);
	pthread_mutex_unlock(&w->lock);
	if (first)
		uv_async_send(&w->wake);
}

static struct job *next_job(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	while (!w->stopping && list_empty(&w->waiting))
		pthread_cond_wait(&w->more, &w->lock);
	struct job *job = w->stopping ? NULL : job_of(list_pop(&w->waiting));
	pthread_mutex_unlock(&w->lock);
	return job;
}

static void *work(void *ctx)
{
	struct worker *w = ctx;
	pthread_setname_np(pthread_self(), w->name);
	for (struct job *job; (job = next_job(w));) {
		job->run(job);
		hand_back(w, job);
	}
	return NULL;
}

static void move_all(struct list *from, struct list *to)
{
	for (struct list *link; (link = list_pop(from));)
		list_add(to, link);
}

static void on_wake(uv_async_t *handle)
{
	struct worker *w = handle->data;
	loop_enter(w->loop);
	pthread_mutex_lock(&w->lock);
	move_all(&w->finished, &w->ready);
	pthread_mutex_unlock(&w->lock);
	for (struct job *job; (job = job_of(list_pop(&w->ready)));)
		job->done(job);
}

/* Signals are for the loop thread: the new thread inherits a mask that blocks all of them. */
static void start_thread(struct worker *w)
{
	sigset_t all, old;
	pthread_attr_t attributes;
	must(pthread_attr_init(&attributes) == 0);
	must(pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	must(pthread_create(&w->thread, &attributes, work, w) == 0);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
}

struct worker *worker_new(struct loop *loop, const char *name)
{
	struct worker *w = mem_new(sizeof(*w));
	w->loop = loop;
	snprintf(w->name, sizeof(w->name), "%s", name);
	list_init(&w->waiting);
	list_init(&w->finished);
	list_init(&w->ready);
	must(pthread_mutex_init(&w->lock, NULL) == 0);
	must(pthread_cond_init(&w->more, NULL) == 0);
	must(uv_async_init(&loop->uv, &w->wake, on_wake) == 0);
	w->wake.data = w;
	start_thread(w);
	return w;
}

static void post(struct worker *w, struct job *job, void (*add)(struct list *head, struct list *link))
{
	must(!list_in(&job->link));
	job->skipped = false;
	pthread_mutex_lock(&w->lock);
	add(&w->waiting, &job->link);
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
}

void worker_post(struct worker *w, struct job *job)
{
	post(w, job, list_add);
}

void worker_post_first(struct worker *w, struct job *job)
{
	post(w, job, list_add_first);
}

void worker_back(struct worker *w, struct job *job)
{
	hand_back(w, job);
}

static void on_closed(uv_handle_t *handle)
{
	struct worker *w = handle->data;
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
	mem_free(w);
}

/* The thread is gone, so no lock; a done may still post, and its job is skipped too. */
static void run_all_dones(struct worker *w)
{
	struct job *job;
	while ((job = job_of(list_pop(&w->ready))) || (job = job_of(list_pop(&w->finished))))
		job->done(job);
	while ((job = job_of(list_pop(&w->waiting)))) {
		job->skipped = true;
		job->done(job);
	}
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	run_all_dones(w);
	uv_close((uv_handle_t *)&w->wake, on_closed);
}
