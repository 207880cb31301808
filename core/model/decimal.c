#include "core/model/decimal.h"

#include "core/base/err.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide; /* digits of two decimals at once; the one typedef of the house */

enum { MOST_EXPONENT = 400, MOST_PRINTED = 22, LEAST_PRINTED = -30 };

static struct decimal shrink(wide digits, int exp10, bool negative)
{
	while (digits > UINT64_MAX) {
		/* exact zeros go silently; a lost digit is rounded half away from zero by the last step only */
		wide rest = digits % 10;
		digits = digits / 10 + (digits / 10 <= UINT64_MAX && rest >= 5);
		exp10++;
	}
	return (struct decimal){ (uint64_t)digits, (int16_t)exp10, negative && digits > 0 };
}

struct decimal decimal_of(int64_t integer)
{
	uint64_t digits = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
	return (struct decimal){ digits, 0, integer < 0 };
}

struct decimal decimal_of_unsigned(uint64_t integer)
{
	return (struct decimal){ integer, 0, false };
}

bool decimal_of_double(double real, struct decimal *ret)
{
	if (!isfinite(real))
		return false;
	char text[40];
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, real);
		if (strtod(text, NULL) == real) /* exactly what is asked: does it read back? */
			break;
	}
	return decimal_parse(text, strlen(text), ret) == 0;
}

bool decimal_of_float(float real, struct decimal *ret)
{
	if (!isfinite(real))
		return false;
	char text[40];
	for (int digits = 6; digits <= 9; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, (double)real);
		if (strtof(text, NULL) == real)
			break;
	}
	return decimal_parse(text, strlen(text), ret) == 0;
}

struct digits_reader {
	uint64_t digits;
	int exp10;
	bool rounded; /* no more digits fit; what follows only moves the exponent */
	int n;
};

static void read_digit(struct digits_reader *r, int digit, bool fraction)
{
	r->n++;
	if (!r->rounded && r->digits <= (UINT64_MAX - (uint64_t)digit) / 10) {
		r->digits = r->digits * 10 + (uint64_t)digit;
		r->exp10 -= fraction;
		return;
	}
	if (!r->rounded && digit >= 5 && r->digits < UINT64_MAX)
		r->digits++;
	r->rounded = true;
	r->exp10 += !fraction;
}

static const char *read_digits(struct digits_reader *r, const char *at, const char *end, bool fraction)
{
	while (at < end && *at >= '0' && *at <= '9')
		read_digit(r, *at++ - '0', fraction);
	return at;
}

/* at stands behind the 'e'; -1: no exponent there or beyond all sense */
static int read_exponent(const char *at, const char *end, int *ret)
{
	bool negative = at < end && *at == '-';
	if (at < end && (*at == '-' || *at == '+'))
		at++;
	if (at == end)
		return -1;
	int exponent = 0;
	for (; at < end; at++) {
		if (*at < '0' || *at > '9')
			return -1;
		exponent = exponent * 10 + (*at - '0');
		if (exponent > MOST_EXPONENT)
			return -1;
	}
	*ret = negative ? -exponent : exponent;
	return 0;
}

int decimal_parse(const char *text, size_t size, struct decimal *ret)
{
	const char *at = text, *end = text + size;
	bool negative = at < end && *at == '-';
	if (at < end && (*at == '-' || *at == '+'))
		at++;
	struct digits_reader r = { 0 };
	at = read_digits(&r, at, end, false);
	if (r.n == 0)
		return -1;
	if (at < end && *at == '.') {
		int before = r.n;
		at = read_digits(&r, at + 1, end, true);
		if (r.n == before)
			return -1;
	}
	int exponent = 0;
	if (at < end && (*at == 'e' || *at == 'E') && read_exponent(at + 1, end, &exponent) < 0)
		return -1;
	if (at < end && *at != 'e' && *at != 'E')
		return -1;
	int exp10 = r.exp10 + exponent;
	if (exp10 > MOST_EXPONENT || exp10 < -MOST_EXPONENT)
		return -1;
	*ret = (struct decimal){ r.digits, (int16_t)exp10, negative && r.digits > 0 };
	return 0;
}

static size_t digits_of(uint64_t digits, char ret[21])
{
	char reversed[20];
	size_t n = 0;
	do {
		reversed[n++] = (char)('0' + digits % 10);
		digits /= 10;
	} while (digits);
	for (size_t i = 0; i < n; i++)
		ret[i] = reversed[n - 1 - i];
	ret[n] = '\0';
	return n;
}

static size_t print_whole(char *at, const char *digits, size_t n, size_t zeros)
{
	memcpy(at, digits, n);
	memset(at + n, '0', zeros);
	return n + zeros;
}

static size_t print_fraction(char *at, const char *digits, size_t n, size_t places)
{
	char *begin = at;
	if (n > places) {
		memcpy(at, digits, n - places);
		at += n - places;
		digits += n - places;
		n = places;
	} else {
		*at++ = '0';
	}
	*at++ = '.';
	memset(at, '0', places - n);
	at += places - n;
	memcpy(at, digits, n);
	return (size_t)(at + n - begin);
}

