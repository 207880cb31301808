#include "bridges/cbor.h"
#include "bridges/payload.h"
#include "bridges/senml.h"
#include "tests/fuzz/fuzz.h"

/* CBOR and SenML: whatever comes out is no larger than what may be looked at, and what is taken for a record has a value. */

static void take_record(const char *json, size_t size, const char *name)
{
	static const int64_t NOW_MS = 1700000000000;
	struct senml_record r = { 0 };
	struct err e;
	if (senml_find(json, size, name, NOW_MS, &r, &e) != 0)
		return;
	must(r.value.size > 0 && r.utc_ms <= NOW_MS && text_utc_fits(r.utc_ms));
	must(!name || text_same(r.name.data, name));
	senml_free(&r);
}

static void take_json(const char *json, size_t size)
{
	struct payload p = payload_of(json, size);
	struct err e;
	if (payload_check_json(&p, &e) < 0)
		return;
	take_record(json, size, NULL);
	take_record(json, size, "urn:dev:1:t");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct text json = { 0 };
	struct err e;
	if (cbor_to_json(bytes, size, &json, &e) == 0)
		take_json(json.data, json.size);
	must(json.size <= LIMIT_PAYLOAD && json.room <= 4 * LIMIT_PAYLOAD);
	text_free(&json);
	take_json((const char *)bytes, size);
	return 0;
}
