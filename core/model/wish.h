/*
 * A wish from the north: somebody wants to read or write points of a thing. The edge that took it (sensor.c, control.c)
 * fills it; core/request.c carries it through gate, point and bridge; exactly one call of `answer` ends it.
 *
 * Owned by the edge, which frees it in `answer`. Loop thread. Times are monotonic ms.
 */
#pragma once

#include "core/base/list.h"
#include "core/model/value.h"

struct thing;
struct point;

enum wish_status {
	WISH_DONE,        /* read: samples are in; write: accepted by the bus, not seen */
	WISH_ANSWERED,    /* write: the device said that it did it */
	WISH_CONFIRMED,   /* write: the device was seen to hold the value */
	WISH_FORBIDDEN,   /* the gate said no */
	WISH_BAD,         /* the value is not acceptable; text says why, part says where */
	WISH_NOT_FOUND,   /* no such point, or not readable, or not writable */
	WISH_BUSY,        /* too many at once, or written too shortly ago */
	WISH_UNREACHABLE, /* bus or device away, or it did not answer in time */
	WISH_FAILED,      /* the device refused, or what was read back is something else */
	WISH_CANCELLED,
	WISH_STATUSES
};

struct wish_part {
	struct point *point;
	struct value value;   /* write: the shown value that is wanted */
	struct sample sample; /* read: the answer; owned by the wish */
	enum wish_status status;
};

struct wish_counts { /* how wishes have ended since the start */
	uint64_t reads[WISH_STATUSES], writes[WISH_STATUSES];
};

struct wish {
	struct list link; /* core/request.c's */
	struct thing *thing;
	const char *from; /* bare JID of the requestor, normalised */
	bool write;
	struct wish_part *parts;
	size_t n_parts;
	int64_t deadline_ms;
	void (*answer)(struct wish *w, enum wish_status status, const char *text); /* once */
	void *ctx;

	size_t open;   /* core/request.c's: parts not yet ended */
	void *carrier; /* core/request.c's */
};

bool wish_is_good(enum wish_status status); /* done, answered or confirmed */
/* How far a good write got: "accepted", "answered", "confirmed". */
const char *wish_outcome(enum wish_status status);
