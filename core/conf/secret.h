/*
 * Secrets from files of their own, so that the configuration can be shown around. Never printed, never logged.
 */
#pragma once

#include "core/base/err.h"

#include <stdbool.h>

/*
 * The text of a secret's file, without the line break at its end; heap, the caller wipes and frees it (secret_free).
 * A relative name is looked up beside `beside` (a file, or NULL: the working directory); a file that is not there is looked
 * up by its last part under $CREDENTIALS_DIRECTORY, where systemd's LoadCredential puts it. -1: not there, empty, not text.
 */
int secret_read(const char *file, const char *beside, char **ret, struct err *e);
/* Where such a file is, for who reads it later and more than once: an absolute name, heap, whether it is there or not. */
char *secret_find(const char *file, const char *beside);
void secret_free(char *secret);        /* NULL is allowed */
bool secret_is_open(const char *file); /* others than owner and group may read the file */
