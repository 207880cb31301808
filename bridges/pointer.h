/*
 * JSON Pointer (RFC 6901) into a document that a strict parser has already accepted. Pure; any thread.
 *
 * In {"foo": ["bar", 1.50], "a/b": 1, "m~n": 8, "": 0}:
 *   ""        the whole document
 *   "/foo/1"  1.50
 *   "/a~1b"   1
 *   "/m~0n"   8
 *   "/"       0
 */
#pragma once

#include "bridges/literal.h"
#include "core/base/err.h"

int pointer_check(const char *pointer, struct err *e); /* its grammar, for people who write configuration */
bool pointer_find(const char *json, size_t size, const char *pointer, struct literal *ret); /* false: nothing there */
