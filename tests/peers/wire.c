#include "tests/peers/wire.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1024 };

struct way { /* one direction */
	int from, to;
	uint8_t bytes[ROOM];
	size_t n;
	int64_t due_us; /* when the first byte has gone over the line */
};

struct wire {
	pthread_t thread;
	int stop, holders[2];
	char paths[2][64];
	struct way ways[2];
	int64_t byte_us;
};

static int64_t now_us(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static void take(struct wire *w, struct way *way)
{
	ssize_t n = read(way->from, way->bytes + way->n, ROOM - way->n);
	if (n <= 0)
		return;
	if (way->n == 0)
		way->due_us = now_us() + w->byte_us;
	way->n += (size_t)n;
}

/* All bytes whose time has come. A thread that woke up late does not make the line slower. */
static void give(struct wire *w, struct way *way)
{
	size_t n = 0;
	for (int64_t now = now_us(); n < way->n && way->due_us <= now; n++)
		way->due_us += w->byte_us;
	if (n == 0 || write(way->to, way->bytes, n) < 0)
		return;
	way->n -= n;
	memmove(way->bytes, way->bytes + n, way->n);
}

static int64_t next_us(const struct wire *w)
{
	int64_t next = now_us() + 1000000;
	for (int i = 0; i < 2; i++)
		if (w->ways[i].n && w->ways[i].due_us < next)
			next = w->ways[i].due_us;
	return next;
}

static void *run(void *ctx)
{
	struct wire *w = ctx;
	for (;;) {
		struct pollfd fds[] = { { w->stop, POLLIN, 0 },
					{ w->ways[0].from, POLLIN, 0 },
					{ w->ways[1].from, POLLIN, 0 } };
		int64_t left = next_us(w) - now_us();
		struct timespec most = { left < 0 ? 0 : left / 1000000, left < 0 ? 0 : left % 1000000 * 1000 };
		ppoll(fds, 3, &most, NULL);
		if (fds[0].revents)
			return NULL;
		for (int i = 0; i < 2; i++) {
			if (fds[i + 1].revents)
				take(w, &w->ways[i]);
			give(w, &w->ways[i]);
		}
	}
}

static void die(const char *what)
{
	perror(what);
	abort();
}

/* The other side is held open, else the master hangs up between clients. */
static int make_end(struct wire *w, int i)
{
	struct termios t;
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, w->paths[i], sizeof(w->paths[i])) != 0)
		die("wire");
	w->holders[i] = open(w->paths[i], O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (w->holders[i] < 0 || tcgetattr(w->holders[i], &t) < 0)
		die("wire");
	cfmakeraw(&t);
	tcsetattr(w->holders[i], TCSANOW, &t);
	return fd;
}

struct wire *wire_new(int64_t byte_us)
{
	struct wire *w = calloc(1, sizeof(*w));
	int ends[2] = { make_end(w, 0), make_end(w, 1) };
	w->byte_us = byte_us;
	for (int i = 0; i < 2; i++) {
		w->ways[i].from = ends[i];
		w->ways[i].to = ends[1 - i];
	}
	w->stop = eventfd(0, EFD_CLOEXEC);
	if (pthread_create(&w->thread, NULL, run, w) != 0)
		die("wire thread");
	return w;
}

const char *wire_end(const struct wire *w, int end)
{
	return w->paths[end];
}

void wire_free(struct wire *w)
{
	uint64_t one = 1;
	if (write(w->stop, &one, sizeof(one)) != sizeof(one))
		die("wire");
	pthread_join(w->thread, NULL);
	for (int i = 0; i < 2; i++) {
		close(w->ways[i].from);
		close(w->holders[i]);
	}
	close(w->stop);
	free(w);
}
