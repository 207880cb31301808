#include "core/conf/ident.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/text.h"
#include "core/conf/repeat.h"

#include <stdio.h>
#include <string.h>
#include <stringprep.h>
#include <strings.h>

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

struct escape {
	char c;
	const char *code;
};

static const struct escape escapes[] = {
	/* XEP-0106, section 3 */
	{ ' ', "\\20" }, { '"', "\\22" }, { '&', "\\26" }, { '\'', "\\27" }, { '/', "\\2f" },
	{ ':', "\\3a" }, { '<', "\\3c" }, { '>', "\\3e" }, { '@', "\\40" },
};

static const char *escape_of(char c)
{
	for (size_t i = 0; i < sizeof(escapes) / sizeof(*escapes); i++)
		if (escapes[i].c == c)
			return escapes[i].code;
	return NULL;
}

/* A backslash is escaped only where it would be read as the beginning of an escape. */
static bool looks_escaped(const char *at)
{
	for (size_t i = 0; i < sizeof(escapes) / sizeof(*escapes); i++)
		if (strncasecmp(at, escapes[i].code, 3) == 0)
			return true;
	return strncasecmp(at, "\\5c", 3) == 0;
}

/* A localpart may not begin or end with an escaped space, so outer spaces are left out. */
static void trim(const char **text, size_t *size)
{
	while (*size > 0 && **text == ' ')
		(*text)++, (*size)--;
	while (*size > 0 && (*text)[*size - 1] == ' ')
		(*size)--;
}

int ident_escape(const char *text, char *ret, size_t room)
{
	char prepared[LIMIT_JID_PART + 1];
	size_t size = strlen(text);
	trim(&text, &size);
	if (size > LIMIT_JID_PART)
		return -1;
	struct text escaped = { 0 };
	for (size_t i = 0; i < size; i++) {
		const char *code = text[i] == '\\' && looks_escaped(text + i) ? "\\5c" : escape_of(text[i]);
		if (code)
			text_add_n(&escaped, code, 3);
		else
			text_add_n(&escaped, text + i, 1);
	}
	bool fits = escaped.size && escaped.size <= LIMIT_JID_PART;
	if (fits)
		memcpy(prepared, escaped.data, escaped.size + 1);
	text_free(&escaped);
	if (!fits || prepare_local(prepared) != STRINGPREP_OK || !*prepared || strlen(prepared) + 1 > room)
		return -1;
	memcpy(ret, prepared, strlen(prepared) + 1);
	return 0;
}

int ident_of_level(const char *id, const char *level, char **ret, struct err *e)
{
	char escaped[LIMIT_JID_PART + 1], room[60];
	if (ident_escape(level, escaped, sizeof(escaped)) < 0)
		return err_set(e, "'%s' cannot be part of a JID", text_quote(room, sizeof(room), level, strlen(level)));
	char *whole = repeat_text(id, &(struct repeat_mark){ repeat_level, escaped });
	if (strlen(whole) > IDENT_MOST || ident_local(whole, e) < 0) {
		mem_free(whole);
		return err_set(e, "'%s' makes an id that no JID can have",
			       text_quote(room, sizeof(room), level, strlen(level)));
	}
	*ret = whole;
	return 0;
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
