/*
 * One bus, opened for a word of the command line: it asks some of the points and closes again. Nothing of it needs XMPP, a
 * store or the daemon. A bus that is told its values (MQTT) is refused: a second client would disturb the one that runs.
 *
 * The points stay the caller's; they may belong to a configured device or to one that the word made up. Polls do not run
 * unless they are wanted.
 */
#pragma once

#include "core/bridge/bridge.h"
#include "core/cli/cli.h"

struct direct_answer {
	int status;     /* enum request_status */
	bool confirmed; /* write: seen at the device */
	bool answered;  /* write: the device said that it did it */
	struct err why; /* empty when done */
};

/* Reads, or writes when raws are given (moved from), and fills one answer per point. -1: the bus cannot be opened. */
int direct_ask(const struct cli *c, struct bus *bus, struct point **points, size_t n, struct value *raws,
	       struct direct_answer *ret, struct err *e);

/* Polls until SIGINT or SIGTERM; news is called for each value and each change of quality. */
int direct_watch(const struct cli *c, struct bus *bus, struct point **points, size_t n,
		 void (*news)(void *ctx, const struct point *p), void *ctx, struct err *e);
