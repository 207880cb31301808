/*
 * Templates of Home Assistant (Jinja), as far as they only say where in a message a value stands. What calculates, chooses
 * or joins is refused: half understood, it would give wrong values. Pure; any thread.
 *
 *   {{ value_json.a.b }}                    /a/b
 *   {{ value_json['ENERGY'].Power }}        /ENERGY/Power
 *   {{ value_json.list[0] | float | round(1) }}    /list/0, one digit behind the point
 *   {{ value }}                             the whole payload
 *   {{ value_json.power / 10 }}             refused
 *
 * And for what is written:
 *   {"target": {{ value | int }} }          {"target": ${raw} }
 *   {"mode": "{{ value }}"}                 {"mode": ${value}} when it is a text
 */
#pragma once

#include "core/base/err.h"

#include <stdbool.h>

/* ret_path: the caller's, a JSON Pointer or NULL. ret_decimals: of round, or -1. */
int hatemplate_value(const char *template, char **ret_path, int *ret_decimals, struct err *e);

/* ret_payload: the caller's, as compose.h wants it. */
int hatemplate_command(const char *template, bool is_text, char **ret_payload, struct err *e);
