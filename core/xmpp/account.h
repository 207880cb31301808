/*
 * The link of accounts mode: each thing of the house logs in with an account of its own, and the server keeps the rosters.
 *
 * K threads (settings->threads) share the accounts; at most ACCOUNT_CONNECTING log in at the same time. The house gives names
 * and password files and must outlive the link; what happens to one account does not touch the others. Loop thread.
 */
#pragma once

#include "core/model/house.h"
#include "core/xmpp/link.h"

/* As component_new. */
struct link *account_new(const char *name, const struct conf_xmpp *settings, struct house *house, struct loop *loop,
			 struct log *log, const struct link_events *events, void *ctx);

/* Before account_new: are they too many, for libstrophe or for this process? -1 with the sentence. */
int account_check(size_t things, struct err *e);
