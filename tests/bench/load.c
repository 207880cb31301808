/*
 * Keeps some reads under way for some seconds and says how many were answered, how fast, and what CPU the others used.
 *
 *	bench_load [--port PORT] [--befriend] [--single] [--things N] [--windows 1,16,256] [--seconds S] [--cpu NAME=PID]...
 *	bench_load --idle
 *
 * Without --port it is the server itself and says its port first. --single: the answer is one iq, not iq and message.
 * PID is a number, or the name of a file that holds it when the first window begins.
 * One line of JSON for each window. --idle: only serves, until it is ended or the other side leaves.
 */
#include "tests/bench/friend.h"

#include <dirent.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THINGS "things.localhost"
#define OWN    "load.localhost"

enum { MOST_WINDOW = 4096, MOST_SAMPLES = 8 << 20, MOST_PIDS = 4, WARM_UP_MS = 500 };
enum { ACCEPTED = 1, VALUES = 2 };

struct watched {
	char name[32];
	const char *where;
	int pid;
	double before;
};

struct load {
	struct stream stream;
	struct friend friend;
	const char *windows;
	int port;
	bool befriend, single, idle;
	double seconds;
	struct watched watched[MOST_PIDS];
	size_t n_watched;
	struct slot {
		double begun;
		unsigned missing;
	} slots[MOST_WINDOW];
	size_t under_way, next_thing, n_errors;
	double now, ends;
	float *samples; /* us */
	size_t n_samples;
	char first_error[512];
};

static double clock_now(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* Seconds on a CPU, of all threads. */
static double cpu_of(int pid)
{
	char path[300];
	unsigned long long ns, sum = 0;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *tasks = opendir(path);
	if (!tasks)
		die("there is no process %d", pid);
	for (struct dirent *entry; (entry = readdir(tasks));) {
		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, entry->d_name);
		FILE *file = *entry->d_name == '.' ? NULL : fopen(path, "r"); /* ".." has such a file, too */
		if (!file)
			continue;
		sum += fscanf(file, "%llu", &ns) == 1 ? ns : 0;
		fclose(file);
	}
	closedir(tasks);
	return (double)sum / 1e9;
}

static void ask(struct load *l, size_t slot)
{
	char thing[24], id[24];
	snprintf(thing, sizeof(thing), "%zu", l->next_thing++ % l->friend.n_things);
	snprintf(id, sizeof(id), "%zu", slot);
	l->slots[slot] = (struct slot){ l->now, l->single ? ACCEPTED : ACCEPTED | VALUES };
	stream_join(&l->stream, "<iq type='get' from='r@" OWN "/x' to='t", thing, ".v@" THINGS "' id='", id,
		    "'><req xmlns='urn:xmpp:iot:sensordata' seqnr='", id, "' momentary='true'/></iq>", NULL);
}

static void came(struct load *l, const char *number, unsigned what)
{
	size_t slot = strtoul(number, NULL, 10);
	if (slot >= MOST_WINDOW || !(l->slots[slot].missing & what))
		die("an answer that was not asked for: %.60s", number);
	l->slots[slot].missing &= ~what;
	if (l->slots[slot].missing)
		return;
	if (l->n_samples < MOST_SAMPLES)
		l->samples[l->n_samples++] = (float)((l->now - l->slots[slot].begun) * 1e6);
	l->under_way--;
	if (l->now < l->ends) {
		l->under_way++;
		ask(l, slot);
	}
}

static void note_error(struct load *l, const struct stanza *st, const char *id)
{
	if (!l->n_errors++)
		snprintf(l->first_error, sizeof(l->first_error), "%.*s", (int)(st->end - st->begin), st->begin);
	came(l, id, l->slots[strtoul(id, NULL, 10) % MOST_WINDOW].missing);
}

static void take(struct load *l, const struct stanza *st)
{
	size_t size;
	if (stanza_is(st, "<message ")) {
		came(l, stanza_get(st, " seqnr=", &size), VALUES);
		return;
	}
	const char *type = stanza_get(st, " type=", &size);
	if (stanza_is(st, "<iq ") && *type == 'r')
		came(l, stanza_get(st, " id=", &size), ACCEPTED);
	else if (stanza_is(st, "<iq ") && *type == 'e')
		note_error(l, st, stanza_get(st, " id=", &size));
	else
		friend_serve(&l->friend, st);
}

