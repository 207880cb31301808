/*
 * The one writer of XML: everything that leaves goes through it, so one bad byte of a device can never close the stream.
 *
 * Appends to a struct text (usually the link's buffer). Markup is given as constants, everything else is escaped, and bytes
 * that are not clean UTF-8 or that XML forbids become U+FFFD. Loop thread or one account thread.
 */
#pragma once

#include "core/base/text.h"

/* Constant markup, no checks: writer_raw(t, "<done xmlns='urn:xmpp:iot:sensordata'/>"). The literal only. */
#define writer_raw(t, literal) text_add_n((t), "" literal, sizeof(literal) - 1)

void writer_text(struct text *t, const char *s); /* escaped character data; "" for NULL */
void writer_attribute(struct text *t, const char *name, const char *value); /* " name='escaped'"; nothing for NULL */
void writer_number(struct text *t, long long n);

/* "<iq type='result' from='local@domain/resource' to='...' id='...'": the start tag, left open for more attributes. local NULL:
 * the domain itself; resource NULL: bare. id and type NULL: none. */
struct writer_address {
	const char *local;
	const char *domain;
	const char *resource;
};
void writer_stanza(struct text *t, const char *name, const char *type, const struct writer_address *from, const char *to,
		   const char *id);
