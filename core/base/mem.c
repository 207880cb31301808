#include "core/base/mem.h"

#include "core/base/err.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *mem_new(size_t size)
{
	void *p = calloc(1, size ? size : 1);
	must(p);
	return p;
}

void *mem_array(size_t n, size_t size)
{
	must(size == 0 || n <= SIZE_MAX / size);
	return mem_new(n * size);
}

void *mem_resize(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);
	must(p);
	return p;
}

void *mem_copy(const void *from, size_t size)
{
	void *p = mem_new(size);
	if (size)
		memcpy(p, from, size);
	return p;
}

char *mem_text(const char *text)
{
	return text ? mem_text_n(text, strlen(text)) : NULL;
}

char *mem_text_n(const char *text, size_t size)
{
	char *copy = mem_new(size + 1);
	memcpy(copy, text, size);
	return copy;
}

char *mem_format(const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	must(n >= 0);
	char *text = mem_new((size_t)n + 1);
	vsnprintf(text, (size_t)n + 1, format, again);
	va_end(again);
	va_end(args);
	return text;
}

void mem_free(void *p)
{
	free(p);
}

void mem_trim(void)
{
	malloc_trim(0);
}
