/*
 * One message of Home Assistant's discovery as jansson read it: keys by their long names, whichever of the two the message
 * has ("state_topic" is also "stat_t"), texts checked and bounded. Borrowed from the document; pure, any thread.
 *
 * A message about a whole device has its components in a group, and what they share beside it: a key is looked for in
 * `own`, then in `shared`.
 */
#pragma once

#include "core/base/err.h"
#include "core/base/text.h"

#include <jansson.h>

struct hajson {
	json_t *own;
	json_t *shared; /* NULL: there is nothing beside it */
};

json_t *hajson_find(struct hajson j, const char *key); /* NULL: not there, or null */

/* Text, number, true or false as text, added to `to`; 0: not there, 1: added, -1: a list, too long, or no clean text. */
int hajson_text(struct hajson j, const char *key, struct text *to, struct err *e);

/* The same for a topic: "~" at its beginning or end is the base topic of the message. -1 also for a wildcard. */
int hajson_topic(struct hajson j, const char *key, struct text *to, struct err *e);

bool hajson_is(struct hajson j, const char *key, const char *word); /* is the text this word */
bool hajson_number(struct hajson j, const char *key, double *ret);  /* a number, also one in quotes */
