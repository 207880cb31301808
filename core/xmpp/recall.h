/*
 * XEP-0323 historical reads: what was kept of a thing's points, in messages below LIMIT_STANZA_OUT, one a turn, while the
 * friend may read and the link takes more; then what is there now, if that was asked, too. Nothing is held but names: points and
 * things may go meanwhile.
 *
 * Of `historical` and `historicalOther` everything is told, of historicalSecond to historicalYear the last value before each
 * shift of the period (UTC), with the time at which it was measured.
 */
#pragma once

#include "core/xmpp/things.h"

struct recall;

/* What is wanted of the past; periods 0: nothing. -1: from or to is no time. */
struct recall_span {
	unsigned periods;
	int64_t from_ms, to_ms;
};
int recall_parse(const struct element *req, struct recall_span *ret);

/* What a reader wants: what he is told, and then of what is there now. */
struct recall_wish {
	struct recall_span span;
	const char *points; /* ids of the points, each with its NUL, and an empty one behind the last */
	size_t points_size; /* of all of that */
	unsigned kinds;     /* of what is there now; 0: only the past */
	/* The past has been told; kinds is not 0. */
	void (*go_on)(struct things *t, struct thing *thing, const struct recall_wish *w);
	const char *to; /* full JID */
	const char *from_bare;
	const char *seqnr;
};

bool recall_begin(struct things *t, struct thing *thing, const struct recall_wish *w); /* copies; false: too many */
void recall_cancel(struct things *t, const char *local, const char *to, const char *seqnr);
void recall_drop_all(struct things *t); /* nobody hears the answers any more */
