/*
 * The sentence that goes with a negative return value.
 *
 * Written where the cause is known, wrapped outward: "bus 'plc': device 'boiler': address: register 70000 is above
 * 65535". Owned by the caller, usually on his stack; any thread. A NULL err is allowed everywhere: then nobody wants
 * the sentence.
 */
#pragma once

#include <stddef.h>

struct err {
	char text[320];
};

/* Sets the sentence and returns -1, so that a function can end in `return err_set(e, ...)`. */
int err_set(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the sentence and returns -1. */
int err_wrap(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Ends the process: a wrong call from inside, never wrong input from outside. */
_Noreturn void err_die(const char *file, int line, const char *condition);

#define must(condition) ((condition) ? (void)0 : err_die(__FILE__, __LINE__, #condition))
