/*
 * The stanzas the service sends of its own accord. Each function is one message or presence; false: the link is down, or it
 * is congested and the notice was not urgent - then whoever sent it tries again when the link is up (attend.c). Loop thread.
 */
#pragma once

#include "core/provisioner/inside.h"

bool notice_presence(struct provisioner *p, const char *to, const char *type, bool urgent); /* type NULL: available */
bool notice_owner(struct provisioner *p, const struct registration *thing, bool urgent);
bool notice_disowned(struct provisioner *p, const struct registration *thing, bool urgent);
/* siot's nudge, with words for people in it; thing NULL: it is about several. */
bool notice_pending(struct provisioner *p, const char *to, const char *thing, const char *words);
bool notice_chat(struct provisioner *p, const char *to, const char *text);

/* Friendship states, in as many messages as they need. Zero all but the first three; end it also when an add was false. */
struct notice_states {
	struct provisioner *p;
	const struct registration *thing;
	bool urgent;
	struct text *open;
	size_t from; /* where the open stanza begins */
};
bool notice_states_add(struct notice_states *s, const char *requestor, bool friend);
void notice_states_end(struct notice_states *s);

/* "Cellar temperature" (meter.temp@things.example) */
void notice_label(struct text *t, const struct registration *thing, const char *language);
