/*
 * A registration as the row of the store, and back. Pure but for the store. Loop thread.
 *
 * The hash of a group's key is stored as "-hash" once the key was used: then it claims nothing more for anybody else.
 * The names are lines "language<TAB>name"; record_names_add sees to it that no name has a tab or a line break.
 */
#pragma once

#include "core/provisioner/change.h"

struct record { /* what is to be true; nothing is owned */
	const char *name;
	const struct names *names;
	const struct fingerprint *key; /* NULL: none */
	const struct group *group;     /* NULL: none */
	bool spent;                    /* the group's key */
	const char *owner;             /* NULL: nobody */
	int64_t since;                 /* ms since 1970 */
};

struct record record_of(const struct registration *thing);  /* as it is now */
void record_save(struct change *c, const struct record *r); /* the last write of the change */

void record_names_add(struct names *names, const char *language,
		      const char *text); /* cut and cleaned; not if blank or there already */
void record_names_parse(struct names *names, const char *lines);

struct record_time { /* ms since 1970 as the store keeps it */
	char text[24];
};
struct record_time record_time_print(int64_t ms);
int64_t record_time_parse(const char *text); /* 0: it is none */
