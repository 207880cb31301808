/*
 * One read of a resource that nobody has configured: in which format to ask, and what the answer says. Pure; any thread.
 *
 *   ct="0 50"     asks for JSON (50); "112 60" for SenML in CBOR; "41" for whatever comes
 *   2.05, ct 50   {"t": 21.5}      a leaf "/t"
 *   2.05, ct 60   a1 61 74 15      the same, from CBOR
 *   2.05, no ct   21.5             a leaf that is the whole; {"t": 21.5} is JSON
 *   2.05, ct 42   anything         refused: only its maker knows these bytes
 *   4.06, ct 50 asked for          asked once more, for whatever comes
 */
#pragma once

#include "bridges/coapcall.h"
#include "bridges/coapfound.h"
#include "bridges/linkformat.h"

enum { COAPREAD_LINKS = 40 }; /* application/link-format */

enum coapread_result {
	COAPREAD_DONE,  /* leaves are in the resource, or why there are none */
	COAPREAD_AGAIN, /* ask once more with its `accept`, which has changed */
	COAPREAD_LIST,  /* it is a list of links, and that is why there are no leaves */
};

char *coapread_word(const struct linkformat_link *l, const char *name); /* of one line, the caller's; NULL: has none */
void coapread_describe(struct coapfound_resource *r, const struct linkformat_link *l); /* what its link says of it */
enum coapread_result coapread_take(struct coapfound_resource *r, const struct coapcall_answer *a);
