/*
 * Who is on a bus: each unit of a list is asked once for register 0, on a serial line at each speed and parity until somebody
 * answers, and who answers is asked who it is. Only functions that read (3, 17, 43). An answer counts when it is a whole frame
 * of that unit; one that refuses the register is there too.
 *
 * A thread that may block; mbline_stop of the line ends it. The struct is the caller's, zeroed and then filled down to ctx.
 */
#pragma once

#include "bridges/mbtalk.h"

enum { MBSCAN_SETTINGS_MOST = 64, MBSCAN_UNITS = 256, MBSCAN_WHO = 128 };

struct mbscan_setting { /* of a serial line */
	int64_t baud;
	int mode; /* of mbaddress_modes */
};

struct mbscan_found {
	uint8_t unit;
	uint8_t exception;    /* of register 0; 0: it has one */
	char who[MBSCAN_WHO]; /* what it says it is, printable; empty: nothing */
};

struct mbscan {
	struct mbtalk *talk;          /* not yet open */
	struct mbaddress_rtu *serial; /* the options of the talk, or NULL: a connection. Ends as found */
	struct mbscan_setting settings[MBSCAN_SETTINGS_MOST];
	size_t n_settings;
	uint8_t units[MBSCAN_UNITS];
	size_t n_units;
	void (*step)(struct mbscan *s, uint8_t unit); /* before each question */
	void *ctx;

	struct mbscan_found found[MBSCAN_UNITS];
	size_t n_found;
	bool any;           /* a connection behind which every number is answered: found has the first only */
	size_t done, all;   /* questions of the search, for step */
	size_t n_garbled;   /* answers that were none */
	struct err garbled; /* the last of them */
	bool stopped;
};

int mbscan_run(struct mbscan *s,
	       struct err *e); /* -1: the line cannot be opened, or was lost; found has what came before */
