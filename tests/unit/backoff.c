#include "core/loop/backoff.h"

#include <criterion/criterion.h>

Test(backoff, doubles_up_to_its_most_with_full_jitter)
{
	struct loop *loop = loop_new();
	struct backoff b = { .first_ms = 500, .most_ms = 60000 };
	int64_t ceiling = 500;
	for (int n = 0; n < 200; n++) {
		int64_t ms = backoff_next(&b, loop);
		cr_assert(ms >= 50 && ms <= ceiling, "attempt %d: %ld of %ld", n, (long)ms, (long)ceiling);
		ceiling = ceiling * 2 < 60000 ? ceiling * 2 : 60000;
	}
	int low = 0, high = 0;
	for (int n = 0; n < 1000; n++) {
		int64_t ms = backoff_next(&b, loop);
		low += ms < 15000;
		high += ms > 45000;
	}
	cr_assert(low > 150 && high > 150, "%d low, %d high", low, high);
	backoff_reset(&b);
	cr_assert_leq(backoff_next(&b, loop), 500);
	loop_free(loop);
}
