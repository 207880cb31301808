/*
 * What an answer of CoAP says about a point: text, JSON, CBOR or
 * SenML, by the configuration or by the answer's own Content-Format.
 *
 *   format   pointer   Content-Format   body           type   value
 *   auto     none      none             21.50          real   21.50
 *   auto     none      50 (JSON)        "ON"           bool   true, when on = "ON"
 *   auto     "/t"      50 (JSON)        {"t": 21.50}   real   21.50
 *   json     none      none             21.50          real   21.50
 *   auto     "/t"      60 (CBOR)        a1 61 74 15    int    21
 *   auto     none      112 (SenML)      ...            real   that of the record, with its own time
 *   text     none      60 (CBOR)        35             int    refused: -22 is not 5
 *
 * Pure but for what it is told; any thread.
 */
#pragma once

#include "bridges/coapmsg.h"
#include "core/bridge/bridge.h"

/* REQUEST_DONE and a sample, which may be bad; or another status, and why. */
int coapvalue_take(const struct point *p, const struct coapmsg_answer *a, int64_t utc_ms, struct sample *ret,
		   struct err *e);

/* The same, with the trouble in the sample in any case. */
struct sample coapvalue_sample(const struct point *p, const struct coapmsg_answer *a, int64_t utc_ms, struct err *e);

enum trouble coapvalue_trouble(int status);

/* The body of a write, added to `to`; returns its Content-Format. */
int coapvalue_body(const struct point *p, const struct value *raw, struct text *to);
