/*
 * Records of bytes on disk for a while: they are put behind each other into files of a directory of their own, and what is
 * oldest goes as a whole file. Kind to flash: one write and one sync a record, nothing is written twice. A record counts
 * whole or not at all: the end of a file that a power cut tore is left out.
 *
 * Owned by who opens it; loop thread. The bytes mean nothing here.
 */
#pragma once

#include "core/base/err.h"
#include "core/base/text.h"
#include "core/loop/loop.h"

struct journal;

struct journal_bounds {
	int64_t keep_ms; /* of clocks that nobody can set while it runs, and of the clock of the day over restarts */
	int64_t bytes;
};

/* Makes the directory if it is missing. */
struct journal *journal_open(const char *directory, const struct journal_bounds *bounds, struct loop *loop, struct err *e);

/* Each record, the oldest first; at start only, it blocks. What cannot be read is left out. */
void journal_each(struct journal *j, void (*record)(void *ctx, const char *bytes, size_t size), void *ctx);

/* Takes the bytes, at most LIMIT_JOURNAL_RECORD. done, on the loop thread: on disk, or -1 with the sentence, and then nothing of it is
 * there. One at a time. */
void journal_put(struct journal *j, struct text *take, void (*done)(void *ctx, int status, const struct err *why),
		 void *ctx);

/* From now on in the call, as the loop stands still; waits for the one that is under way and calls its done. */
void journal_hold(struct journal *j);

void journal_close(struct journal *j);        /* NULL is allowed */
void journal_remove(const char *directory);   /* its files and the directory, if they are there */
