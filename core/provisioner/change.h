/*
 * One change at a time per thing. A change waits until those before it are on disk, then looks at what is true, hands its
 * writes to the store, and speaks when they are durable; so memory never says more than the disk, and a write that fails leaves
 * nothing to undo. Changes of different things do not wait for each other.
 *
 * A change is the first member of its kind's struct. Loop thread.
 */
#pragma once

#include "core/provisioner/inside.h"

struct change;

struct change_kind {
	/* true: writes were handed to the store, the last with change_save. false: nothing to write, it is over. */
	bool (*run)(struct change *c);
	void (*done)(struct change *c, const struct err *why); /* why NULL: on disk */
	void (*free)(struct change *c);                        /* after it; also of one that never ran */
};

struct change {
	const struct change_kind *kind;
	struct provisioner *p;
	struct registration *thing;
	int64_t at;       /* ms since 1970: when it ran, and what the disk says about it */
	struct list link; /* in thing.changes */
};

bool change_fits(const struct provisioner *p, const struct registration *thing); /* false: too many wait */

/* Takes the change. It may be over, and a registration that was never stored be gone, when this returns. */
void change_add(struct change *take);
void change_save(struct change *c, enum store_write what, const char *const *values);
