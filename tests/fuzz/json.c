#include "bridges/leaves.h"
#include "bridges/payload.h"
#include "bridges/pointer.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* A message of MQTT or CoAP: what a point is told has its type and is clean, and what is found to configure can be read. */

static void take(struct payload *p, enum type type, const char *path)
{
	struct point point = { .type = type, .decimals = -1 };
	const struct payload_rule rule = { &point, path, "ON", "OFF" };
	struct value v = { 0 };
	enum trouble why = TROUBLE_NONE;
	struct err e;
	enum payload_result result = payload_take(p, &rule, &v, &why, &e);
	if (result == PAYLOAD_VALUE)
		must(type != TYPE_TEXT || (text_is_clean(v.text, strlen(v.text)) && strlen(v.text) <= LIMIT_TEXT_VALUE));
	value_free(&v);
}

static void take_leaves(struct payload *p, enum leaves_kind kind)
{
	struct leaves found = { 0 };
	struct err e;
	if (leaves_take(p->bytes, p->size, kind, &found, &e) < 0)
		return;
	must(found.n > 0 && found.n <= LIMIT_LEAVES);
	for (size_t i = 0; i < found.n; i++) {
		const struct leaf *l = &found.list[i];
		const struct payload_rule rule = { &(struct point){ .type = l->type }, l->pointer ? l->pointer : "",
						   l->on ? l->on : "true", l->off ? l->off : "false" };
		struct value v = { 0 };
		enum trouble why;
		if (kind == LEAVES_JSON)
			must(payload_take(p, &rule, &v, &why, &e) == PAYLOAD_VALUE);
		value_free(&v);
	}
	leaves_free(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const paths[] = { NULL, "", "/v", "/a/b", "/0", "/a~1b/~0" };
	struct payload p = payload_of(bytes, size);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		for (enum type type = TYPE_BOOL; type <= TYPE_TIME; type++)
			take(&p, type, paths[i]);
	take_leaves(&p, LEAVES_TEXT);
	take_leaves(&p, LEAVES_JSON);
	take_leaves(&p, LEAVES_SENML);
	return 0;
}
