/*
 * One log line for each change of state, and not for a device that changes its mind all the time. Zero it to begin.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct note {
	int state; /* of whoever asks; 0: well */
	unsigned lines;
	int64_t since_ms; /* of the first of these lines */
};

/* True: the state is a new one and a line is due, which ends in *ret_more ("" or that there will be silence). */
bool note_change(struct note *n, int state, int64_t now_ms, const char **ret_more);
