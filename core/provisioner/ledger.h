/*
 * The decisions: who is a friend of which thing, who is not, who waits. Found by thing and requestor, and by owner and
 * requestor; ordered by age for retention. Loop thread.
 */
#pragma once

#include "core/provisioner/registry.h"

const char *ledger_word(enum verdict verdict);         /* "pending", "yes", "no"; "" for none */
enum verdict ledger_parse(const char *word);           /* VERDICT_NONE: it is none of them */
enum verdict ledger_verdict(const struct decision *d); /* what counts; NULL gives VERDICT_NONE */

struct decision *ledger_find(const struct registration *thing, const char *requestor);
struct decision *ledger_add(struct registration *thing,
			    const char *requestor); /* the one there is, or a new one with none */
void ledger_set(struct registry *r, struct decision *d, enum verdict verdict, int64_t since);
void ledger_tidy(struct decision *d);                              /* drops it if it says nothing */
void ledger_told(struct decision *d);                              /* the owner knows of it */
void ledger_clear(struct registry *r, struct registration *thing); /* all but the refusals that are on their way */

/* All the thing's decisions, when it gets or loses its owner. */
void ledger_attach(struct registration *thing);
void ledger_detach(struct registration *thing);

struct person *ledger_person(const struct owner *owner, const char *requestor); /* NULL: no decision about him */
