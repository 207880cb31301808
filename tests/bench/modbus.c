/*
 * How much of a serial line's time the driver uses, against what the physics of the line allows, and what merging brings:
 * one line of JSON per measurement.
 *
 *     bench_modbus [SECONDS]
 */
#include "bridges/mbline.h"
#include "bridges/mbplan.h"
#include "core/base/mem.h"
#include "tests/lib/rig.h"
#include "tests/peers/slave.h"
#include "tests/peers/wire.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

extern const struct bridge_driver driver_modbus_rtu;

enum { POINTS = 50, CYCLES_MOST = 10000, N_WINDOWS = 3, NO_PARITY = 0 /* "8N1" */ };

/* Of an Eastron SDM630: float32, in three windows of input registers. */
static const struct {
	int first, points;
} windows[] = { { 0, 30 }, { 200, 8 }, { 334, 12 } };
static const int window_registers[] = { 80, 16, 40 };

struct field {
	bool exact; /* line and device run before everything else */
	struct wire *wire;
	struct slave *slave;
	struct rig *rig;
	struct point *points[POINTS];
	size_t n;
	int64_t last_us; /* when the first window was read last */
	unsigned last_asked, cycle;
	double cycles_ms[CYCLES_MOST];
	size_t n_cycles;
};

/* Spread over the window: the last one ends it. */
static int place(size_t window, int i)
{
	int room = window_registers[window] / 2 - 1, last = windows[window].points - 1;
	return windows[window].first + 2 * (room * i / last);
}

/* A line and a device never wait for a processor, and so must those that play them: threads begin with the policy and the
 * slack of their maker. false: not allowed, and then other work on this machine is measured too. */
static bool be_hardware(bool on)
{
	struct sched_param as = { .sched_priority = on ? 1 : 0 };
	prctl(PR_SET_TIMERSLACK, on ? 1L : 50000L);
	return pthread_setschedparam(pthread_self(), on ? SCHED_FIFO : SCHED_OTHER, &as) == 0;
}

static void begin(struct field *f, int64_t baud, int turnaround_ms, const char *device)
{
	char text[256];
	struct mbplan_wire w = mbplan_serial(baud, NO_PARITY);
	bool exact = be_hardware(true);
	*f = (struct field){ .exact = exact, .wire = wire_new(w.byte_us) };
	f->slave = slave_tty(wire_end(f->wire, 0));
	be_hardware(false);
	if (turnaround_ms)
		slave_fault(f->slave, SLAVE_LATE, -1, turnaround_ms);
	snprintf(text, sizeof(text), "device=%s; baud=%lld; timeout=2s", wire_end(f->wire, 1), (long long)baud);
	f->rig = rig_new(&driver_modbus_rtu, text);
	snprintf(text, sizeof(text), "unit_id=1; addressing=protocol; %s", device);
	struct device *d = rig_device(f->rig, "meter", text);
	for (size_t window = 0; window < N_WINDOWS; window++)
		for (int i = 0; i < windows[window].points; i++) {
			snprintf(text, sizeof(text), "table=input; address=%d", place(window, i));
			f->points[f->n] = rig_point(f->rig, d, "p", TYPE_FLOAT32, text);
			f->points[f->n++]->poll_ms = 10;
		}
	rig_start(f->rig);
}

static void end(struct field *f)
{
	rig_free(f->rig);
	slave_free(f->slave);
	wire_free(f->wire);
}

static bool all_since(const struct field *f, int64_t since)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->points[i]->taken_ms <= since)
			return false;
	return true;
}

/* From one sample of the first point to the next: all windows have been read once in between. */
static void on_sample(struct rig *rig, struct point *p, enum news news)
{
	struct field *f = rig->ctx;
	(void)news;
	if (p != f->points[0])
		return;
	int64_t now = mbline_now();
	unsigned asked = slave_asked(f->slave);
	if (asked - f->last_asked == f->cycle && f->n_cycles < CYCLES_MOST)
		f->cycles_ms[f->n_cycles++] = (double)(now - f->last_us) / 1000;
	f->last_us = now;
	f->last_asked = asked;
}

static int compare_ms(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

struct taken {
	double median_ms, best_ms;
	size_t cycles;
};

/* cycle: questions in one. */
static struct taken measure(struct field *f, double seconds, unsigned cycle)
{
	f->cycle = cycle;
	f->rig->ctx = f;
	RIG_UNTIL(f->rig, all_since(f, 0));
	f->rig->on_sample = on_sample;
	int64_t begun = mbline_now();
	while ((double)(mbline_now() - begun) < seconds * 1e6 || f->n_cycles < 4)
		loop_turn(f->rig->loop);
	qsort(f->cycles_ms, f->n_cycles, sizeof(double), compare_ms);
	return (struct taken){ f->cycles_ms[f->n_cycles / 2], f->cycles_ms[0], f->n_cycles };
}

/* What the line allows for all windows once. One silence of the two is in the turnaround, which is measured from the end of
 * the question. */
static double limit_ms(int64_t baud, int turnaround_ms)
{
	struct mbplan_wire w = mbplan_serial(baud, NO_PARITY);
	double ms = 0;
	w.turnaround_us = turnaround_ms * 1000 - w.gap_us;
	for (size_t i = 0; i < N_WINDOWS; i++)
		ms += (double)mbplan_time(&w, MBADDRESS_INPUT, (uint16_t)window_registers[i]) / 1000;
	return ms;
}

/* The gap is given: with the one that is learned a fast line would be read in fewer questions than there are windows. */
static void compare(int64_t baud, int turnaround_ms, double seconds)
{
	struct field *f = mem_new(sizeof(*f));
	double limit = limit_ms(baud, turnaround_ms);
	begin(f, baud, turnaround_ms, "max_gap=12");
	struct taken merged = measure(f, seconds, N_WINDOWS);
	end(f);
	begin(f, baud, turnaround_ms, "max_block=2");
	struct taken single = measure(f, seconds, POINTS);
	end(f);
	printf("{\"baud\": %lld, \"turnaround_ms\": %d, \"limit_ms\": %.1f, \"cycles\": %zu, \"median_ms\": %.1f, "
	       "\"best_ms\": %.1f, \"of_limit\": %.3f, \"best_of_limit\": %.3f, \"one_by_one_ms\": %.1f, "
	       "\"times\": %.1f, \"exact\": %s}\n",
	       (long long)baud, turnaround_ms, limit, merged.cycles, merged.median_ms, merged.best_ms,
	       limit / merged.median_ms, limit / merged.best_ms, single.median_ms, single.median_ms / merged.median_ms,
	       f->exact ? "true" : "false");
	fflush(stdout);
	mem_free(f);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 3;
	compare(9600, 4, seconds);
	compare(9600, 20, seconds);
	compare(115200, 2, seconds);
	compare(115200, 20, seconds);
	return 0;
}
