#include "core/conf/ident.h"

#include "core/base/limits.h"

#include <stdio.h>
#include <string.h>
#include <stringprep.h>

static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_"; /* the last two not at the beginning */

int ident_check(const char *id, struct err *e)
{
	size_t n = strlen(id);
	if (n == 0 || n > IDENT_MOST)
		return err_set(e, "an id has 1 to %d characters", IDENT_MOST);
	if (strspn(id, letters) != n || strchr("-_", id[0]))
		return err_set(e, "'%.60s' is no id: a-z, 0-9, and behind the first also - and _", id);
	return 0;
}

static int check_prepared(const char *text, const char *what, int (*prepare)(char *room), struct err *e)
{
	char room[LIMIT_JID_PART + 1];
	if (*text == '\0' || strlen(text) > LIMIT_JID_PART)
		return err_set(e, "the %s has 1 to %d bytes", what, LIMIT_JID_PART);
	snprintf(room, sizeof(room), "%s", text);
	if (prepare(room) != STRINGPREP_OK || *room == '\0')
		return err_set(e, "'%.60s' has a character that no %s has", text, what);
	if (strcmp(room, text) != 0)
		return err_set(e, "'%.60s' is '%.60s' for every server: write it so", text, room);
	return 0;
}

static int prepare_local(char *room)
{
	return stringprep_xmpp_nodeprep(room, LIMIT_JID_PART + 1);
}

static int prepare_domain(char *room)
{
	if (strpbrk(room, " @/:\"\\") || room[0] == '.' || strstr(room, ".."))
		return STRINGPREP_CONTAINS_PROHIBITED;
	return stringprep_nameprep(room, LIMIT_JID_PART + 1);
}

int ident_local(const char *local, struct err *e)
{
	return check_prepared(local, "localpart of a JID", prepare_local, e);
}

int ident_domain(const char *domain, struct err *e)
{
	return check_prepared(domain, "domain", prepare_domain, e);
}

int ident_jid(const char *jid, struct err *e)
{
	char local[LIMIT_JID_PART + 1];
	const char *at = strchr(jid, '@');
	if (!at)
		return ident_domain(jid, e);
	if (at - jid > LIMIT_JID_PART)
		return err_set(e, "the localpart of a JID has 1 to %d bytes", LIMIT_JID_PART);
	snprintf(local, sizeof(local), "%.*s", (int)(at - jid), jid);
	return ident_local(local, e) < 0 ? -1 : ident_domain(at + 1, e);
}