size_t decimal_print(struct decimal d, char ret[DECIMAL_ROOM])
{
	char digits[21];
	size_t n = digits_of(d.digits, digits), used = 0;
	if (d.negative)
		ret[used++] = '-';
	if (d.exp10 >= 0 && (d.digits == 0 || n + (size_t)d.exp10 <= MOST_PRINTED))
		used += print_whole(ret + used, digits, n, d.digits ? (size_t)d.exp10 : 0);
	else if (d.exp10 < 0 && d.exp10 >= LEAST_PRINTED)
		used += print_fraction(ret + used, digits, n, (size_t)-d.exp10);
	else
		used += (size_t)snprintf(ret + used, DECIMAL_ROOM - used, "%se%d", digits, d.exp10);
	ret[used] = '\0';
	return used;
}

double decimal_real(struct decimal d)
{
	char text[DECIMAL_ROOM];
	decimal_print(d, text);
	return strtod(text, NULL);
}

/* Without fraction and with exponent 0, if that can be said in 64 bits. */
static int whole(struct decimal d, uint64_t *ret)
{
	for (; d.exp10 < 0 && d.digits; d.exp10++) {
		if (d.digits % 10)
			return -1;
		d.digits /= 10;
	}
	for (; d.exp10 > 0 && d.digits; d.exp10--) {
		if (d.digits > UINT64_MAX / 10)
			return -1;
		d.digits *= 10;
	}
	*ret = d.digits;
	return 0;
}

int decimal_integer(struct decimal d, int64_t *ret)
{
	uint64_t digits;
	if (whole(d, &digits) < 0 || digits > (uint64_t)INT64_MAX + d.negative)
		return -1;
	*ret = d.negative ? (int64_t)(0 - digits) : (int64_t)digits;
	return 0;
}

int decimal_unsigned(struct decimal d, uint64_t *ret)
{
	if (d.negative)
		return -1;
	return whole(d, ret);
}

struct decimal decimal_multiply(struct decimal a, struct decimal b)
{
	return shrink((wide)a.digits * b.digits, a.exp10 + b.exp10, a.negative != b.negative);
}

/* digits scaled up as far as the room goes, so that two decimals get the same exponent */
static wide lift(uint64_t digits, int *exp10, int to)
{
	wide w = digits;
	while (*exp10 > to && w < (wide)UINT64_MAX * 100000000000000000u) {
		w *= 10;
		(*exp10)--;
	}
	return w;
}

static wide lower(uint64_t digits, int *exp10, int to)
{
	wide w = digits;
	for (; *exp10 < to; (*exp10)++)
		w = w / 10 + (*exp10 + 1 == to && w % 10 >= 5);
	return w;
}

struct decimal decimal_add(struct decimal a, struct decimal b)
{
	if (a.digits == 0 && a.exp10 > b.exp10)
		return b;
	if (b.digits == 0 && b.exp10 > a.exp10)
		return a;
	if (a.exp10 < b.exp10) {
		struct decimal swap = a;
		a = b;
		b = swap;
	}
	int exp_a = a.exp10, exp_b = b.exp10;
	wide wa = lift(a.digits, &exp_a, exp_b);
	wide wb = lower(b.digits, &exp_b, exp_a);
	if (a.negative == b.negative)
		return shrink(wa + wb, exp_a, a.negative);
	return wa >= wb ? shrink(wa - wb, exp_a, a.negative) : shrink(wb - wa, exp_a, b.negative);
}

struct decimal decimal_subtract(struct decimal a, struct decimal b)
{
	b.negative = !b.negative;
	return decimal_add(a, b);
}

struct decimal decimal_divide(struct decimal a, struct decimal b)
{
	must(b.digits);
	int exp10 = a.exp10 - b.exp10;
	wide above = a.digits;
	while (above <= (wide)UINT64_MAX * 1000000000000000000u && exp10 > a.exp10 - b.exp10 - 19) {
		above *= 10;
		exp10--;
	}
	wide digits = above / b.digits + (above % b.digits >= b.digits - b.digits / 2);
	while (exp10 < 0 && digits && digits % 10 == 0) {
		digits /= 10;
		exp10++;
	}
	return shrink(digits, exp10, a.negative != b.negative);
}

/* Position of the first digit: 23.4 -> 2, 0.05 -> -1. */
static int magnitude(struct decimal d)
{
	char digits[21];
	return (int)digits_of(d.digits, digits) + d.exp10;
}

static int compare_size(struct decimal a, struct decimal b)
{
	if (a.digits == 0 || b.digits == 0)
		return (a.digits > 0) - (b.digits > 0);
	int ma = magnitude(a), mb = magnitude(b);
	if (ma != mb)
		return ma < mb ? -1 : 1;
	int exp_a = a.exp10, exp_b = b.exp10;
	wide wa = lift(a.digits, &exp_a, exp_b), wb = lift(b.digits, &exp_b, a.exp10);
	return (wa > wb) - (wa < wb);
}

int decimal_compare(struct decimal a, struct decimal b)
{
	bool minus_a = a.negative && a.digits, minus_b = b.negative && b.digits;
	if (minus_a != minus_b)
		return minus_a ? -1 : 1;
	return minus_a ? -compare_size(a, b) : compare_size(a, b);
}

struct decimal decimal_round(struct decimal d, int places)
{
	bool up = false;
	while (d.exp10 < -places) {
		up = d.digits % 10 >= 5;
		d.digits /= 10;
		d.exp10++;
	}
	d.digits += up;
	while (d.exp10 > -places && d.digits <= UINT64_MAX / 10) {
		d.digits *= 10;
		d.exp10--;
	}
	d.negative = d.negative && d.digits > 0;
	return d;
}
