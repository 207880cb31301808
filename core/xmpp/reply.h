/*
 * Answers to an iq: exactly one each (RFC 6120, section 8.2.3). What is not ready yet is kept by reply_later and answered from
 * the heap copy. Every function below but reply_later and the two that only write ends the answer; ending it twice dies. When
 * the link is down nothing is written and the answer is ended all the same. An answer above LIMIT_STANZA_OUT goes out as
 * resource-constraint. Loop thread.
 */
#pragma once

#include "core/xmpp/jid.h"
#include "core/xmpp/link.h"

struct answer {
	struct link *link;
	const char *local;    /* our side: localpart, NULL the domain */
	const char *resource; /* our side, as it was addressed; NULL: bare */
	const char *to;       /* the exact from of the request */
	const char *id;
	bool armed;  /* an answer is owed */
	bool kept;   /* moved to the heap by reply_later: the strings are ours */
	bool over;   /* an answer was too large already */
};

struct reply_error { /* rows of reply.c */
	const char *type;
	const char *condition;
};
extern const struct reply_error reply_bad_request, reply_jid_malformed, reply_item_not_found, reply_forbidden, reply_conflict,
	reply_not_allowed, reply_service_unavailable, reply_feature_not_implemented, reply_policy_violation,
	reply_resource_constraint, reply_recipient_unavailable, reply_internal, reply_timeout;

struct answer *reply_later(struct answer *a); /* disarms a; the copy is ended by one of the functions below */

void reply_empty(struct answer *a);        /* <iq type='result'/> */
struct text *reply_begin(struct answer *a); /* <iq type='result' ...>: append the payload, then reply_end. NULL: link is down;
					       the answer is then ended */
void reply_end(struct answer *a);
void reply_refuse(struct answer *a, const struct reply_error *why, const char *text); /* text NULL: none */

/* For errors with a payload before <error> and application elements inside it: begin, payload, middle, elements, end. */
struct text *reply_error_begin(struct answer *a);
void reply_error_middle(struct answer *a, struct text *t, const struct reply_error *why, const char *text);
void reply_error_end(struct answer *a, struct text *t);
void reply_drop(struct answer *a); /* the link went down: nobody waits any more */
