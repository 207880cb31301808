/*
 * From the bytes of an XML stream to stanzas, as small trees (element.h). The only file that knows expat.
 *
 * Hard limits while it reads (limits.h): a stanza that is too deep, has too many elements or too many bytes is skipped
 * to its end and given to on_over as its start tag only; the stream lives on. What a stranger cannot be made to pay for
 * ends the stream: a document type, an unknown entity, XML that is not well-formed, one token above LIMIT_XML_TOKEN.
 *
 * The trees live during the call of the event. Inside an event nothing of the parser may be called. One thread at a time.
 */
#pragma once

#include "core/base/err.h"
#include "core/xmpp/element.h"

struct parser;

struct parser_events {
	void (*on_header)(void *ctx, const struct element *header); /* <stream:stream ...>; name "stream" */
	void (*on_stanza)(void *ctx, struct element *stanza);
	void (*on_over)(void *ctx, struct element *start); /* no children, no text, only short from, to, id, type */
	void (*on_footer)(void *ctx);                      /* </stream:stream> */
};

struct parser *parser_new(const struct parser_events *events, void *ctx);
int parser_feed(struct parser *p, const char *bytes, size_t size, struct err *e); /* -1: this stream is over */
void parser_reset(struct parser *p); /* for the next stream */
void parser_free(struct parser *p);  /* NULL is allowed */
