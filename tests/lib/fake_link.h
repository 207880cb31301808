/*
 * A link without a server, for unit tests of what speaks XMPP: stanzas come in as text and go out as text and tree.
 *
 * What goes out is checked as a server would: each begin/end is exactly one well-formed stanza, from the link's own
 * domain. The test owns it; link_free of what is tested only marks it. link_close is followed by on_closed in a later
 * turn of the loop. Trees live until fake_link_free.
 */
#pragma once

#include "core/xmpp/link.h"

#include <stdbool.h>
#include <stddef.h>

struct fake_link_sent;

struct fake_link {
	struct link link; /* hand &fake->link to what is tested */
	bool up;
	bool congested; /* then notifications are refused, answers are taken */
	bool opened, closed, freed;
	void (*on_begin)(void *ctx); /* called before anything is written, e.g. to die there; NULL: nothing */
	void *on_begin_ctx;
	struct text out;
	struct arena *arena;
	struct fake_link_sent *first, *last; /* sent and not yet taken */
	size_t n_sent;                       /* since the beginning */
	struct timer closing;
};

struct fake_link *fake_link_new(const char *domain, struct loop *loop, struct log *log,
				const struct link_events *events, void *ctx);
void fake_link_free(struct fake_link *f);
void fake_link_up(struct fake_link *f, const char *local); /* local NULL: the component */
void fake_link_down(struct fake_link *f, const char *local);

/* One stanza or several arrive, in ELEMENT_CLIENT unless they say another: that is what transports hand up. */
void fake_link_give(struct fake_link *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The oldest stanza that was sent and not taken yet; NULL: none. ret_text may be NULL. */
struct element *fake_link_take(struct fake_link *f, const char **ret_text);

/* Takes the oldest one whose text contains the fragment, and leaves the others; the text, or NULL. Attributes are
 * written as ours are: name='value'. */
const char *fake_link_find(struct fake_link *f, const char *fragment);
void fake_link_forget(struct fake_link *f); /* takes all */

/* The tree of one stanza given as text; the arena owns it. Dies if it is not well-formed. */
struct element *fake_link_parse(struct arena *arena, const char *xml, size_t size, size_t *ret_n);
