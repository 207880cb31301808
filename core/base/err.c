#include "core/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int err_set(struct err *e, const char *format, ...)
{
	if (!e)
		return -1;
	va_list args;
	va_start(args, format);
	vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
	return -1;
}

int err_wrap(struct err *e, const char *format, ...)
{
	if (!e)
		return -1;
	struct err wrapped;
	va_list args;
	va_start(args, format);
	int n = vsnprintf(wrapped.text, sizeof(wrapped.text), format, args);
	va_end(args);
	size_t used = n < 0 ? 0 : (size_t)n;
	if (used + 3 < sizeof(wrapped.text)) {
		memcpy(wrapped.text + used, ": ", 2);
		size_t rest = strnlen(e->text, sizeof(wrapped.text) - used - 3);
		memcpy(wrapped.text + used + 2, e->text, rest);
		wrapped.text[used + 2 + rest] = '\0';
	}
	*e = wrapped;
	return -1;
}

_Noreturn void err_die(const char *file, int line, const char *condition)
{
	fprintf(stderr, "jidgate: %s:%d: this must hold: %s\n", file, line, condition);
	abort();
}
