/*
 * Troubles by the clock, for simulated buses and points: which one holds at a time. Pure; any thread.
 *
 * Times count from a beginning that the caller chooses. With { kind = "away"; after = "10s"; lasts = "5s"; every =
 * "1m"; }: at 9 s none, at 10 s away, at 15 s none, at 70 s away again. Without `lasts` for ever, without `every` once.
 */
#pragma once

#include "core/conf/setting.h"

struct schedule_fault {
	int kind; /* enum trouble */
	int64_t after_ms, lasts_ms, every_ms;
};

struct schedule { /* as SETTING_LIST fills it */
	struct schedule_fault *list;
	size_t n;
};

extern const struct setting schedule_rows[]; /* of one fault */

#define SCHEDULE_ROW(at, words)                                                                                        \
	{                                                                                                              \
		"faults", SETTING_LIST, at, .rows = schedule_rows, .size = sizeof(struct schedule_fault),              \
					    .help = words                                                              \
	}

enum trouble schedule_at(const struct schedule *s, int64_t at_ms);
