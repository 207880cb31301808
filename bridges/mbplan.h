/*
 * Which registers are asked for together, and what a question costs of the bus's time. A register that nobody wants is
 * read through where that is cheaper than another question: south of a serial line a question costs 13 characters, two
 * silences and the time a device thinks, a register two characters.
 *
 * Pure, any thread; nothing is owned. Times are microseconds. Modbus Application Protocol V1.1b3, sections 6.1-6.4.
 */
#pragma once

#include "bridges/mbaddress.h"

enum { MBPLAN_REGISTERS_MOST = 125, MBPLAN_BITS_MOST = 2000, MBPLAN_TURNAROUND_US = 20000 /* until it is learned */ };

struct mbplan_wire {
	int64_t byte_us, gap_us; /* 0: TCP, where a byte more costs nothing */
	int64_t turnaround_us;   /* from the end of a question to the begin of its answer */
};

struct mbplan_span { /* what one request wants */
	uint8_t unit;
	int table;
	uint16_t first, count;
	uint16_t max_block, max_gap; /* of its device */
	void *who;
};

struct mbplan_block { /* spans[from] .. spans[from + n - 1], all of one unit and table */
	size_t from, n;
	uint16_t first, count;
};

struct mbplan_barrier { /* no block of several spans covers first .. end - 1 */
	uint8_t unit;
	int table;
	uint32_t first, end;
};

struct mbplan_wire mbplan_serial(int64_t baud, int mode); /* of mbaddress_modes; with MBPLAN_TURNAROUND_US */
int64_t mbplan_time(const struct mbplan_wire *w, int table, uint16_t count); /* one question and its answer */
uint16_t mbplan_most(int table);                                             /* that one question may ask for */
uint16_t mbplan_gap(const struct mbplan_wire *w, int table);                 /* the longest worth reading through */

/* What the device says, or what is worth it. turnaround_us: learned, 0 if not yet. */
struct mbplan_span mbplan_span(const struct point *p, const struct mbplan_wire *bus, int64_t turnaround_us, void *who);

/* Sorts the spans; ret has room for n blocks. Returns how many there are. Every span is in one of them, whole. */
size_t mbplan_merge(struct mbplan_span *spans, size_t n, const struct mbplan_barrier *barriers, size_t n_barriers,
		    struct mbplan_block *ret);
void mbplan_sort(struct mbplan_span *spans, size_t n);
