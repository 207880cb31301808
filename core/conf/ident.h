/*
 * Names that become part of a JID: ids, localparts, domains. They must be written as a server prepares them (RFC 7622), so
 * that the file shows the JID that everybody will see. Pure, any thread.
 *
 * Five examples, which are tests too: "boiler_2" and "0x1-a" are ids; "Boiler", "-a" and "a.b" are none. As localparts "a.b"
 * and "kessel\20eins" will do, "Kessel" should be "kessel", and "a b" has a character that no JID has. "zigbee2mqtt/Hall lamp" is escaped
 * as "zigbee2mqtt\2fhall\20lamp".
 */
#pragma once

#include "core/base/err.h"

enum { IDENT_MOST = 255 }; /* two of them and a dot fit into a localpart */

int ident_check(const char *id, struct err *e);
int ident_local(const char *local, struct err *e);
int ident_domain(const char *domain, struct err *e);
int ident_escape(const char *text, char *ret, size_t room); /* XEP-0106, then prepared; -1: too long, empty or forbidden */
int ident_of_level(const char *id, const char *level, char **ret, struct err *e); /* "plug-${level}" with the level escaped */
int ident_jid(const char *jid, struct err *e); /* bare: domain or local@domain */