static void run_until(struct load *l, double ends)
{
	l->ends = ends;
	while (l->under_way || l->idle) {
		size_t at = 0;
		struct stanza st;
		if (!stream_receive(&l->stream, l->idle ? -1 : 10000))
			die("%zu answers are missing", l->under_way);
		l->now = clock_now();
		while (stream_next(&l->stream, &at, &st))
			take(l, &st);
		stream_take(&l->stream, at);
		stream_flush(&l->stream);
	}
}

static void begin(struct load *l, size_t window)
{
	l->now = clock_now();
	l->n_samples = l->n_errors = 0;
	for (size_t i = 0; i < window; i++, l->under_way++)
		ask(l, i);
	stream_flush(&l->stream);
}

static int compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

static void print(struct load *l, size_t window, double seconds)
{
	qsort(l->samples, l->n_samples, sizeof(float), compare);
	double n = (double)l->n_samples;
	printf("{\"window\": %zu, \"reads\": %zu, \"errors\": %zu, \"rate\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f",
	       window, l->n_samples, l->n_errors, n / seconds, (double)l->samples[l->n_samples / 2],
	       (double)l->samples[l->n_samples * 99 / 100]);
	for (size_t i = 0; i < l->n_watched; i++) {
		double cpu = cpu_of(l->watched[i].pid) - l->watched[i].before;
		printf(", \"%s_us\": %.2f, \"%s_share\": %.2f", l->watched[i].name, cpu * 1e6 / n, l->watched[i].name,
		       cpu / seconds);
	}
	printf("}\n");
	fflush(stdout);
	if (l->n_errors)
		fprintf(stderr, "first error: %s\n", l->first_error);
}

static void watch_pid(struct load *l, const char *word)
{
	const char *equals = strchr(word, '=');
	if (!equals || l->n_watched == MOST_PIDS)
		die("--cpu NAME=PID, at most %d", MOST_PIDS);
	struct watched *w = &l->watched[l->n_watched++];
	snprintf(w->name, sizeof(w->name), "%.*s", (int)(equals - word), word);
	w->where = equals + 1;
}

static int pid_of(const char *where)
{
	char text[32] = "";
	FILE *file = fopen(where, "r");
	if (!file)
		return (int)strtol(where, NULL, 10);
	int pid = fgets(text, sizeof(text), file) ? (int)strtol(text, NULL, 10) : 0;
	fclose(file);
	return pid;
}

static void measure(struct load *l, size_t window)
{
	if (!window || window > MOST_WINDOW)
		die("a window is 1 to %d", MOST_WINDOW);
	begin(l, window);
	run_until(l, l->now + WARM_UP_MS / 1000.0);
	for (size_t i = 0; i < l->n_watched; i++) {
		l->watched[i].pid = pid_of(l->watched[i].where);
		l->watched[i].before = cpu_of(l->watched[i].pid);
	}
	begin(l, window);
	double begun = l->now;
	run_until(l, begun + l->seconds);
	print(l, window, l->now - begun);
}

static void parse(struct load *l, int argc, char **argv)
{
	static const struct option options[] = {
		{ "idle", 0, 0, 'i' },    { "port", 1, 0, 'p' },   { "befriend", 0, 0, 'b' },
		{ "single", 0, 0, 's' },  { "things", 1, 0, 't' }, { "windows", 1, 0, 'w' },
		{ "seconds", 1, 0, 'n' }, { "cpu", 1, 0, 'c' },    { 0 },
	};
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) >= 0;) {
		switch (c) {
		case 'i':
			l->idle = true;
			break;
		case 'p':
			l->port = (int)strtol(optarg, NULL, 10);
			break;
		case 'b':
			l->befriend = true;
			break;
		case 's':
			l->single = true;
			break;
		case 't':
			l->friend.n_things = strtoul(optarg, NULL, 10);
			break;
		case 'w':
			l->windows = optarg;
			break;
		case 'n':
			l->seconds = strtod(optarg, NULL);
			break;
		case 'c':
			watch_pid(l, optarg);
			break;
		default:
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	static struct load l = { .windows = "1,16,256", .seconds = 3, .friend = { .n_things = 64 } };
	parse(&l, argc, argv);
	l.samples = calloc(MOST_SAMPLES, sizeof(float));
	if (!l.samples)
		die("out of memory");
	if (l.port)
		stream_connect(&l.stream, l.port, OWN, "s3cret");
	else
		stream_accept(&l.stream, THINGS);
	l.friend.stream = &l.stream;
	l.friend.domain = THINGS;
	l.friend.own = OWN;
	if (l.befriend)
		friend_befriend(&l.friend);
	if (l.idle)
		run_until(&l, 0);
	for (const char *at = l.windows; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		measure(&l, strtoul(at, NULL, 10));
	return 0;
}
