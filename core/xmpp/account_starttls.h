/*
 * The part of a login that is not encrypted (RFC 6120, section 5): our header, the server's features, <starttls/>, <proceed/>.
 * Anybody on the way can write here, so it is read by our parser with its limits: libstrophe's ends the process on an empty
 * <stream:error/>. What follows <proceed/> unencrypted is thrown away.
 *
 * Account thread; never blocks.
 */
#pragma once

#include "core/base/err.h"

enum account_starttls_state { STARTTLS_GOES_ON, STARTTLS_DONE, STARTTLS_FAILED };

struct account_starttls;
struct account_starttls *account_starttls_new(const char *jid);                        /* bare, of the account */
enum account_starttls_state account_starttls_turn(struct account_starttls *s, int fd); /* connected, not blocking */
const char *account_starttls_why(const struct account_starttls *s, struct err *ret);   /* as account_login_why */
void account_starttls_free(struct account_starttls *s);                                /* NULL is allowed */
