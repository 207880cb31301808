#include "core/xmpp/account_thread.h"

#include "core/base/mem.h"
#include "core/xmpp/account_pipe.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Orders go to the thread in the pipe itself, which is put on a list; an eventfd wakes the thread when the list gets its first.
 * News come back the same way, as a job of the worker: one job for all that happened since the loop thread looked.
 */

static const int TICK_MS = 250; /* libstrophe's own deadlines during a login */

struct account_thread {
	struct loop *loop;
	struct account_library *library;
	struct worker *worker;
	struct job life; /* the thread's only job: run() ends with account_thread_free */
	int wake;
	size_t n_open; /* loop thread */

	pthread_mutex_t lock;
	struct list ordered;
	bool stopping;

	struct account_pipe **pipes; /* thread */
	struct pollfd *fds;          /* fds[0] is wake, fds[i + 1] of pipes[i] */
	size_t n, room;
	char *buffer;
};

void account_thread_lock(struct account_thread *t)
{
	pthread_mutex_lock(&t->lock);
}

void account_thread_unlock(struct account_thread *t)
{
	pthread_mutex_unlock(&t->lock);
}

/* The account thread */

void account_thread_tell(struct account_pipe *p)
{
	struct account_thread *t = p->thread;
	struct job *job = p->news.posted ? NULL : &p->news.job;
	p->news.posted = true;
	account_thread_unlock(t);
	if (job)
		worker_back(t->worker, job);
}

static void add_pipe(struct account_thread *t, struct account_pipe *p)
{
	if (t->n == t->room) {
		t->room = t->room ? 2 * t->room : 16;
		t->pipes = mem_resize(t->pipes, t->room * sizeof(*t->pipes));
		t->fds = mem_resize(t->fds, (t->room + 1) * sizeof(*t->fds));
	}
	p->known = true;
	t->pipes[t->n++] = p;
}

/* false: stop */
static bool take_orders(struct account_thread *t)
{
	struct list *at;
	account_thread_lock(t);
	while ((at = list_pop(&t->ordered))) {
		struct account_pipe *p = list_of(at, struct account_pipe, orders.link);
		if (!p->known)
			add_pipe(t, p);
		text_add_n(&p->out, p->orders.bytes.size ? p->orders.bytes.data : "", p->orders.bytes.size);
		text_clear(&p->orders.bytes);
		p->cut = p->orders.cut;
		p->paused = p->orders.paused;
		p->full = p->news.bytes.size >= PIPE_READ;
		p->due = true;
	}
	bool stopping = t->stopping;
	account_thread_unlock(t);
	return !stopping;
}

static int wait_for(struct account_thread *t)
{
	int most = -1;
	t->fds[0] = (struct pollfd){ .fd = t->wake, .events = POLLIN };
	for (size_t i = 0; i < t->n; i++) {
		struct account_pipe *p = t->pipes[i];
		short events = p->login ? account_pipe_events(p) : 0;
		t->fds[i + 1] = (struct pollfd){ .fd = events ? account_pipe_fd(p) : -1, .events = events };
		if (p->due)
			most = 0;
		else if (account_pipe_logs_in(p) && most < 0)
			most = TICK_MS;
	}
	return most;
}

static void serve(struct account_thread *t)
{
	uint64_t count;
	if (t->fds[0].revents && read(t->wake, &count, sizeof(count)) < 0)
		t->fds[0].revents = 0;
	for (size_t i = t->n; i-- > 0;) {
		struct account_pipe *p = t->pipes[i];
		if (!p->due && !t->fds[i + 1].revents && !account_pipe_logs_in(p))
			continue;
		if (account_pipe_step(p, t->buffer))
			continue;
		t->pipes[i] = t->pipes[--t->n];
		t->fds[i + 1] = t->fds[t->n + 1];
		account_pipe_end(p);
	}
}

static void live(struct job *job)
{
	struct account_thread *t = list_of(job, struct account_thread, life);
	while (take_orders(t)) {
		int most = wait_for(t);
		if (poll(t->fds, t->n + 1, most) >= 0)
			serve(t);
	}
}

