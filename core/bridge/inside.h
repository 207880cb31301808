/* What bridge.c, ask.c and poll.c share. Not for drivers and not for the floors above. */
#pragma once

#include "core/bridge/bridge.h"

enum stage {
	STAGE_DRIVER,   /* the driver has it: its bridge_done will come */
	STAGE_READBACK, /* written; the driver reads it back */
	STAGE_STATE,    /* written; the core waits for the bus to tell the new state */
	STAGE_HELD,     /* the driver has not got it yet: the bus is away, or renew.c is at work */
};

/* poll.c: reads what is due, all points of one interval together. */
void poll_begin(struct bridge *b); /* after up: listens where the driver can, polls the rest */
void poll_end(struct bridge *b);   /* after down or at stop; what is in flight ends by itself */
void poll_change(struct bridge *b); /* b->points has changed: the rounds of those who stay go on */
void poll_free(struct bridge *b);
bool poll_listens(struct bridge *b, struct point *p); /* asks the driver */

/* bridge.c */
struct point **bridge_points(const struct house *house, const struct bus *bus, size_t *ret_n);
void bridge_open(struct bridge *b);
void bridge_close(struct bridge *b); /* the driver; what it has not ended is ended */

/* renew.c */
void renew_ended(struct bridge *b);   /* a request has ended */
bool renew_closed(struct bridge *b);  /* the driver has closed; true: nobody else need know */
void renew_release(struct bridge *b); /* up or away again: what was held goes its way */
bool renew_abandon(struct bridge *b); /* bridge_stop; true: it is closing already */

/* ask.c */
void ask_end_all(struct bridge *b, int status);  /* what the driver has forgotten */
void ask_drop_leaving(struct bridge *b);         /* of what is held */
void ask_saw(struct bridge *b, struct point *p); /* a good sample came: writes that wait for it */

/* count.c: what is counted of a bus, and how busy it is. */
void count_begin(struct bridge *b);                               /* before the first request of several */
void count_end(struct bridge *b, const struct request *r, int status); /* after n_waiting has become less */
