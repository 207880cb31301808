/*
 * A file is named by its number and has only records: a head with size, checksum and time, and the bytes. A new one is begun
 * at each start and when the last one is an eighth of the whole, in bytes or in time. The worker has the files as long as
 * a record flies.
 */
#include "core/store/journal.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/loop/worker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARTS = 8, LEAST = 4096 /* what a file costs at least */ };

struct head {
	uint32_t size, sum; /* sum: of the time and the bytes */
	int64_t utc_ms;
};

struct part {
	uint32_t number;
	int64_t bytes;
	int64_t from_ms, till_ms; /* monotonic; of what an earlier run wrote as far as the clock of the day knows */
};

struct journal {
	char *directory;
	struct journal_bounds bounds;
	struct loop *loop;
	struct worker *worker; /* NULL: in the call */
	struct part *parts;    /* the oldest first */
	size_t n_parts;
	int fd; /* of the last one, -1: the next record begins a new one */

	struct job job;
	struct text record;
	int64_t now_ms, utc_ms;
	int status;
	struct err why;
	void (*done)(void *ctx, int status, const struct err *why);
	void *ctx;
};

/* CRC-32 as of Ethernet, bit by bit: records are few. */
static uint32_t add_to_sum(uint32_t sum, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	for (sum = ~sum; size; size--) {
		sum ^= *at++;
		for (int bit = 0; bit < 8; bit++)
			sum = sum & 1 ? sum >> 1 ^ 0xedb88320 : sum >> 1;
	}
	return ~sum;
}

static uint32_t sum_of(const struct head *h, const char *bytes)
{
	return add_to_sum(add_to_sum(0, &h->utc_ms, sizeof(h->utc_ms)), bytes, h->size);
}

static char *path_of(const char *directory, uint32_t number)
{
	return mem_format("%s/%08u.past", directory, number);
}

static bool is_part(const char *name, uint32_t *ret)
{
	int end = 0;
	return sscanf(name, "%8u.past%n", ret, &end) == 1 && end > 0 && name[end] == '\0';
}

/* Calls for each file of the directory; -1: it cannot be looked into. */
static int each_part(const char *directory, void (*found)(void *ctx, uint32_t number), void *ctx)
{
	DIR *d = opendir(directory);
	uint32_t number;
	if (!d)
		return -1;
	for (struct dirent *at; (at = readdir(d));)
		if (is_part(at->d_name, &number))
			found(ctx, number);
	closedir(d);
	return 0;
}

static void drop_file(const char *directory, uint32_t number)
{
	char *path = path_of(directory, number);
	unlink(path);
	mem_free(path);
}

static void add_part(void *ctx, uint32_t number)
{
	struct journal *j = ctx;
	j->parts = mem_resize(j->parts, (j->n_parts + 1) * sizeof(struct part));
	j->parts[j->n_parts++] = (struct part){ .number = number };
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = ((const struct part *)a)->number, y = ((const struct part *)b)->number;
	return x < y ? -1 : x > y;
}

static void look_at(struct journal *j, struct part *p)
{
	char *path = path_of(j->directory, p->number);
	struct stat at;
	if (stat(path, &at) == 0) {
		int64_t age = loop_utc(j->loop) - (int64_t)at.st_mtim.tv_sec * 1000;
		p->bytes = at.st_size;
		p->from_ms = p->till_ms = loop_now(j->loop) - (age > 0 ? age : 0);
	}
	mem_free(path);
}

static void drop_part(struct journal *j)
{
	drop_file(j->directory, j->parts[0].number);
	memmove(j->parts, j->parts + 1, --j->n_parts * sizeof(struct part));
}

static int64_t cost_of(const struct part *p)
{
	return p->bytes > LEAST ? p->bytes : LEAST;
}

/* What is too old, or too much when `more` bytes come. The last one stays if it is being written. */
static void drop_old(struct journal *j, int64_t more, int64_t now_ms)
{
	int64_t all = more > LEAST ? more : LEAST;
	for (size_t i = 0; i < j->n_parts; i++)
		all += cost_of(&j->parts[i]);
	while (j->n_parts > (j->fd >= 0)) {
		const struct part *p = &j->parts[0];
		if (now_ms - p->till_ms <= j->bounds.keep_ms && all <= j->bounds.bytes)
			return;
		all -= cost_of(p);
		drop_part(j);
	}
}

static void end_part(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}

static void sync_directory(const struct journal *j)
{
	int fd = open(j->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

static int begin_part(struct journal *j, int64_t now_ms, struct err *e)
{
	uint32_t number = j->n_parts ? j->parts[j->n_parts - 1].number + 1 : 1;
	char *path = path_of(j->directory, number);
	j->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (j->fd < 0) {
		err_set(e, "cannot create %s: %s", path, strerror(errno));
		mem_free(path);
		return -1;
	}
	mem_free(path);
	sync_directory(j);
	add_part(j, number);
	j->parts[j->n_parts - 1].from_ms = now_ms;
	return 0;
}

static int write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		bytes += n;
		size -= (size_t)n;
	}
	return fdatasync(fd);
}

