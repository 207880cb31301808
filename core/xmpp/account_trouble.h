/*
 * Why an account is away, as far as it matters for the next attempt. Pure; any thread.
 */
#pragma once

#include "core/base/err.h"
#include "core/xmpp/element.h"

#include <stdint.h>

#define STREAMS_NS "http://etherx.jabber.org/streams"

struct account_trouble {
	const char *word;             /* condition of a stream error or of an iq, or a word of account_login.c */
	const char *sentence;         /* NULL: the cause has one */
	bool of_account;              /* of this account alone, not of the server */
	bool loud;                    /* someone must act */
	uint32_t least_ms, jitter_ms; /* before the next attempt; 0: as usual */
};

const struct account_trouble *account_trouble_find(const char *word); /* the row of "" for any other word */

/* <stream:error/>: the row, and the sentence with what the server says. */
const struct account_trouble *account_trouble_read(const struct element *error, struct err *ret);
