/*
 * Jabber addresses (RFC 7622, prepared as servers do with nodeprep and nameprep). Pure.
 *
 * Four examples, which are tests too:
 *   "Anna@B.example/phone" -> local "anna", domain "b.example", resource "phone"
 *   "b.example"            -> no local, no resource
 *   "b.example/x@y"        -> domain "b.example", resource "x@y"
 *   "@b.example"           -> refused; "a@b@c" refused; "a b@c" refused
 */
#pragma once

#include "core/base/limits.h"

#include <stdbool.h>
#include <stddef.h>

enum { JID_BARE_ROOM = 2 * LIMIT_JID_PART + 2 }; /* any prepared bare JID and its NUL */

struct jid {
	const char *local; /* NULL if none */
	const char *domain;
	const char *resource; /* NULL if none */
	char bare[JID_BARE_ROOM]; /* "local@domain", prepared */
	char room[LIMIT_JID + 3];
};

int jid_parse(struct jid *ret, const char *text); /* -1: not a JID */

/* The prepared bare form of any JID; -1: not a JID. The fast path of every stanza: plain lower-case ASCII is only copied. */
int jid_bare(const char *text, char ret[JID_BARE_ROOM]);
bool jid_same_bare(const char *a, const char *b); /* both may be full; false if one is not a JID */
const char *jid_resource(const char *text); /* behind the first '/', or NULL */
/* For comparing names people type: NFKC, folded, trimmed, inner blanks as one. -1: too long or not UTF-8. */
int jid_fold_name(const char *text, char *ret, size_t room);
