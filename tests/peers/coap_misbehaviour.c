#include "tests/peers/coap_server.h"

#define LONG "more than sixteen bytes, and not a number, and more than once sixteen"

const char *coapd_misbehaviour(size_t n, struct coapd_faults *ret)
{
	static const struct {
		const char *word;
		struct coapd_faults faults;
	} table[] = {
		{ "silent", { .silent = true } },
		{ "reset", { .reset = true } },
		{ "garbage", { .garbage = true } },
		{ "wrong-token", { .wrong_token = true } },
		{ "wrong-message-id", { .wrong_mid = true } },
		{ "wrong-token-apart", { .wrong_token = true, .separate_ms = 5 } },
		{ "lossy", { .lose_percent = 50 } },
		{ "doubled", { .duplicate = true } },
		{ "swapped", { .swap = true } },
		{ "slow", { .slow_ms = 20 } },
		{ "separate", { .separate_ms = 20 } },
		{ "too-slow", { .slow_ms = 500 } },
		{ "block", { .block = true } },
		{ "blocks-without-end", { .huge = 1024, .szx = 1 + 6, .block_is_endless = true } },
		{ "blocks-that-skip", { .body = LONG, .szx = 1, .block_skips = true } },
		{ "blocks-of-another-size", { .body = LONG, .szx = 1, .block_is_short = true } },
		{ "blocks-that-vanish", { .body = LONG, .szx = 1, .block_vanishes = true } },
		{ "takes-a-part", { .takes_a_part = true } },
		{ "huge", { .huge = 1500 } },
		{ "huger", { .huge = 60000 } },
		{ "not-found", { .code = 404 } },
		{ "broken", { .code = 500 } },
		{ "no-class", { .code = 300 } },
		{ "empty-success", { .code = 204 } },
		{ "unknown-format", { .format = 1 + 60 } },
		{ "words", { .body = "warm" } },
		{ "half-json", { .body = "{\"v\": 1", .format = 1 + 50 } },
		{ "bad-utf8", { .body = "\xff\xfe\xfd" } },
		{ "deep-json", { .body = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", .format = 1 + 50 } },
		{ "ages-at-once", { .max_age_s = 1 } },
		{ "ages-never", { .max_age_s = 0x7fffffff } },
	};
	if (n >= sizeof(table) / sizeof(table[0]))
		return NULL;
	*ret = table[n].faults;
	return table[n].word;
}
