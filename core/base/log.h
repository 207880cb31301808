/*
 * Log lines on stderr, in the form the journal reads ("<4>" priorities when stderr is not a terminal).
 *
 * error: someone must act · warn: we go on without · info: state changed · debug. Subject first:
 * "bus 'plc': away: connection refused; again in 8 s". Strangers' text goes through text_quote. Secrets never, values
 * only at debug. A line equal to the one before it is counted instead of written; the count is written before the next
 * different line. The struct is owned by main; loop thread only (workers hand their trouble back in an err).
 *
 * After log_keep the last LIMIT_LOG_KEPT lines also stay in memory, numbered from 0, for people who ask the running program.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_line {
	enum log_level level;
	int64_t utc_ms;
	char *text;
};

struct log {
	enum log_level level;
	FILE *file; /* NULL: nothing is written, for tests */
	int tagged; /* write "<N>" priorities */
	unsigned repeats;
	char last[512];
	int64_t since_s; /* of the first of n_outside, which are those of a minute */
	unsigned n_outside, n_left_out;
	struct log_line *kept;      /* a ring; NULL: nothing is kept */
	uint64_t n_kept;            /* lines so far: the number of the next one */
	void (*on_line)(void *ctx); /* after each line; may be NULL; must not log */
	void *ctx;
};

void log_init(struct log *log, enum log_level level, FILE *file);
void log_end(struct log *log); /* writes the counts that are still open, and forgets what was kept */
void log_keep(struct log *log);
const struct log_line *log_kept(const struct log *log, uint64_t number); /* NULL: not any more, or not yet */
uint64_t log_oldest(const struct log *log);                              /* number of the oldest that is kept */
const char *log_word(enum log_level level);                              /* "error", ... */

void log_error(struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warn(struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_info(struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_debug(struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What people outside can cause as often as they like: so many lines a minute, the others are only counted. */
void log_outside(struct log *log, enum log_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));
