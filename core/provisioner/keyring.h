/*
 * Whose key that is: one map for the keys of things and of groups, because a key is unique in the whole service (siot S5).
 * Loop thread.
 */
#pragma once

#include "core/provisioner/registry.h"

struct holder *keyring_find(const struct registry *r, const struct fingerprint *print); /* NULL: nobody's */

/* A key that is on its way to the disk: from now on nobody else gets it. `holder` is the caller's until keyring_release. */
void keyring_reserve(struct registry *r, struct holder *holder, const struct fingerprint *print);
void keyring_release(struct registry *r, struct holder *holder);

void keyring_set_key(struct registry *r, struct registration *thing, const struct fingerprint *print); /* NULL: none */

/* The group with that key, made if there is none; NULL: the key is another's. Begins one use, which keyring_leave ends; a
 * group without users is freed. */
struct group *keyring_use(struct registry *r, const char *thing, const char *id, const struct fingerprint *print);
void keyring_leave(struct registry *r, struct group *group);                                 /* NULL is allowed */
void keyring_set_group(struct registry *r, struct registration *thing, struct group *group); /* NULL: none */