/* What did not get to the disk as a whole is taken away, and the file is not used any more. */
static int take_back(struct journal *j, struct part *p, struct err *e)
{
	int cause = errno;
	if (ftruncate(j->fd, p->bytes) < 0)
		cause = errno;
	end_part(j);
	if (p->bytes == 0) {
		drop_file(j->directory, p->number);
		j->n_parts--;
	}
	return err_set(e, "cannot write into %s: %s", j->directory, strerror(cause));
}

static int append(struct journal *j, const struct text *record, struct err *e)
{
	struct part *p = &j->parts[j->n_parts - 1];
	if (write_all(j->fd, record->data, record->size) < 0)
		return take_back(j, p, e);
	p->bytes += (int64_t)record->size;
	p->till_ms = j->now_ms;
	if (p->bytes > j->bounds.bytes / PARTS || p->till_ms - p->from_ms > j->bounds.keep_ms / PARTS)
		end_part(j);
	return 0;
}

static void write_record(struct job *job)
{
	struct journal *j = list_of(job, struct journal, job);
	struct head h = { .size = (uint32_t)j->record.size, .utc_ms = j->utc_ms };
	h.sum = sum_of(&h, j->record.data);
	struct text record = { 0 };
	text_add_n(&record, (const char *)&h, sizeof(h));
	text_add_n(&record, j->record.data, j->record.size);
	drop_old(j, (int64_t)record.size, j->now_ms);
	j->status = j->fd < 0 ? begin_part(j, j->now_ms, &j->why) : 0;
	if (j->status == 0)
		j->status = append(j, &record, &j->why);
	text_free(&record);
}

static void record_done(struct job *job)
{
	struct journal *j = list_of(job, struct journal, job);
	void (*done)(void *ctx, int status, const struct err *why) = j->done;
	if (job->skipped)
		write_record(job); /* the worker is gone, the files are this thread's again */
	text_free(&j->record);
	j->done = NULL;
	done(j->ctx, j->status, j->status ? &j->why : NULL);
}

void journal_put(struct journal *j, struct text *take, void (*done)(void *ctx, int status, const struct err *why),
		 void *ctx)
{
	must(!j->done && take->size <= LIMIT_JOURNAL_RECORD);
	j->record = *take;
	*take = (struct text){ 0 };
	j->done = done;
	j->ctx = ctx;
	j->now_ms = loop_now(j->loop);
	j->utc_ms = loop_utc(j->loop);
	j->job = (struct job){ .run = write_record, .done = record_done };
	if (j->worker) {
		worker_post(j->worker, &j->job);
		return;
	}
	write_record(&j->job);
	record_done(&j->job);
}

static void read_records(const char *bytes, size_t size, void (*record)(void *ctx, const char *bytes, size_t size),
			 void *ctx)
{
	struct head h;
	for (; size >= sizeof(h); bytes += h.size, size -= h.size) {
		memcpy(&h, bytes, sizeof(h));
		bytes += sizeof(h);
		size -= sizeof(h);
		if (h.size > size || h.size > LIMIT_JOURNAL_RECORD || sum_of(&h, bytes) != h.sum)
			return;
		record(ctx, bytes, h.size);
	}
}

static void read_part(const struct journal *j, const struct part *p,
		      void (*record)(void *ctx, const char *bytes, size_t size), void *ctx)
{
	char *path = path_of(j->directory, p->number);
	FILE *f = fopen(path, "rbe");
	mem_free(path);
	if (!f)
		return;
	char *bytes = mem_new((size_t)p->bytes);
	read_records(bytes, fread(bytes, 1, (size_t)p->bytes, f), record, ctx);
	fclose(f);
	mem_free(bytes);
}

void journal_each(struct journal *j, void (*record)(void *ctx, const char *bytes, size_t size), void *ctx)
{
	for (size_t i = 0; i < j->n_parts; i++)
		if (j->parts[i].bytes <= j->bounds.bytes)
			read_part(j, &j->parts[i], record, ctx);
}

struct journal *journal_open(const char *directory, const struct journal_bounds *bounds, struct loop *loop,
			     struct err *e)
{
	struct journal *j = mem_new(sizeof(*j));
	*j = (struct journal){ .directory = mem_text(directory), .bounds = *bounds, .loop = loop, .fd = -1 };
	if ((mkdir(directory, 0700) < 0 && errno != EEXIST) || each_part(directory, add_part, j) < 0) {
		err_set(e, "cannot use %s: %s", directory, strerror(errno));
		journal_close(j);
		return NULL;
	}
	if (j->n_parts)
		qsort(j->parts, j->n_parts, sizeof(struct part), by_number);
	for (size_t i = 0; i < j->n_parts; i++)
		look_at(j, &j->parts[i]);
	drop_old(j, 0, loop_now(loop));
	j->worker = worker_new(loop, "history");
	return j;
}

void journal_hold(struct journal *j)
{
	worker_free(j->worker);
	j->worker = NULL;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	journal_hold(j);
	must(!j->done);
	end_part(j);
	mem_free(j->parts);
	mem_free(j->directory);
	mem_free(j);
}

static void remove_part(void *ctx, uint32_t number)
{
	drop_file(ctx, number);
}

void journal_remove(const char *directory)
{
	char *copy = mem_text(directory);
	if (each_part(directory, remove_part, copy) == 0)
		rmdir(directory);
	mem_free(copy);
}
