#include "bridges/freshness.h"

#include <criterion/criterion.h>

static const struct {
	uint32_t last, now;
	int64_t after_ms;
	bool newer;
} pairs[] = {
	{ 5, 6, 1000, true },         { 6, 5, 1000, false },    { 5, 5, 1000, false },     { 0xffffff, 0, 1000, true },
	{ 0, 0xffffff, 1000, false }, { 6, 5, 129000, true },   { 6, 5, 128000, false },   { 0, 0x7fffff, 0, true },
	{ 0, 0x800000, 0, false },    { 0x800001, 0, 0, true }, { 0x800000, 0, 0, false }, { 5, 6, 500000, true },
};

Test(freshness, follows_rfc_7641)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct freshness f = { 0 };
		cr_expect(freshness_is_newer(&f, pairs[i].now, 1), "the first one is always new");
		freshness_take(&f, pairs[i].last, 1000000);
		cr_expect_eq(freshness_is_newer(&f, pairs[i].now, 1000000 + pairs[i].after_ms), pairs[i].newer,
			     "%x after %x", pairs[i].now, pairs[i].last);
	}
}
