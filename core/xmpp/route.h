/*
 * From a stanza to the function that takes it: a table of {kind, xmlns, tag, function}. The route arms the answer of every
 * iq get or set: whoever forgets it, the peer gets an error (and a debug build dies, house rule 9).
 * Loop thread.
 */
#pragma once

#include "core/xmpp/link.h"
#include "core/xmpp/reply.h"

enum route_kind { ROUTE_GET, ROUTE_SET, ROUTE_RESULT, ROUTE_ERROR, ROUTE_MESSAGE, ROUTE_PRESENCE };

struct incoming {
	struct link *link;
	struct element *stanza;
	struct element *payload; /* the child that fitted the row, the first one for a row that takes any; NULL if there is none */
	enum route_kind kind;
	const char *type;       /* of a message or presence; "" if none */
	const char *from;       /* as it came, full or bare */
	const char *from_bare;  /* prepared */
	const char *to_local;   /* prepared localpart of our side, NULL: the domain */
	const char *to_resource;
	const char *id; /* NULL if none */
	void *target;   /* what the host looked up for to_local, e.g. a struct thing */
	struct answer answer;
};

struct route {
	enum route_kind kind;
	const char *xmlns; /* NULL: any; a row with neither fits every stanza of its kind, also one without children */
	const char *tag;   /* NULL: any; presence: its type, "" for available */
	void (*take)(void *self, struct incoming *in);
};

/* Fills `in` from a stanza; the strings live as long as the stanza and `room`. -1: no usable from or to, or no kind of stanza
 * that we know; it was dropped or answered with jid-malformed or bad-request. Without `to` the domain is meant; a link of
 * accounts puts its own address there. */
struct incoming_room {
	struct jid from, to;
};
int incoming_read(struct incoming *in, struct incoming_room *room, struct link *link, struct element *stanza);

/* Calls the first row that fits. An iq that fits none is answered service-unavailable (tag unknown in a known namespace:
 * feature-not-implemented; no child at all: bad-request), and so is one that a row neither answered nor kept with reply_later;
 * for that a debug build dies. false if no row fitted. rows end with take NULL. */
bool route_take(const struct route *rows, void *self, struct incoming *in);
