/*
 * An incoming stanza as a small tree in an arena: built by the transport, read by everybody, freed as a whole.
 *
 * Namespaces are resolved: name is the local name, xmlns the namespace. The stream's own namespace is always ELEMENT_CLIENT,
 * whatever the transport speaks (jabber:component:accept, jabber:client), and so is everything inside a stanza that names no
 * other. An attribute without prefix has xmlns NULL; xml:lang has ELEMENT_XML. A prefix that nobody declared leaves the name
 * as it was written and xmlns "". All texts are UTF-8 (the parser saw to it), NUL-terminated and live as long as the arena.
 * The limits of limits.h were kept while it was built. Loop thread, or one account thread until it is handed over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ELEMENT_XML    "http://www.w3.org/XML/1998/namespace"
#define ELEMENT_CLIENT "jabber:client"

struct attribute {
	const char *name;
	const char *xmlns;
	const char *value;
	struct attribute *next;
};

struct element {
	const char *name;
	const char *xmlns;
	const char *text; /* direct text, all pieces joined; "" if none */
	struct attribute *attributes;
	struct element *first; /* child elements only */
	struct element *next;
	struct element *parent;
};

struct arena;
struct arena *arena_new(void);
void *arena_take(struct arena *a, size_t size);                   /* zeroed; aligned for pointers */
char *arena_text(struct arena *a, const char *bytes, size_t size); /* NUL-terminated copy */
void arena_clear(struct arena *a);                                /* all at once; keeps one block for the next stanza */
void arena_free(struct arena *a);

const char *element_get(const struct element *e, const char *name);                       /* NULL if not there */
const char *element_get_ns(const struct element *e, const char *xmlns, const char *name); /* prefixed attribute */
bool element_is(const struct element *e, const char *name, const char *xmlns); /* xmlns NULL: any */
struct element *element_child(const struct element *e, const char *name, const char *xmlns); /* xmlns NULL: any */
struct element *element_next(const struct element *e, const char *name, const char *xmlns);  /* next sibling that fits */
const char *element_language(const struct element *e); /* xml:lang of it or of what it is in, or NULL */
bool element_true(const struct element *e, const char *name); /* attribute is "true" or "1" */
