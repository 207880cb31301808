/*
 * Durations and sizes: a number and its unit. Called through setting.h; pure, any thread.
 *
 * Five examples of durations, which are tests too: "500ms" "5s" "1.5s" "25h" "7d" are 500, 5 000, 1 500, 90 000 000 and
 * 604 800 000 ms; "5", "5 s", "-1s", "0.1ms" and "1h30m" are refused.
 */
#pragma once

#include "core/conf/scalar.h"

extern const struct scalar_type amount_duration, amount_size;
