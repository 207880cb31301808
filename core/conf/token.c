#include "core/conf/token.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool at_text(const struct token_source *s, const char *text)
{
	size_t n = strlen(text);
	return (size_t)(s->end - s->at) >= n && memcmp(s->at, text, n) == 0;
}

static void skip_line(struct token_source *s)
{
	while (s->at < s->end && *s->at != '\n')
		s->at++;
	s->cut = s->at == s->end;
}

/* Moves behind the comment; false: it has no end. */
static bool skip_comment(struct token_source *s)
{
	s->at += 2;
	while (s->at < s->end && !at_text(s, "*/"))
		s->line += *s->at++ == '\n';
	if (s->at == s->end)
		return false;
	s->at += 2;
	return true;
}

/* Blanks and comments; what is left at s->at begins a token. False: a comment without its end, from ret_line on. */
static bool skip_blanks(struct token_source *s, int *ret_line)
{
	while (s->at < s->end) {
		*ret_line = s->line;
		if (*s->at == '#' || at_text(s, "//"))
			skip_line(s);
		else if (at_text(s, "/*")) {
			if (!skip_comment(s))
				return false;
		} else if (isspace((unsigned char)*s->at))
			s->line += *s->at++ == '\n';
		else
			break;
	}
	return true;
}

static bool in_run(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_.*+-", c));
}

static bool is_name(const char *at, size_t size)
{
	if (!isalpha((unsigned char)*at) && *at != '*')
		return false;
	for (size_t i = 1; i < size; i++)
		if (!isalnum((unsigned char)at[i]) && !strchr("-_*", at[i]))
			return false;
	return true;
}

static enum token_flaw flaw_of(const char *digits, int base, bool long_form)
{
	errno = 0;
	long long n = strtoll(digits, NULL, base);
	if (errno)
		return FLAW_TOO_LARGE;
	return !long_form && (n > INT32_MAX || n < INT32_MIN) ? FLAW_NEEDS_L : FLAW_NONE;
}

/* [-+]?[0-9]+(L(L)?)?, 0x[0-9A-F]+(L(L)?)? */
static bool is_integer(const char *text, enum token_flaw *ret)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = text + (hex ? 2 : *text == '-' || *text == '+');
	size_t n = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
	const char *rest = digits + n;
	bool plain = *rest == '\0', long_form = strcmp(rest, "L") == 0 || strcmp(rest, "LL") == 0;
	if (n == 0 || (!plain && !long_form))
		return false;
	*ret = flaw_of(hex ? digits : text, hex ? 16 : 10, long_form);
	return true;
}

/* Digits with a point, an exponent or both. */
static bool is_real(const char *text)
{
	text += *text == '-' || *text == '+';
	size_t whole = strspn(text, "0123456789");
	text += whole;
	size_t n = *text == '.' ? 1 + strspn(text + 1, "0123456789") : 0;
	if (whole + n < 1 + (whole == 0))
		return false;
	text += n;
	if (*text == 'e' || *text == 'E') {
		text++;
		text += *text == '-' || *text == '+';
		n = strspn(text, "0123456789");
		text += n;
		return n > 0 && *text == '\0';
	}
	return n > 0 && *text == '\0';
}

static struct token take_run(struct token_source *s)
{
	struct token t = { .kind = TOKEN_ODD, .at = s->at, .line = s->line };
	char text[64] = "";
	while (s->at < s->end && in_run(*s->at))
		s->at++;
	t.size = (size_t)(s->at - t.at);
	if (is_name(t.at, t.size)) {
		t.kind = TOKEN_WORD;
	} else if (t.size < sizeof(text)) {
		memcpy(text, t.at, t.size);
		if (is_integer(text, &t.flaw) || is_real(text))
			t.kind = TOKEN_NUMBER;
	}
	return t;
}

static struct token take_string(struct token_source *s)
{
	struct token t = { .kind = TOKEN_STRING, .flaw = FLAW_OPEN, .at = s->at, .line = s->line };
	for (s->at++; s->at < s->end && *s->at != '\n' && *s->at != '"'; s->at++)
		if (*s->at == '\\' && s->at + 1 < s->end && s->at[1] != '\n')
			s->at++;
	t.size = (size_t)(s->at - t.at);
	if (s->at < s->end && *s->at == '"') {
		s->at++;
		t.flaw = FLAW_NONE;
	}
	return t;
}

static bool begins_line(const struct token_source *s)
{
	const char *at = s->at;
	while (at > s->start && (at[-1] == ' ' || at[-1] == '\t'))
		at--;
	return at == s->start || at[-1] == '\n';
}

static struct token take_include(struct token_source *s)
{
	struct token t = { .kind = TOKEN_ODD, .at = s->at, .size = strlen("@include"), .line = s->line };
	s->at += t.size;
	size_t blanks = 0;
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t')) {
		s->at++;
		blanks++;
	}
	if (blanks == 0 || s->at == s->end || *s->at != '"')
		return t;
	t = take_string(s);
	t.kind = TOKEN_INCLUDE;
	t.at++;
	t.size--;
	return t;
}

static const char signs[] = "=:,;{([})]";
static const enum token_kind sign_kinds[] = {
	TOKEN_ASSIGN, TOKEN_ASSIGN, TOKEN_COMMA, TOKEN_SEMICOLON, TOKEN_OPEN,
	TOKEN_OPEN,   TOKEN_OPEN,   TOKEN_CLOSE, TOKEN_CLOSE,     TOKEN_CLOSE,
};

static struct token take_sign(struct token_source *s)
{
	const char *found = *s->at ? strchr(signs, *s->at) : NULL;
	struct token t = {
		.kind = found ? sign_kinds[found - signs] : TOKEN_ODD, .at = s->at, .size = 1, .line = s->line
	};
	s->at++;
	return t;
}

struct token token_next(struct token_source *s)
{
	int line = s->line;
	if (!skip_blanks(s, &line))
		return (struct token){ .kind = TOKEN_ODD, .flaw = FLAW_OPEN, .at = "/*", .size = 2, .line = line };
	if (s->at == s->end)
		return (struct token){ .kind = TOKEN_END, .at = s->end, .line = s->line };
	if (*s->at == '"')
		return take_string(s);
	if (at_text(s, "@include") && begins_line(s))
		return take_include(s);
	return in_run(*s->at) ? take_run(s) : take_sign(s);
}
