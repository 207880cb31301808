/*
 * The payload of a write from its template: "${value}" becomes the value as JSON, "${raw}" as bare text.
 *
 *   template                  value           payload
 *   ${raw}                    21.50           21.50
 *   {"state": ${value}}       true, on="ON"   {"state": "ON"}
 *   {"state": ${value}}       true            {"state": true}
 *   {"name": ${value}}        say "hi"        {"name": "say \"hi\""}
 *   SET ${raw};               21              SET 21;
 *
 * The on and off words of a bool stand in JSON as they are when they are true, false or a number, else as a text.
 * Pure; any thread.
 */
#pragma once

#include "core/base/err.h"
#include "core/base/text.h"
#include "core/model/point.h"

struct compose_rule {
	const char *template;
	const char *on, *off; /* the words of a bool */
};

/* -1: no placeholder, an unknown one, or a text that could break out of the JSON around it. */
int compose_check(const struct compose_rule *rule, enum type type, struct err *e);

void compose_payload(const struct compose_rule *rule, enum type type, const struct value *raw, struct text *to);

/* Bytes as a JSON string, with its quotes. */
void compose_quoted(const char *bare, size_t size, struct text *to);
