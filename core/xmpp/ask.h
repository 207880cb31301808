/*
 * Our own iqs and their answers: by id and by who answers. Exactly one call of fn for each, also when nobody answers in
 * time or the link goes down (then stanza is NULL). Loop thread.
 */
#pragma once

#include "core/base/map.h"
#include "core/xmpp/link.h"
#include "core/xmpp/route.h"

struct asks {
	struct loop *loop;
	struct link *link;
	struct map waiting; /* id -> struct ask */
	uint64_t n;         /* made so far; part of the id */
	uint32_t salt;      /* of this process, so that ids of the one before are not ours */
};

/* stanza: the iq of type result or error, NULL: no answer. */
typedef void ask_fn(void *ctx, const struct element *stanza);

/* Appends the start of <iq type='type' from to id> to the link; the caller adds the payload and calls ask_end. NULL: the link
 * is down; fn will not be called. */
struct text *ask_begin(struct asks *asks, const struct writer_address *from, const char *to, const char *type,
		       const char *language, ask_fn *fn, void *ctx);
void ask_end(struct asks *asks);
bool ask_take(struct asks *asks, const struct incoming *in); /* result or error: was it one of ours? */
void ask_drop_of(struct asks *asks, const char *local);      /* one account is down */
void ask_drop_all(struct asks *asks);                        /* the link is down */
