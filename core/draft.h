/*
 * A new configuration beside the one that runs: read, checked, brought up with what the store keeps of its things, and compared. Blocks:
 * a worker's work. Reads the running configuration, which nobody may change meanwhile; owned by core/reload.c.
 */
#pragma once

#include "core/found.h"
#include "core/plan.h"
#include "core/store/store.h"

struct draft {
	const struct conf *live;
	const struct protocol *const *protocols;
	char *service;       /* of the provisioning, prepared; NULL: none. Freed by draft_free */
	bool whole;          /* the files are read; else only blocks */
	struct found_block *blocks; /* whole: all that is known, else what is fresh; text NULL: it is gone. Freed by draft_free */
	bool *bad;                  /* by block: there is a mistake in it, it changes nothing */
	size_t n_blocks;

	bool refused; /* why has the sentence, fresh.errors may have more of them */
	struct err why;
	struct conf fresh;
	struct plan plan;
};

void draft_make(struct draft *d); /* the members up to n_blocks are set, without bad */
void draft_free(struct draft *d); /* not the struct itself */

/* Blocks of buses that still are there and still tell, into c->house; what no longer is wanted loses its text. `known` as found_build
 * has it. Also at start. */
void draft_build(struct conf *c, const struct house *known, struct found_block *blocks, bool *bad, size_t n,
		 const struct protocol *const *protocols);