/* The loop thread */

static void lived(struct job *job)
{
	(void)job;
}

/* Locked; unlocks. */
static void order(struct account_pipe *p)
{
	static const uint64_t one = 1;
	struct account_thread *t = p->thread;
	bool first = list_empty(&t->ordered);
	bool over = p->news.ended;
	if (!over && !list_in(&p->orders.link))
		list_add(&t->ordered, &p->orders.link);
	account_thread_unlock(t);
	if (!over && first)
		must(write(t->wake, &one, sizeof(one)) == sizeof(one));
}

static void pipe_free(struct account_pipe *p)
{
	p->thread->n_open--;
	text_free(&p->taken);
	text_free(&p->news.bytes);
	text_free(&p->orders.bytes);
	mem_free(p);
}

static void take_news(struct job *job)
{
	struct account_pipe *p = list_of(job, struct account_pipe, news.job);
	struct account_news news;
	struct text empty = p->taken;
	text_clear(&empty);
	account_thread_lock(p->thread);
	news = p->news;
	p->news.bytes = empty;
	p->news.sent = 0;
	p->news.up = p->news.posted = false;
	p->taken = news.bytes;
	if (news.bytes.size >= PIPE_READ)
		order(p); /* reads on */
	else
		account_thread_unlock(p->thread);
	p->unsent -= news.sent;
	if (news.up)
		p->events->on_up(p->ctx);
	if (p->taken.size)
		p->events->on_data(p->ctx, p->taken.data, p->taken.size);
	if (news.sent)
		p->events->on_sent(p->ctx);
	if (!news.ended)
		return;
	p->events->on_end(p->ctx, news.word, &news.why);
	pipe_free(p);
}

struct account_pipe *account_thread_open(struct account_thread *t, const struct account_who *who,
					 const struct account_pipe_events *events, void *ctx)
{
	struct account_pipe *p = mem_new(sizeof(*p));
	*p = (struct account_pipe){
		.thread = t,
		.events = events,
		.ctx = ctx,
		.news.job.done = take_news,
		.guard = -1,
		.library = t->library,
		.who = who,
	};
	t->n_open++;
	account_thread_lock(t);
	order(p);
	return p;
}

void account_thread_write(struct account_pipe *p, const char *bytes, size_t size)
{
	p->unsent += size;
	account_thread_lock(p->thread);
	text_add_n(&p->orders.bytes, bytes, size);
	order(p);
}

size_t account_thread_backlog(const struct account_pipe *p)
{
	return p->unsent;
}

void account_thread_pause(struct account_pipe *p, bool pause)
{
	account_thread_lock(p->thread);
	p->orders.paused = pause;
	order(p);
}

void account_thread_cut(struct account_pipe *p)
{
	account_thread_lock(p->thread);
	p->orders.cut = true;
	if (p->guard >= 0)
		shutdown(p->guard, SHUT_RDWR);
	order(p);
}

struct account_thread *account_thread_new(struct loop *loop, const char *name, struct account_library *library)
{
	struct account_thread *t = mem_new(sizeof(*t));
	*t = (struct account_thread){ .loop = loop, .library = library, .life = { .run = live, .done = lived } };
	list_init(&t->ordered);
	must(pthread_mutex_init(&t->lock, NULL) == 0);
	t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	must(t->wake >= 0);
	t->fds = mem_array(1, sizeof(*t->fds));
	t->buffer = mem_new(PIPE_READ);
	t->worker = worker_new(loop, name);
	worker_post(t->worker, &t->life);
	return t;
}

void account_thread_free(struct account_thread *t)
{
	static const uint64_t one = 1;
	if (!t)
		return;
	must(t->n_open == 0);
	account_thread_lock(t);
	t->stopping = true;
	account_thread_unlock(t);
	must(write(t->wake, &one, sizeof(one)) == sizeof(one));
	worker_free(t->worker);
	close(t->wake);
	pthread_mutex_destroy(&t->lock);
	mem_free(t->pipes);
	mem_free(t->fds);
	mem_free(t->buffer);
	mem_free(t);
}
