#include "core/base/text.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void text_reserve(struct text *t, size_t more)
{
	size_t need = t->size + more + 1;
	if (need <= t->room)
		return;
	size_t room = t->room ? t->room : 64;
	while (room < need)
		room *= 2;
	t->data = mem_resize(t->data, room);
	t->room = room;
}

void text_add(struct text *t, const char *s)
{
	text_add_n(t, s, strlen(s));
}

void text_addf(struct text *t, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	must(n >= 0);
	text_reserve(t, (size_t)n);
	vsnprintf(t->data + t->size, (size_t)n + 1, format, again);
	t->size += (size_t)n;
	va_end(again);
	va_end(args);
}

void text_clear(struct text *t)
{
	t->size = 0;
	if (t->data)
		t->data[0] = '\0';
}

void text_free(struct text *t)
{
	mem_free(t->data);
	*t = (struct text){ 0 };
}

bool text_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool text_same_word(const char *a, const char *b)
{
	return a && b ? strcasecmp(a, b) == 0 : a == b;
}

bool text_begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static size_t sequence_length(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xC2 && lead <= 0xDF)
		return 2;
	if (lead >= 0xE0 && lead <= 0xEF)
		return 3;
	if (lead >= 0xF0 && lead <= 0xF4)
		return 4;
	return 0;
}

/* The second byte carries the rules against overlong forms, surrogates and values above U+10FFFF. */
static bool second_byte_fits(unsigned char lead, unsigned char second)
{
	unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
	unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
	return second >= low && second <= high;
}

size_t text_char(const char *at, const char *end)
{
	if (at >= end)
		return 0;
	const unsigned char *u = (const unsigned char *)at;
	size_t n = sequence_length(u[0]);
	if (n == 0 || (size_t)(end - at) < n)
		return 0;
	if (n > 1 && !second_byte_fits(u[0], u[1]))
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((u[i] & 0xC0) != 0x80)
			return 0;
	return n;
}

static bool xml_forbids(const char *at, size_t n)
{
	const unsigned char *u = (const unsigned char *)at;
	if (n == 1)
		return (u[0] < 0x20 && u[0] != '\t' && u[0] != '\n' && u[0] != '\r') || u[0] == 0x7F;
	return n == 3 && u[0] == 0xEF && u[1] == 0xBF && u[2] >= 0xBE;
}

bool text_is_clean(const char *bytes, size_t size)
{
	const char *end = bytes + size;
	for (const char *at = bytes; at < end;) {
		size_t n = text_char(at, end);
		if (n == 0 || xml_forbids(at, n))
			return false;
		at += n;
	}
	return true;
}

/* What a terminal may take for an order: also U+0080 to U+009F. */
static bool is_control(const char *at, size_t n)
{
	const unsigned char *u = (const unsigned char *)at;
	return n == 1 ? u[0] < 0x20 : n == 2 && u[0] == 0xC2 && u[1] < 0xA0;
}

const char *text_quote(char *ret, size_t room, const char *bytes, size_t size)
{
	must(room > 0);
	size_t used = 0;
	const char *end = bytes + size;
	for (const char *at = bytes; at < end;) {
		size_t n = text_char(at, end);
		bool plain = n > 0 && !xml_forbids(at, n) && !is_control(at, n);
		size_t width = plain ? n : 1;
		if (used + width >= room)
			break;
		if (plain)
			memcpy(ret + used, at, n);
		else
			ret[used] = '?';
		used += width;
		at += n ? n : 1;
	}
	ret[used] = '\0';
	return ret;
}

char *text_plain(const char *text)
{
	size_t room = strlen(text) + 1;
	char *line = mem_text(text), *plain = mem_new(room);
	for (char *at = line; *(at += strcspn(at, "\t\n\r")); at++)
		*at = ' ';
	text_quote(plain, room, line, strlen(line));
	mem_free(line);
	return plain;
}

size_t text_distance(const char *a, const char *b)
{
	enum { MOST = 64 };
	size_t row[MOST + 1];
	size_t na = strnlen(a, MOST), nb = strnlen(b, MOST);
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
			row[j] = change < least ? change : least;
		}
	}
	return row[nb];
}

