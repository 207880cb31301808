/*
 * From nothing to an authenticated TLS connection of one account: TCP, STARTTLS, the certificate, SASL. The only file that
 * knows libstrophe, and all that libstrophe does here: its parser loses the namespaces of attributes, so that with a server
 * that passes them on a stranger's x:from='owner@...' becomes his `from` (measured through Prosody). Therefore no stanza ever
 * goes through it: when SASL has succeeded, the TLS connection is read and written by account_pipe.c.
 *
 * Everything but the library belongs to one account thread at a time; a turn may block there (TLS handshakes do).
 */
#pragma once

#include "core/base/err.h"

#include <openssl/ssl.h>

/* Once per link: made before its threads, freed after them, on the loop thread. ca_file NULL: the system's certificates. */
struct account_library;
struct account_library *account_login_library(size_t accounts, const char *ca_file);
void account_login_library_free(struct account_library *library);

struct account_who {     /* the caller's; valid until account_login_free */
	const char *jid; /* bare */
	const char *password;
	const char *ca_file;
	const char *address; /* numeric: libstrophe would look a name up with the thread waiting */
	unsigned short port;
};

enum account_login_state { LOGIN_GOES_ON, LOGIN_DONE, LOGIN_FAILED };

struct account_login;

/* on_socket: the descriptor there is now, so that somebody can shut it while a turn blocks; called inside account_login_new. */
struct account_login *account_login_new(struct account_library *library, const struct account_who *who,
					void (*on_socket)(void *ctx, int fd), void *ctx);
enum account_login_state account_login_turn(struct account_login *l);
int account_login_fd(const struct account_login *l);       /* -1: none */
short account_login_events(const struct account_login *l); /* what poll(2) should wait for; a turn each 250 ms too */
SSL *account_login_tls(struct account_login *l); /* LOGIN_DONE; libstrophe's, valid until account_login_free */

/* LOGIN_FAILED: the sentence, and a word for what somebody must mend: a stream error's condition, "refused", "certificate",
 * "no-tls"; "" for what passes by itself. */
const char *account_login_why(const struct account_login *l, struct err *ret);
void account_login_free(struct account_login *l); /* closes the connection, without a word to the server */
