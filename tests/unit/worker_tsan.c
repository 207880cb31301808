/*
 * The worker under ThreadSanitizer: a plain program, because Criterion does not start under it. Ends with 0 when every
 * job had its one done, in order; the sanitizer ends it otherwise.
 */
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/loop/worker.h"

#include <pthread.h>
#include <stdio.h>

enum { JOBS = 20000, BACKS = 3, WORKERS = 3 };

struct crew {
	struct loop *loop;
	struct worker *workers[WORKERS];
	unsigned long dones, sum;
	unsigned long last[WORKERS];
};

struct task {
	struct job job;
	struct crew *crew;
	int worker;
	unsigned long number;
	unsigned long result; /* written by the worker's thread, read by done */
};

static void crew_end(struct crew *crew)
{
	if (++crew->dones == (unsigned long)WORKERS * JOBS * (1 + BACKS))
		loop_stop(crew->loop);
}

static void back_done(struct job *job)
{
	struct task *task = list_of(job, struct task, job);
	task->crew->sum += task->result;
	crew_end(task->crew);
	mem_free(task);
}

static void run(struct job *job)
{
	struct task *task = list_of(job, struct task, job);
	task->result = task->number;
	for (int i = 0; i < BACKS; i++) {
		struct task *back = mem_new(sizeof(*back));
		back->crew = task->crew;
		back->result = 1;
		back->job.done = back_done;
		worker_back(task->crew->workers[task->worker], &back->job);
	}
}

static void done(struct job *job)
{
	struct task *task = list_of(job, struct task, job);
	must(task->result == task->number);
	must(task->number == ++task->crew->last[task->worker]);
	crew_end(task->crew);
	mem_free(task);
}

static void post_all(struct crew *crew)
{
	for (unsigned long n = 1; n <= JOBS; n++) {
		for (int w = 0; w < WORKERS; w++) {
			struct task *task = mem_new(sizeof(*task));
			*task = (struct task){
				.job = { .run = run, .done = done }, .crew = crew, .worker = w, .number = n
			};
			worker_post(crew->workers[w], &task->job);
		}
	}
}

static void skip_done(struct job *job)
{
	mem_free(list_of(job, struct task, job));
}

static void skip_run(struct job *job)
{
	list_of(job, struct task, job)->result = 1;
}

/* The end of a worker races with its thread taking jobs. */
static void free_with_jobs_waiting(struct crew *crew)
{
	for (int w = 0; w < WORKERS; w++) {
		for (int n = 0; n < 100; n++) {
			struct task *task = mem_new(sizeof(*task));
			task->job = (struct job){ .run = skip_run, .done = skip_done };
			worker_post_first(crew->workers[w], &task->job);
		}
		worker_free(crew->workers[w]);
	}
}

int main(void)
{
	struct crew crew = { .loop = loop_new() };
	for (int w = 0; w < WORKERS; w++)
		crew.workers[w] = worker_new(crew.loop, "tsan");
	post_all(&crew);
	loop_run(crew.loop);
	must(crew.sum == (unsigned long)WORKERS * JOBS * BACKS);
	free_with_jobs_waiting(&crew);
	loop_free(crew.loop);
	puts("worker_tsan: every job had its one done");
	return 0;
}
