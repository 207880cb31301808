/*
 * Who waits for the outcome of a change: the sender of an iq, or somebody who wrote a line in chat. Either hears of it exactly
 * once. Owns its strings. Loop thread.
 */
#pragma once

#include "core/provisioner/inside.h"

struct asker {
	struct provisioner *p;
	struct answer *answer; /* NULL: chat, or answered */
	char *to;              /* exact from */
	char *bare;
	char *language; /* or NULL */
	bool chat;
};

struct asker asker_take(struct provisioner *p, struct incoming *in); /* an iq's answer is the asker's now */
void asker_refuse(struct asker *a, const struct reply_error *why, const char *text); /* text: a sentence, for both */
void asker_say(struct asker *a, const char *text); /* chat: the text; an iq: an empty result */
void asker_free(struct asker *a);                  /* dies if an iq was not answered */
