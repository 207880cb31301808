/*
 * Who waits for the bus, and what is asked next: writes before polls before what somebody asked for before what has time;
 * but nobody is passed over for ever. Whoever waits for registers that the next question can bring along rides on it, so the
 * same register is not asked for twice.
 *
 * Loop thread. The requests are the core's, hung up by their link; blocks are the queue's until they are taken.
 */
#pragma once

#include "bridges/mbhole.h"
#include "core/bridge/bridge.h"

enum { MBQUEUE_WRITES, MBQUEUE_POLLS, MBQUEUE_ASKED, MBQUEUE_BACKGROUND, MBQUEUE_CLASSES };

struct mbqueue_split { /* a refused block in two halves: were both good, they just cannot be read together */
	struct mbplan_barrier between;
	unsigned ended, good;
};

struct mbqueue_block { /* one question */
	struct list link;
	struct list requests; /* struct request.link; one of them when it writes */
	bool write;
	uint8_t unit;
	int table;
	uint16_t first, count;
	struct mbqueue_split *of; /* NULL: not a half */
};

struct mbqueue {
	struct list waiting[MBQUEUE_CLASSES]; /* struct request.link; WRITES also has readbacks */
	unsigned passed[MBQUEUE_CLASSES];     /* how often others went first while somebody waited */
	struct list halves;                   /* struct mbqueue_block.link: go before the polls */
	struct mbhole holes;
	struct mbplan_wire wire;
	int64_t turnaround_us[256]; /* learned, of each unit; 0: not yet */
};

void mbqueue_begin(struct mbqueue *q);
void mbqueue_end(struct mbqueue *q); /* nobody waits any more */

/* now_ms: the loop's. A read is marked by a driver_data that is not NULL, which the caller sets. */
void mbqueue_add(struct mbqueue *q, struct request *r);
bool mbqueue_next(struct mbqueue *q, int64_t now_ms, struct mbqueue_block *ret); /* false: nobody waits */
struct request *mbqueue_pop(struct mbqueue *q);                                  /* any, NULL if none: at the end */
void mbqueue_take_unit(struct mbqueue *q, uint8_t unit, struct list *to);        /* all that wait for this unit */
bool mbqueue_covers(const struct mbqueue_block *b, const struct request *r);     /* the answer to b has r's value */

/* The device refused a block: true when its halves wait now, and the block is empty; false when there is only one span in
 * it, which is guilty. */
bool mbqueue_refused(struct mbqueue *q, struct mbqueue_block *b, uint8_t exception, int64_t now_ms);
void mbqueue_ended(struct mbqueue *q, struct mbqueue_block *b, bool good, int64_t now_ms); /* once for each block */

/* The exception when it was found guilty and is not to be polled yet; 0: it may be asked. */
uint8_t mbqueue_is_guilty(const struct mbqueue *q, const struct request *r, int64_t now_ms, int64_t *ret_ms);
