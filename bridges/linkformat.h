/*
 * Lists of links as constrained devices write them (RFC 6690, application/link-format): what a device has, link by link.
 *
 *   </t>;rt="temperature-c";if="sensor";obs     target /t, rt "temperature-c", if "sensor", obs ""
 *   </l>;title="Say \"on\", or not";ct="0 50"   title with its quotes and comma, ct 0 and then 50
 *   <a?b;c>;sz=12;title=x , <>                  two links; the target of the second is empty
 *   </a>;title*=UTF-8''K%C3%BCche;title=x       title Küche (RFC 8187)
 *   </a>;rt="x                                  refused: the quote is not closed
 *
 * A link points into the document and owns nothing. Never reads past `size`, whatever the bytes are; no size in the input
 * reserves memory. Pure; any thread.
 */
#pragma once

#include "core/base/err.h"
#include "core/base/text.h"

struct linkformat {
	const char *bytes, *at, *end;
};

struct linkformat_link {
	const char *target; /* the URI reference between < and >, as it is written */
	size_t target_size;
	const char *attributes; /* from the first ';' on */
	size_t attributes_size;
};

struct linkformat linkformat_of(const char *bytes, size_t size);

/* 1: a link; 0: there is no more; -1: this is no list of links, and what stands behind it is not looked at. */
int linkformat_next(struct linkformat *list, struct linkformat_link *ret, struct err *e);

/* Adds the value of an attribute without its quotes to `to`, of the first one if it comes twice; one without a value is
 * "". false: it has none. For what people read, name* goes before name. */
bool linkformat_value(const struct linkformat_link *l, const char *name, struct text *to);
bool linkformat_has(const struct linkformat_link *l, const char *name);

/* Is it one of the words of that attribute (rt, if, rel: words with spaces between)? */
bool linkformat_has_word(const struct linkformat_link *l, const char *name, const char *word);
