/* What bridge.c, ask.c and poll.c share. Not for drivers and not for the floors above. */
#pragma once

#include "core/bridge/bridge.h"

enum stage {
	STAGE_DRIVER,   /* the driver has it: its bridge_done will come */
	STAGE_READBACK, /* written; the driver reads it back */
	STAGE_STATE,    /* written; the core waits for the bus to tell the new state */
};

/* poll.c: reads what is due, all points of one interval together. */
void poll_begin(struct bridge *b); /* after up: listens where the driver can, polls the rest */
void poll_end(struct bridge *b);   /* after down or at stop; what is in flight ends by itself */
void poll_free(struct bridge *b);

/* ask.c */
void ask_end_all(struct bridge *b, int status);  /* what the driver has forgotten */
void ask_saw(struct bridge *b, struct point *p); /* a good sample came: writes that wait for it */
