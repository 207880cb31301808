#include "core/loop/worker.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>

enum { MANY = 2000 };

struct scene {
	struct loop *loop;
	struct worker *worker;
	pthread_t loop_thread;
	int runs; /* the worker thread's, read after a done or a join */
	int dones, skipped, wanted;
	int order[MANY];
	sem_t begun, gate; /* a job that waits at the gate keeps the worker busy */
};

struct task {
	struct job job;
	struct scene *scene;
	int number;
};

static struct task *task_of(struct job *job)
{
	return list_of(job, struct task, job);
}

static struct scene *scene_new(int wanted)
{
	struct scene *s = mem_new(sizeof(*s));
	s->loop = loop_new();
	s->loop_thread = pthread_self();
	s->worker = worker_new(s->loop, "a name that is too long");
	s->wanted = wanted;
	sem_init(&s->begun, 0, 0);
	sem_init(&s->gate, 0, 0);
	return s;
}

static void scene_free(struct scene *s)
{
	worker_free(s->worker);
	loop_free(s->loop);
	sem_destroy(&s->begun);
	sem_destroy(&s->gate);
	mem_free(s);
}

static void run(struct job *job)
{
	must(!pthread_equal(pthread_self(), task_of(job)->scene->loop_thread));
	task_of(job)->scene->runs++;
}

static void run_at_gate(struct job *job)
{
	sem_post(&task_of(job)->scene->begun);
	sem_wait(&task_of(job)->scene->gate);
	run(job);
}

static void done(struct job *job)
{
	struct scene *s = task_of(job)->scene;
	must(pthread_equal(pthread_self(), s->loop_thread));
	s->skipped += job->skipped;
	s->order[s->dones++] = task_of(job)->number;
	mem_free(task_of(job));
	if (s->dones == s->wanted)
		loop_stop(s->loop);
}

static void post(struct scene *s, int number, void (*fn)(struct job *job),
		 void (*to)(struct worker *w, struct job *job))
{
	struct task *task = mem_new(sizeof(*task));
	task->scene = s;
	task->number = number;
	task->job = (struct job){ .run = fn, .done = done };
	to(s->worker, &task->job);
}

static void check_order(const struct scene *s)
{
	cr_assert_eq(s->dones, s->wanted);
	for (int i = 0; i < s->dones; i++)
		cr_assert_eq(s->order[i], i);
}

Test(worker, runs_in_order_and_answers_each_job_once)
{
	struct scene *s = scene_new(MANY);
	for (int i = 0; i < MANY; i++)
		post(s, i, run, worker_post);
	loop_run(s->loop);
	check_order(s);
	cr_assert_eq(s->runs, MANY);
	cr_assert_eq(s->skipped, 0);
	scene_free(s);
}

Test(worker, takes_what_was_posted_first_before_all_that_wait)
{
	struct scene *s = scene_new(4);
	post(s, 0, run_at_gate, worker_post);
	sem_wait(&s->begun);
	post(s, 3, run, worker_post);
	post(s, 2, run, worker_post_first);
	post(s, 1, run, worker_post_first);
	sem_post(&s->gate);
	loop_run(s->loop);
	check_order(s);
	scene_free(s);
}

static void *open_gate(void *ctx)
{
	struct scene *s = ctx;
	sem_post(&s->gate);
	return NULL;
}

Test(worker, freed_waits_for_the_running_job_and_skips_the_others)
{
	struct scene *s = scene_new(3);
	pthread_t opener;
	post(s, 0, run_at_gate, worker_post);
	sem_wait(&s->begun);
	post(s, 1, run, worker_post);
	post(s, 2, run, worker_post);
	cr_assert_eq(pthread_create(&opener, NULL, open_gate, s), 0);
	worker_free(s->worker);
	s->worker = NULL;
	pthread_join(opener, NULL);
	check_order(s);
	cr_assert_eq(s->skipped + s->runs, 3, "each ran or was skipped");
	cr_assert_geq(s->runs, 1);
	scene_free(s);
}

static void done_that_frees(struct job *job)
{
	struct scene *s = task_of(job)->scene;
	if (s->worker) {
		struct worker *w = s->worker;
		s->worker = NULL;
		worker_free(w);
	}
	done(job);
}

Test(worker, may_be_freed_by_a_done)
{
	struct scene *s = scene_new(3);
	for (int i = 0; i < 3; i++) {
		struct task *task = mem_new(sizeof(*task));
		*task = (struct task){ .scene = s, .number = i, .job = { .run = run, .done = done_that_frees } };
		worker_post(s->worker, &task->job);
	}
	while (s->dones < 3)
		loop_turn(s->loop);
	cr_assert_null(s->worker);
	scene_free(s);
}

static void run_and_hand_back(struct job *job)
{
	struct scene *s = task_of(job)->scene;
	for (int i = 0; i < 100; i++)
		post(s, i, NULL, worker_back);
}

Test(worker, hands_jobs_of_a_foreign_thread_to_the_loop)
{
	struct scene *s = scene_new(101);
	post(s, 100, run_and_hand_back, worker_post);
	loop_run(s->loop);
	check_order(s);
	scene_free(s);
}

static void run_looks_at_signals(struct job *job)
{
	sigset_t blocked;
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	char name[16];
	pthread_getname_np(pthread_self(), name, sizeof(name));
	must(strcmp(name, "a name that is ") == 0);
	must(sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGHUP) && sigismember(&blocked, SIGCHLD));
	run(job);
}

Test(worker, has_a_name_and_gets_no_signals)
{
	struct scene *s = scene_new(1);
	sigset_t blocked;
	post(s, 0, run_looks_at_signals, worker_post);
	loop_run(s->loop);
	cr_assert_eq(s->runs, 1);
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	cr_assert_not(sigismember(&blocked, SIGTERM), "the loop thread keeps its own mask");
	scene_free(s);
}

Test(worker, posted_twice_dies, .signal = SIGABRT)
{
	struct scene *s = scene_new(2);
	struct task task = { .scene = s, .job = { .run = run, .done = done } };
	post(s, 0, run_at_gate, worker_post);
	sem_wait(&s->begun);
	worker_post(s->worker, &task.job);
	worker_post(s->worker, &task.job);
}
