#include "core/model/decimal.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct decimal of(const char *text)
{
	struct decimal d;
	cr_assert_eq(decimal_parse(text, strlen(text), &d), 0, "%s", text);
	return d;
}

static void is(struct decimal d, const char *wanted)
{
	char text[DECIMAL_ROOM];
	cr_expect_eq(decimal_print(d, text), strlen(text));
	cr_expect_str_eq(text, wanted);
}

Test(decimal, keeps_the_digits_of_its_source)
{
	static const char *const same[] = { "0",
					    "23.40",
					    "23.4",
					    "-0.05",
					    "1200",
					    "18446744073709551615",
					    "-9223372036854775808",
					    "0.000",
					    "0.1000000000000000055" };
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		is(of(same[i]), same[i]);
	is(of("+5"), "5");
	is(of("1.5e3"), "1500");
	is(of("-0"), "0");
	is(of("25e-1"), "2.5");
	is(of("1e300"), "1e300");
	is(of("99999999999999999999"), "100000000000000000000");
}

Test(decimal, refuses_what_is_not_a_number)
{
	static const char *const bad[] = { "",   "-",  ".5",  "5.",    "1e",  "1e+", "0x10",
					   "1 ", " 1", "NaN", "1e999", "1,5", "--1", "1.2.3" };
	struct decimal d;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(decimal_parse(bad[i], strlen(bad[i]), &d), -1, "%s", bad[i]);
}

Test(decimal, scales_without_losing_digits)
{
	is(decimal_multiply(decimal_of(235), of("0.1")), "23.5");
	is(decimal_multiply(decimal_of(230), of("0.1")), "23.0");
	is(decimal_add(decimal_multiply(decimal_of(655), of("0.1")), of("-40")), "25.5");
	is(decimal_multiply(of("18446744073709551615"), of("0.001")), "18446744073709551.615");
	is(decimal_multiply(of("9007199254740993"), decimal_of(1)), "9007199254740993");
	is(decimal_subtract(of("0.3"), of("0.1")), "0.2");
	is(decimal_subtract(of("5"), of("5.0")), "0.0");
	is(decimal_add(of("1e60"), of("1")), "10000000000000000000e41");
}

Test(decimal, divides_back_what_it_scaled)
{
	is(decimal_divide(of("75.0"), of("0.1")), "750");
	is(decimal_divide(of("21.55"), of("0.1")), "215.5");
	is(decimal_divide(of("1"), of("3")), "0.3333333333333333333");
	is(decimal_divide(of("-2"), of("3")), "-0.6666666666666666667");
	srand(7);
	for (int i = 0; i < 20000; i++) {
		int64_t raw = (int64_t)((uint64_t)rand() << 31 ^ (uint64_t)rand()) % 10000000000;
		struct decimal scale = { (uint64_t)(rand() % 9999 + 1), (int16_t)(-(rand() % 6)), false };
		int64_t back;
		cr_assert_eq(decimal_integer(decimal_divide(decimal_multiply(decimal_of(raw), scale), scale), &back),
			     0);
		cr_assert_eq(back, raw);
	}
}

Test(decimal, compares_exactly)
{
	cr_expect_eq(decimal_compare(of("23.40"), of("23.4")), 0);
	cr_expect_lt(decimal_compare(of("-1"), of("0")), 0);
	cr_expect_lt(decimal_compare(of("-2"), of("-1")), 0);
	cr_expect_gt(decimal_compare(of("1844674407370955161.5"), of("1844674407370955161.4")), 0);
	cr_expect_lt(decimal_compare(of("1e300"), of("1e301")), 0);
	cr_expect_eq(decimal_compare(of("0"), of("0.000")), 0);
	cr_expect_gt(decimal_compare(of("1000"), of("999.9999999999999999")), 0);
	cr_expect_eq(decimal_compare(of("100e-2"), of("1")), 0);
}

Test(decimal, rounds_half_away_from_zero)
{
	is(decimal_round(of("21.55"), 1), "21.6");
	is(decimal_round(of("-21.55"), 1), "-21.6");
	is(decimal_round(of("21.54"), 1), "21.5");
	is(decimal_round(of("21"), 2), "21.00");
	is(decimal_round(of("0.04"), 1), "0.0");
	is(decimal_round(of("99.96"), 1), "100.0");
}

Test(decimal, gives_whole_numbers_only_when_they_are)
{
	int64_t i;
	uint64_t u;
	cr_expect_eq(decimal_integer(of("21.5"), &i), -1);
	cr_expect_eq(decimal_integer(of("21.0"), &i), 0);
	cr_expect_eq(i, 21);
	cr_expect_eq(decimal_integer(of("-9223372036854775808"), &i), 0);
	cr_expect_eq(i, INT64_MIN);
	cr_expect_eq(decimal_integer(of("9223372036854775808"), &i), -1);
	cr_expect_eq(decimal_unsigned(of("18446744073709551615"), &u), 0);
	cr_expect_eq(u, UINT64_MAX);
	cr_expect_eq(decimal_unsigned(of("-1"), &u), -1);
	cr_expect_eq(decimal_integer(of("1e30"), &i), -1);
}

Test(decimal, shows_floats_with_their_shortest_digits)
{
	struct decimal d;
	cr_assert(decimal_of_float(21.6f, &d));
	is(d, "21.6");
	cr_assert(decimal_of_float(0.1f, &d));
	is(d, "0.1");
	cr_assert(decimal_of_double(0.1 + 0.2, &d));
	is(d, "0.30000000000000004");
	cr_assert(decimal_of_double(-230.5, &d));
	is(d, "-230.5");
	cr_expect_not(decimal_of_double((double)INFINITY, &d));
	cr_expect_not(decimal_of_float(NAN, &d));
	static const double edges[] = { DBL_MAX, DBL_MIN, 5e-324, 1e22, 123456789.125 };
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		cr_assert(decimal_of_double(edges[i], &d));
		cr_expect(decimal_real(d) == edges[i], "%g", edges[i]);
	}
}
