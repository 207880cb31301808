/*
 * Accounts mode: the server keeps the roster of each thing and is the truth; thing.friends mirrors it. Fetched after each login,
 * then kept up by pushes, which are taken only from the own account (RFC 6121 2.1.6).
 */
#pragma once

#include "core/xmpp/things.h"

void mirror_up(struct things *t, const char *local);                      /* fetches, then things_ready */
bool mirror_is_server(const struct things *t, const struct incoming *in); /* from the own account or its server */
void mirror_take_push(void *self, struct incoming *in);
