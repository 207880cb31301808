/*
 * The XMPP stream of one account: from the login (account_thread.c) over bind (RFC 6120, section 7) to stanzas, with the same
 * parser and limits as component mode; a ping (XEP-0199) when it is silent.
 *
 * account_stream_open gives a stream that ends in exactly one on_end (never inside a call); after it the stream is freed.
 * Loop thread.
 */
#pragma once

#include "core/xmpp/account_thread.h"
#include "core/xmpp/account_trouble.h"
#include "core/xmpp/element.h"

struct account_stream;

struct account_stream_events {
	void (*on_up)(void *ctx);
	void (*on_stanza)(void *ctx, struct element *stanza);
	void (*on_over)(void *ctx, struct element *start); /* too large: its start tag only */
	void (*on_end)(void *ctx, const struct account_trouble *trouble, const struct err *why);
};

struct account_stream *account_stream_open(struct account_thread *thread, struct loop *loop,
					   const struct account_who *who, const char *domain, const char *resource,
					   const struct account_stream_events *events, void *ctx);
void account_stream_write(struct account_stream *s, const char *bytes, size_t size); /* whole stanzas */
size_t account_stream_backlog(const struct account_stream *s);
void account_stream_leave(struct account_stream *s); /* says goodbye; on_end within 2 s */
