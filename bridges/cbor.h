/*
 * CBOR (RFC 8949) said as JSON, so that all that reads JSON reads it: pointers, texts, digits.
 *
 *   CBOR                         JSON
 *   integer, decimal fraction    its digits: 273.15 from 4([-2, 27315]) is 27315e-2
 *   float of any size            the shortest digits that read back as the same
 *   NaN, infinity, undefined     null
 *   byte string                  text in base64url without padding (RFC 8949 section 6.1)
 *   map                          object; keys are texts, or integers as their digits
 *   tag 0, 1, 55799 and hints    what they hold; any other: {"37": what it holds}, which nobody takes for a value
 *
 * No length in the input reserves memory: the result grows with what was read, and at most to LIMIT_PAYLOAD. The result
 * still has to be judged by a strict reader of JSON: UTF-8 and keys that come twice are its business. Pure; any thread.
 */
#pragma once

#include "core/base/err.h"
#include "core/base/text.h"

/* Adds to `to`, which has a part of it when this fails: cut short, something behind it, too deep, no CBOR. */
int cbor_to_json(const void *bytes, size_t size, struct text *to, struct err *e);
