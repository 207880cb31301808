#include "core/conf/fault.h"

#include "core/base/limits.h"

#include <stdarg.h>
#include <stdio.h>

static void add_line(struct conf *c, const char *file, int line, const char *kind, const char *format, va_list args)
{
	char sentence[512];
	if (c->n_errors + c->n_warnings > LIMIT_CONF_ERRORS)
		return;
	vsnprintf(sentence, sizeof(sentence), format, args);
	if (line > 0)
		text_addf(&c->errors, "%s:%d: %s%s\n", file, line, kind, sentence);
	else
		text_addf(&c->errors, "%s: %s%s\n", file, kind, sentence);
}

void fault_error(struct conf *c, const char *file, int line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	c->n_errors++;
	add_line(c, file, line, "", format, args);
	va_end(args);
}

void fault_warn(struct conf *c, const char *file, int line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	c->n_warnings++;
	add_line(c, file, line, "warning: ", format, args);
	va_end(args);
}

void fault_end(struct conf *c)
{
	size_t n = c->n_errors + c->n_warnings;
	if (n > LIMIT_CONF_ERRORS)
		text_addf(&c->errors, "and %zu more\n", n - LIMIT_CONF_ERRORS);
}
