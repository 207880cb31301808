/*
 * The only door to the heap. Running out of memory ends the process (the supervisor restarts it), so no caller checks;
 * in exchange every size that comes from outside is checked against limits.h before it comes here. Any thread.
 */
#pragma once

#include <stddef.h>

void *mem_new(size_t size);               /* zeroed; size 0 gives a valid pointer */
void *mem_array(size_t n, size_t size);   /* zeroed; dies on overflow of the product */
void *mem_resize(void *old, size_t size); /* new bytes are not zeroed */
void *mem_copy(const void *from, size_t size);
char *mem_text(const char *text);                /* copy of a string; NULL gives NULL */
char *mem_text_n(const char *text, size_t size); /* copy of size bytes, and a NUL */
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
void mem_free(void *p); /* NULL is allowed */
void mem_trim(void);    /* gives freed pages back to the system, after a big parse */