/* Days to civil date, after Howard Hinnant's algorithm: exact, without the C library's time zones and 32-bit time_t. */
static void civil_date(int64_t days, int *year, unsigned *month, unsigned *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	unsigned doe = (unsigned)(days - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;
	*day = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = (int)((int64_t)yoe + era * 400) + (*month <= 2);
}

static void put_digits(char *at, unsigned value, int width)
{
	for (int i = width - 1; i >= 0; i--) {
		at[i] = (char)('0' + value % 10);
		value /= 10;
	}
}

bool text_utc_fits(int64_t utc_ms)
{
	return utc_ms >= -62167219200000 && utc_ms <= 253402300799999;
}

void text_utc(int64_t utc_ms, char ret[25])
{
	const int64_t day_ms = 86400000;
	int64_t days = utc_ms / day_ms, rest = utc_ms % day_ms;
	if (rest < 0) {
		rest += day_ms;
		days--;
	}
	int year;
	unsigned month, day, ms = (unsigned)rest;
	civil_date(days, &year, &month, &day);
	must(year >= 0 && year <= 9999);
	memcpy(ret, "0000-00-00T00:00:00.000Z", 25);
	put_digits(ret, (unsigned)year, 4);
	put_digits(ret + 5, month, 2);
	put_digits(ret + 8, day, 2);
	put_digits(ret + 11, ms / 3600000, 2);
	put_digits(ret + 14, ms / 60000 % 60, 2);
	put_digits(ret + 17, ms / 1000 % 60, 2);
	put_digits(ret + 20, ms % 1000, 3);
}

static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	unsigned yoe = (unsigned)(year - era * 400);
	unsigned doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + (int64_t)doe - 719468;
}

/* Reads digits where the pattern has '0' and the same character elsewhere. */
static bool fits_pattern(const char *text, size_t size, const char *pattern)
{
	if (size < strlen(pattern))
		return false;
	for (size_t i = 0; pattern[i]; i++)
		if (pattern[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != pattern[i])
			return false;
	return true;
}

static unsigned digits_at(const char *text, size_t n)
{
	unsigned value = 0;
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (unsigned)(text[i] - '0');
	return value;
}

/* ".123456" -> 123 ms; returns the bytes read */
static size_t fraction_of(const char *text, size_t size, int64_t *ret_ms)
{
	size_t i = 1;
	int64_t weight = 100;
	*ret_ms = 0;
	if (size < 2 || text[0] != '.')
		return 0;
	for (; i < size && text[i] >= '0' && text[i] <= '9'; i++, weight /= 10)
		*ret_ms += (text[i] - '0') * weight;
	return i > 1 ? i : 0;
}

static int zone_of(const char *text, size_t size, int64_t *ret_ms)
{
	*ret_ms = 0;
	if (size == 0 || (size == 1 && text[0] == 'Z'))
		return 0;
	if (size != 6 || (text[0] != '+' && text[0] != '-') || !fits_pattern(text + 1, 5, "00:00"))
		return -1;
	int64_t minutes = (int64_t)digits_at(text + 1, 2) * 60 + digits_at(text + 4, 2);
	*ret_ms = (text[0] == '-' ? -minutes : minutes) * 60000;
	return minutes <= 14 * 60 ? 0 : -1;
}

int text_parse_utc(const char *text, size_t size, int64_t *ret)
{
	if (!fits_pattern(text, size, "0000-00-00T00:00:00"))
		return -1;
	unsigned month = digits_at(text + 5, 2), day = digits_at(text + 8, 2);
	unsigned hour = digits_at(text + 11, 2), minute = digits_at(text + 14, 2), second = digits_at(text + 17, 2);
	if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 60)
		return -1;
	int64_t fraction, zone, days = days_of(digits_at(text, 4), month, day);
	int year;
	unsigned real_month, real_day;
	civil_date(days, &year, &real_month, &real_day);
	if (real_month != month || real_day != day) /* there is no 31st of February */
		return -1;
	size_t used = 19 + fraction_of(text + 19, size - 19, &fraction);
	if (zone_of(text + used, size - used, &zone) < 0)
		return -1;
	int64_t at = ((days * 24 + hour) * 60 + minute) * 60000 + (int64_t)second * 1000 + fraction - zone;
	if (!text_utc_fits(at))
		return -1;
	*ret = at;
	return 0;
}
