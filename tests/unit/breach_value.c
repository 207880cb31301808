/* Values that no device and no friend may get us to keep. */
#include "core/base/err.h"
#include "core/base/text.h"
#include "core/model/point.h"

#include <criterion/criterion.h>
#include <string.h>

/* A zone can move a time out of the years that can be written: printing it ended the process. */
Test(breach_value, times_beyond_the_calendar_are_refused)
{
	static const char *const times[] = { "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:60",
					     "0000-01-01T00:00:00+00:01" };
	struct point p = { .type = TYPE_TIME, .access = ACCESS_BOTH, .decimals = -1 };
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct value v;
		struct err why;
		int64_t at = 7;
		cr_expect_lt(text_parse_utc(times[i], strlen(times[i]), &at), 0, "%s", times[i]);
		cr_expect_eq(at, 7);
		cr_expect_lt(point_parse(&p, times[i], strlen(times[i]), &v, &why), 0, "%s", times[i]);
	}
}
