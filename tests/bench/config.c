/*
 * bench_config FILE N: how long a configuration of N points takes to load, against libconfig's own parse of the same file, and what
 * stays in memory. One line of JSON.
 */
#include "core/base/mem.h"
#include "core/conf/conf.h"
#include "core/drivers.h"

#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 5 };

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long resident_kib(void)
{
	char line[128];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	if (f)
		fclose(f);
	return kib;
}

static double parse(const char *file)
{
	config_t c;
	double begun = now();
	config_init(&c);
	if (!config_read_file(&c, file))
		exit(1);
	double took = now() - begun;
	config_destroy(&c);
	return took;
}

static double load(struct conf *c, const char *file, const struct protocol *const *protocols)
{
	double begun = now();
	if (conf_load(c, file, protocols) < 0) {
		fputs(c->errors.data, stderr);
		exit(1);
	}
	return now() - begun;
}

int main(int argc, char **argv)
{
	const struct protocol **protocols = drivers_protocols();
	struct conf c;
	double ours = 1e9, theirs = 1e9;
	if (argc < 3)
		return 2;
	long before = resident_kib();
	load(&c, argv[1], protocols);
	long kept = resident_kib() - before;
	conf_free(&c);
	for (int i = 0; i < ROUNDS; i++) {
		double t = parse(argv[1]);
		theirs = t < theirs ? t : theirs;
		t = load(&c, argv[1], protocols);
		ours = t < ours ? t : ours;
		conf_free(&c);
	}
	printf("{\"load_s\": %.3f, \"libconfig_s\": %.3f, \"times\": %.1f, \"kept_mib\": %.1f, \"kib_per_point\": %.2f}\n", ours, theirs,
	       ours / theirs, (double)kept / 1024, (double)kept / strtod(argv[2], NULL));
	mem_free(protocols);
	return 0;
}
