/*
 * The values in a message that nobody has configured yet: where each stands, of what type a point for it would be, and
 * what it says now. For tools that propose configuration; nothing that runs guesses.
 *
 *   message                                kind    leaves
 *   21.50                                  text    the whole, real
 *   ON                                     text    the whole, bool, on = "ON", off = "OFF"
 *   {"t": 21.5, "b": {"on": true}}         json    "/t" real; "/b/on" bool
 *   {"s": null, "at": "2026-11-26T17:00Z"} json    "/at" time; of what is null, nobody knows what it will be
 *   [{"n": "t", "u": "Cel", "v": 23.1}]    senml   record "t", real, unit °C
 *
 * A number is a real, also without a point: what is 21 now may be 21.5 soon. At most LIMIT_LEAVES are looked for. Pure; any
 * thread.
 */
#pragma once

#include "core/base/err.h"
#include "core/model/point.h"

enum leaves_kind { LEAVES_TEXT, LEAVES_JSON, LEAVES_SENML };

struct leaf { /* texts are owned */
	char *pointer; /* JSON Pointer; NULL: the whole message, or SenML */
	char *record;  /* name in a SenML pack, "" if it has none; NULL: no SenML */
	char *name;    /* the last part of pointer or record, unescaped; NULL: there is none */
	char *unit;    /* of SenML, as people write it; NULL: none */
	char *seen;    /* the value now, cut to a line */
	const char *on, *off; /* the words of a bool; NULL: true and false */
	enum type type;
};

struct leaves { /* zero it first; leaves_free */
	struct leaf *list;
	size_t n;
	bool more; /* there were more than LIMIT_LEAVES, or they stand deeper than anybody nests values */
};

/* -1: it is nothing of that kind, or there is no value in it; ret is empty then. */
int leaves_take(const char *bytes, size_t size, enum leaves_kind kind, struct leaves *ret, struct err *e);
void leaves_free(struct leaves *l);
