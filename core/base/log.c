#include "core/base/log.h"

#include "core/base/limits.h"
#include "core/base/mem.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct {
	int priority; /* of syslog, for the journal */
	const char *word;
} levels[] = {
	[LOG_LEVEL_ERROR] = { 3, "error" },
	[LOG_LEVEL_WARN] = { 4, "warn" },
	[LOG_LEVEL_INFO] = { 6, "info" },
	[LOG_LEVEL_DEBUG] = { 7, "debug" },
};

void log_init(struct log *log, enum log_level level, FILE *file)
{
	*log = (struct log){ .level = level, .file = file, .tagged = file && !isatty(fileno(file)) };
}

static int64_t utc_now(void)
{
	struct timespec at;
	clock_gettime(CLOCK_REALTIME, &at);
	return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

static void keep(struct log *log, enum log_level level, const char *line)
{
	if (!log->kept)
		return;
	struct log_line *at = &log->kept[log->n_kept++ % LIMIT_LOG_KEPT];
	mem_free(at->text);
	*at = (struct log_line){ .level = level, .utc_ms = utc_now(), .text = mem_text(line) };
	if (log->on_line)
		log->on_line(log->ctx);
}

static void put(struct log *log, enum log_level level, const char *line)
{
	if (log->tagged)
		fprintf(log->file, "<%d>%s\n", levels[level].priority, line);
	else
		fprintf(log->file, "%-5s %s\n", levels[level].word, line);
	fflush(log->file);
	keep(log, level, line);
}

static void say_left_out(struct log *log)
{
	char line[64];
	if (!log->n_left_out || !log->file)
		return;
	snprintf(line, sizeof(line), "%u lines about what others do were left out", log->n_left_out);
	log->n_left_out = 0;
	put(log, LOG_LEVEL_WARN, line);
}

static void say_repeats(struct log *log)
{
	if (!log->repeats || !log->file)
		return;
	char line[64];
	snprintf(line, sizeof(line), "the last line %u more times", log->repeats);
	log->repeats = 0;
	put(log, LOG_LEVEL_INFO, line);
}

void log_end(struct log *log)
{
	say_repeats(log);
	say_left_out(log);
	for (size_t i = 0; log->kept && i < LIMIT_LOG_KEPT; i++)
		mem_free(log->kept[i].text);
	mem_free(log->kept);
	log->kept = NULL;
}

void log_keep(struct log *log)
{
	if (!log->kept)
		log->kept = mem_array(LIMIT_LOG_KEPT, sizeof(*log->kept));
}

uint64_t log_oldest(const struct log *log)
{
	return log->n_kept > LIMIT_LOG_KEPT ? log->n_kept - LIMIT_LOG_KEPT : 0;
}

const struct log_line *log_kept(const struct log *log, uint64_t number)
{
	bool there = log->kept && number < log->n_kept && number >= log_oldest(log);
	return there ? &log->kept[number % LIMIT_LOG_KEPT] : NULL;
}

const char *log_word(enum log_level level)
{
	return levels[level].word;
}

static void take(struct log *log, enum log_level level, const char *format, va_list args)
{
	if (level > log->level || !log->file)
		return;
	char line[sizeof(log->last)];
	vsnprintf(line, sizeof(line), format, args);
	if (strcmp(line, log->last) == 0) {
		log->repeats++;
		return;
	}
	say_repeats(log);
	memcpy(log->last, line, sizeof(line));
	put(log, level, line);
}

void log_error(struct log *log, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	take(log, LOG_LEVEL_ERROR, format, args);
	va_end(args);
}

void log_warn(struct log *log, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	take(log, LOG_LEVEL_WARN, format, args);
	va_end(args);
}

void log_info(struct log *log, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	take(log, LOG_LEVEL_INFO, format, args);
	va_end(args);
}

void log_debug(struct log *log, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	take(log, LOG_LEVEL_DEBUG, format, args);
	va_end(args);
}

static int64_t seconds_now(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec;
}

void log_outside(struct log *log, enum log_level level, const char *format, ...)
{
	int64_t now = seconds_now();
	va_list args;
	if (level > log->level || !log->file)
		return;
	if (!log->n_outside || now - log->since_s >= 60) {
		say_left_out(log);
		log->n_outside = 0;
		log->since_s = now;
	}
	if (log->n_outside >= LIMIT_LOG_MINUTE) {
		log->n_left_out++;
		return;
	}
	log->n_outside++;
	va_start(args, format);
	take(log, level, format, args);
	va_end(args);
}
