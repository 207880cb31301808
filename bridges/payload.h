/*
 * What a message of the field says about a point: the whole payload, or a value in it found by JSON Pointer (RFC 6901).
 *
 * A payload is looked at for many points and parsed once. jansson says whether the document is JSON at all (strict: no
 * duplicate keys, no bad UTF-8); the digits of a number are then taken from the source itself, so that 23.40 stays
 * 23.40 and no integer passes through a double. Bytes are the caller's and must outlive the payload. Pure; any thread.
 *
 *   payload            path     type   value
 *   21.50              none     real   21.50
 *   {"t": 21.50}       "/t"     real   21.50
 *   {"s": "ON"}        "/s"     bool   true, when on = "ON"
 *   {"t": null}        "/t"     real   bad: the device has no value
 *   {"t": {}}          "/t"     real   bad: not of the configured type
 */
#pragma once

#include "core/base/err.h"
#include "core/base/text.h"
#include "core/model/point.h"

struct payload {
	const char *bytes;
	size_t size;
	int checked;    /* is it JSON? 0: nobody asked yet, 1: yes, -1: no */
	struct err why; /* when it is not */
};

/* How a point reads payloads. */
struct payload_rule {
	const struct point *point; /* its type, and its texts that mean "no value" */
	const char *path;          /* JSON Pointer; NULL: the whole payload is the value */
	const char *on, *off;      /* the words of a bool */
};

enum payload_result {
	PAYLOAD_BAD = -1,    /* ret_why and e say what is wrong, without the value */
	PAYLOAD_VALUE = 0,   /* ret has it */
	PAYLOAD_MISSING = 1, /* well, but it says nothing about this point */
};

struct payload payload_of(const void *bytes, size_t size);
enum payload_result payload_take(struct payload *p, const struct payload_rule *rule, struct value *ret,
				 enum trouble *ret_why, struct err *e);

/* -1: it is not JSON, and why; after 0 literals may be taken from it. */
int payload_check_json(struct payload *p, struct err *e);

/* The bare text at path, for words that are no point's (availability). `to` is added to; false: none. */
bool payload_word(struct payload *p, const char *path, struct text *to);
