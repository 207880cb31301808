/*
 * A changed configuration into the running house: the files after SIGHUP or `jidgate reload`, and the devices that buses tell of. Read
 * and compared on a thread of its own, then applied device by device while only the buses that it touches hold still. What is wrong
 * in it leaves what runs as it is. One at a time; what comes meanwhile waits.
 *
 * Owned by gateway.c; loop thread.
 */
#pragma once

#include "core/apply.h"
#include "core/buses.h"
#include "core/draft.h"
#include "core/loop/worker.h"

struct reload {
	struct conf *conf;
	const struct protocol *const *protocols;
	struct loop *loop;
	struct log *log;
	struct gate *gate;
	struct things *things;
	struct buses *buses;
	void (*on_change)(void *ctx); /* there are other points and things in the house; the buses do not know it yet */
	void (*on_state)(void *ctx, bool busy); /* files are read, until they are applied or refused */
	void *ctx;

	struct found found;
	struct worker *worker;
	struct work *work;    /* what is being done */
	struct timer gather;  /* devices that buses tell of come in floods */
	struct timer portion; /* the next one of a large change */
	struct list waiters;  /* struct waiter */
	bool wanted;          /* the files are to be read, once more */
	bool stopping;
};

/* At start, before all else: what buses told of in earlier days (found is loaded) comes into conf's house. protocols is set. */
void reload_found_before(struct reload *r, struct conf *conf, struct log *log);
void reload_begin(struct reload *r); /* the members up to ctx are set; buses were told of in the files and before (found) */
/* Reads the files. done, once (NULL: nobody wants to know): status 0: applied, in part perhaps; -1: nothing has changed. report: lines,
 * as in the log, each with its end. */
void reload_ask(struct reload *r, void (*done)(void *ctx, int status, const char *report), void *ctx);
void reload_found(struct reload *r, const char *bus, const char *key, const char *block); /* bridge_found */
void reload_stop(struct reload *r); /* before the buses stop: what has begun is done, nothing new begins */
void reload_end(struct reload *r); /* also when it never began */
