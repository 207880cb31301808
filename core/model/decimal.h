/*
 * A decimal number that keeps the digits of its source: 23.40 is not 23.4, and 2^64-1 fits.
 *
 * value = (negative ? -1 : 1) * digits * 10^exp10. Plain data, no ownership, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct decimal {
	uint64_t digits;
	int16_t exp10;
	bool negative;
};

enum { DECIMAL_ROOM = 48 }; /* bytes that hold any printed decimal and its NUL */

struct decimal decimal_of(int64_t integer);
struct decimal decimal_of_unsigned(uint64_t integer);

/* The shortest digits that read back as the same float or double; false for NaN and infinities. */
bool decimal_of_double(double real, struct decimal *ret);
bool decimal_of_float(float real, struct decimal *ret);

/* JSON's number grammar plus a leading '+': "-12.50e3". More digits than 64 bits hold are rounded. -1: not a number. */
int decimal_parse(const char *text, size_t size, struct decimal *ret);

/* Plain notation, never an exponent below 10^22; returns the length. "-0.05", "23.40", "1200". */
size_t decimal_print(struct decimal d, char ret[DECIMAL_ROOM]);

double decimal_real(struct decimal d);
int decimal_integer(struct decimal d, int64_t *ret); /* -1: has a fraction or does not fit */
int decimal_unsigned(struct decimal d, uint64_t *ret);
int decimal_compare(struct decimal a, struct decimal b); /* <0, 0, >0; exact; 23.40 equals 23.4 */

/* Exact while the result fits in 64 bits of digits, else rounded half away from zero. */
struct decimal decimal_multiply(struct decimal a, struct decimal b);
struct decimal decimal_add(struct decimal a, struct decimal b);
struct decimal decimal_subtract(struct decimal a, struct decimal b);

/* a / b: exact when it ends within 19 digits, else rounded. b must not be zero. */
struct decimal decimal_divide(struct decimal a, struct decimal b);

/* With exactly `places` digits behind the point, rounded half away from zero or filled with zeros. */
struct decimal decimal_round(struct decimal d, int places);
