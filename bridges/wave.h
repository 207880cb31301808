/*
 * A simulated point: its address, and what it shows at a time. Pure; any thread.
 *
 *   { id = "t";    type = "real"; wave = "sine"; mean = 21.5; amplitude = 2; period = "1h"; }
 *   { id = "n";    type = "int";  wave = "counter"; period = "1s"; push = "1s"; }
 *   { id = "lamp"; type = "bool"; wave = "step"; period = "10s"; }
 *   { id = "set";  type = "real"; wave = "held"; mean = 50; access = "rw"; min = 0; max = 100; }
 *   { id = "bad";  type = "int";  wave = "constant"; mean = 7; faults = ( { kind = "garbled"; after = "5s"; } ); }
 *
 * At 2.5 s of a period of 10 s they are mean + amplitude * (constant, held 0; sine 1.000; step -1; ramp -0.500;
 * counter 0), at 32.5 s the counter is 3. A bool is true above zero.
 */
#pragma once

#include "bridges/schedule.h"
#include "core/model/point.h"

struct wave { /* point.address */
	int shape;
	struct decimal mean, amplitude;
	int64_t period_ms;
	int64_t push_ms; /* how often it tells its value unasked; 0: it is polled */
	struct schedule faults;
};

extern const struct setting wave_rows[];

int wave_check(struct point *p, struct err *e);
struct value wave_value(const struct point *p, int64_t at_ms); /* unless somebody has written another */
