/* What the files of this room share. A database is used by one thread at a time: the one that opens, then the worker's. */
#pragma once

#include "core/base/err.h"
#include "core/base/list.h"
#include "core/store/store.h"

#include <sqlite3.h>

enum {
	STORE_VALUES = 8,     /* most values of one write */
	STORE_STATEMENTS = 3, /* most statements of one write */
	STORE_BUSY_MS = 5000, /* how long another process may hold the lock: it only ever does small commits */
};

struct put {
	struct list link;
	enum store_write what;
	void (*done)(void *ctx, int status, const struct err *why);
	void *ctx;
	const char *values[STORE_VALUES]; /* into text */
	char text[];
};

/* What becomes durable together. A put outside of begin and end is a group of its own. */
struct group {
	struct list link;
	struct list puts;
	struct err *why; /* NULL: it is on disk */
};

struct database {
	sqlite3 *sql;
	char *path;
	sqlite3_stmt *writes[STORE_WRITES][STORE_STATEMENTS];
};

/* schema.c: opens the file, or makes it complete with its schema or not at all; brings an old schema up to date. */
int schema_open(const char *directory, sqlite3 **ret, struct err *e);

/* statements.c */
int statements_prepare(struct database *db, struct err *e);
void statements_free(struct database *db);
size_t statements_values(enum store_write what);
int statements_write(struct database *db, const struct put *put, struct err *e);
int statements_read(struct database *db, enum store_read what, void (*row)(void *ctx, const char *const *values),
		    void *ctx, struct err *e);

/* batch.c: all groups in one commit; if that fails one by one, so that only those fail that must. Never fails itself. */
void batch_run(struct database *db, struct list *groups);
