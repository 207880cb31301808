/*
 * Points and samples in the words of XEP-0323 and XEP-0325: nodes, fields with their types and categories. Pure but for the
 * link that is written to.
 */
#pragma once

#include "core/model/pack.h"
#include "core/xmpp/things.h"

/* Every <node nodeId=''/> of the payload is the thing itself (or there is none). */
bool fields_names_node(const struct element *payload, const char *local);
bool fields_names_point(const struct point *p, const char *name);         /* by its label in any language */
struct point *fields_find_point(const struct thing *t, const char *name); /* by id, else by label */

/* A value of the past with its time, open for its categories; then its end. The page goes out in one message. false: the
 * link takes nothing now. */
void fields_begin_past(struct text *page, const struct point *p, const struct pack_sample *s);
void fields_end_past(struct text *page, const struct point *p, const struct pack_sample *s);
bool fields_send_past(struct things *t, const struct thing *thing, const char *to, const char *seqnr,
		      const struct text *page, bool done);

/* The answer to a read: good values in one message, failures after them, done='true' on the last. */
void fields_send(struct things *t, const struct wish *w, const char *to, const char *seqnr);
