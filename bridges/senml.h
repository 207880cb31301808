/*
 * SenML (RFC 8428) in JSON: one record of a pack, resolved against the base fields before it.
 *
 * Labels may be the texts of SenML-JSON ("bn") or the integers of SenML-CBOR as cbor.h says them ("-2").
 *
 *   pack                                                              record            value   time
 *   [{"n": "urn:dev:x", "u": "Cel", "v": 23.10}]                      none              23.10   now
 *   [{"bn": "urn:dev:x:", "bt": 1.3e9}, {"n": "t", "t": -5, "v": 2}]  "urn:dev:x:t"     2       1.3e9 - 5 s
 *   [{"n": "t", "bv": 20, "v": 0.5}]                                  "t"               20.5    now
 *   [{"n": "t", "v": 1}, {"n": "h", "v": 2}]                          none              refused: which one?
 *
 * Of records with the same name the newest counts that is not in the future; a time in the future is taken as now.
 * Records without a value (sums only) say nothing. Pure; any thread.
 */
#pragma once

#include "core/base/err.h"
#include "core/base/text.h"

struct senml_record { /* zero it first; senml_free */
	struct text name, unit;
	struct text value; /* as JSON: the digits of the source, unless a base value was added */
	int64_t utc_ms;
};

/* json: of which a strict parser has said that it is JSON. name: NULL takes the only one. 0; 1: no record of that name
 * has a value; -1: it is no pack, or one that we must not read (section 4.4, 4.5). ret is changed with 0 only. */
int senml_find(const char *json, size_t size, const char *name, int64_t now_ms, struct senml_record *ret,
	       struct err *e);

/* Every record that has a value, in the order of the pack; fn may take what is in r, and ends it with another value than 0:
 * below 0 as a refusal. -1: the pack must not be read, or fn said so. */
int senml_each(const char *json, size_t size, int64_t now_ms, int (*fn)(void *ctx, struct senml_record *r), void *ctx,
	       struct err *e);

void senml_free(struct senml_record *r);
