#include "core/xmpp/reply.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <string.h>

const struct reply_error reply_bad_request = { "modify", "bad-request" };
const struct reply_error reply_jid_malformed = { "modify", "jid-malformed" };
const struct reply_error reply_item_not_found = { "cancel", "item-not-found" };
const struct reply_error reply_forbidden = { "auth", "forbidden" };
const struct reply_error reply_conflict = { "cancel", "conflict" };
const struct reply_error reply_not_allowed = { "cancel", "not-allowed" };
const struct reply_error reply_service_unavailable = { "cancel", "service-unavailable" };
const struct reply_error reply_feature_not_implemented = { "cancel", "feature-not-implemented" };
const struct reply_error reply_policy_violation = { "wait", "policy-violation" };
const struct reply_error reply_resource_constraint = { "wait", "resource-constraint" };
const struct reply_error reply_recipient_unavailable = { "wait", "recipient-unavailable" };
const struct reply_error reply_internal = { "cancel", "internal-server-error" };
const struct reply_error reply_timeout = { "wait", "remote-server-timeout" };

static const char *keep(char **at, const char *text)
{
	if (!text)
		return NULL;
	size_t size = strlen(text) + 1;
	char *copy = memcpy(*at, text, size);
	*at += size;
	return copy;
}

static size_t size_of(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

struct answer *reply_later(struct answer *a)
{
	must(a->armed && !a->kept);
	size_t size = size_of(a->local) + size_of(a->resource) + size_of(a->to) + size_of(a->id);
	struct answer *kept = mem_new(sizeof(*kept) + size);
	char *at = (char *)(kept + 1);
	*kept = *a;
	kept->local = keep(&at, a->local);
	kept->resource = keep(&at, a->resource);
	kept->to = keep(&at, a->to);
	kept->id = keep(&at, a->id);
	kept->kept = true;
	a->armed = false;
	return kept;
}

static void end(struct answer *a)
{
	must(a->armed);
	a->armed = false;
	if (a->kept)
		mem_free(a);
}

static struct text *begin(struct answer *a, const char *type)
{
	must(a->armed);
	struct text *t = link_begin(a->link, a->local, true);
	if (!t) {
		end(a);
		return NULL;
	}
	const struct writer_address from = { .local = a->local, .domain = a->link->domain, .resource = a->resource };
	writer_stanza(t, "iq", type, &from, a->to, a->id);
	return t;
}

static void finish(struct answer *a)
{
	if (link_end(a->link) || a->over) {
		end(a);
		return;
	}
	a->over = true; /* not even that may fit: then nobody is told */
	reply_refuse(a, &reply_resource_constraint, "The answer is too large.");
}

void reply_empty(struct answer *a)
{
	struct text *t = begin(a, "result");
	if (!t)
		return;
	writer_raw(t, "/>");
	finish(a);
}

struct text *reply_begin(struct answer *a)
{
	struct text *t = begin(a, "result");
	if (t)
		writer_raw(t, ">");
	return t;
}

void reply_end(struct answer *a)
{
	writer_raw(a->link->writing, "</iq>");
	finish(a);
}

void reply_refuse(struct answer *a, const struct reply_error *why, const char *text)
{
	struct text *t = reply_error_begin(a);
	if (!t)
		return;
	reply_error_middle(a, t, why, text);
	reply_error_end(a, t);
}

struct text *reply_error_begin(struct answer *a)
{
	struct text *t = begin(a, "error");
	if (t)
		writer_raw(t, ">");
	return t;
}

void reply_error_middle(struct answer *a, struct text *t, const struct reply_error *why, const char *text)
{
	must(a->armed);
	writer_raw(t, "<error");
	writer_attribute(t, "type", why->type);
	writer_raw(t, "><");
	text_add(t, why->condition);
	writer_raw(t, " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>");
	if (!text)
		return;
	writer_raw(t, "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>");
	writer_text(t, text);
	writer_raw(t, "</text>");
}

void reply_error_end(struct answer *a, struct text *t)
{
	writer_raw(t, "</error></iq>");
	finish(a);
}

void reply_drop(struct answer *a)
{
	end(a);
}
