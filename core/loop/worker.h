/*
 * One thread and one queue for calls that block. A job runs on the worker's thread, its done on the loop thread, in
 * order. Exactly one done for each posted job, also when the worker is freed before the job ran (then job->skipped is
 * true).
 *
 * Jobs are members of the caller's structs; while posted they belong to the worker. run() must not touch anything but
 * what the job brought; it never logs. worker_free waits for the running job (bounded by whoever wrote run), runs the
 * dones.
 */
#pragma once

#include "core/base/list.h"
#include "core/loop/loop.h"

struct worker;

struct job {
	struct list link;
	void (*run)(struct job *job);  /* worker thread */
	void (*done)(struct job *job); /* loop thread; may free the job */
	bool skipped;
};

struct worker *worker_new(struct loop *loop, const char *name); /* name: at most 15 bytes, for ps and gdb */
void worker_post(struct worker *w, struct job *job);
void worker_post_first(struct worker *w, struct job *job); /* before all that wait */
void worker_free(struct worker *w);                        /* NULL is allowed */

/* For threads that have a loop of their own (accounts): hands a job to the loop thread; only done is called. Any
 * thread. */
void worker_back(struct worker *w, struct job *job);
