/*
 * One end of an XEP-0114 stream on a blocking socket, for the programs of the benchmark: as component or in place of the
 * server. They are small and know no XML library, so that what is measured is the other side.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct stream {
	int fd;
	char *in; /* what was received and not yet taken, NUL-terminated */
	size_t in_size, in_room;
	char *out; /* what leaves with the next stream_flush */
	size_t out_size, out_room;
};

/* In place of the server: waits at a port of the kernel's choice, says it as "port N" on stdout, shakes hands with anybody. */
void stream_accept(struct stream *s, const char *domain);
void stream_connect(struct stream *s, int port, const char *domain, const char *secret); /* as component */
void stream_add(struct stream *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void stream_add_n(struct stream *s, const char *bytes, size_t size);
void stream_join(struct stream *s, const char *first, ...) __attribute__((sentinel)); /* strings up to NULL; quick */
void stream_flush(struct stream *s);
/* wait_ms negative: for ever. false: nothing came. Ends the program when the stream is over. */
bool stream_receive(struct stream *s, int wait_ms);
void stream_take(struct stream *s, size_t size); /* these bytes of `in` were used */

/* Stanzas as servers and we write them: no '>' inside attributes, no stanza inside itself. */
struct stanza {
	const char *begin, *tag_end, *end; /* tag_end: behind the start tag */
};
bool stream_next(const struct stream *s, size_t *at,
		 struct stanza *ret);                                   /* the next whole stanza of `in` from *at on */
bool stanza_is(const struct stanza *st, const char *begin);             /* "<iq " */
const char *stanza_find(const struct stanza *st, const char *fragment); /* anywhere in it, or NULL */
/* The value of the first such attribute, where " id=" is how it begins; size 0 if there is none. */
const char *stanza_get(const struct stanza *st, const char *name, size_t *ret_size);

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
