#include "core/model/decimal.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

/* Numbers and times as text: what was read and printed again is the same. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *text = (const char *)bytes;
	char room[DECIMAL_ROOM], when[25];
	struct decimal d, again;
	int64_t utc_ms, back_ms;
	if (decimal_parse(text, size, &d) == 0) {
		size_t n = decimal_print(d, room);
		must(n == strlen(room) && n < DECIMAL_ROOM && decimal_parse(room, n, &again) == 0);
		must(decimal_compare(d, again) == 0);
		must(decimal_compare(decimal_subtract(d, d), decimal_of(0)) == 0);
		decimal_round(d, 3);
		decimal_real(d);
	}
	if (text_parse_utc(text, size, &utc_ms) == 0 && text_utc_fits(utc_ms)) {
		text_utc(utc_ms, when);
		must(text_parse_utc(when, strlen(when), &back_ms) == 0 && back_ms == utc_ms);
	}
	return 0;
}
