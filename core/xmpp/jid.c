/*
 * Nearly every address that comes is plain lower-case ASCII, which preparation leaves alone; only the rest goes to
 * libidn.
 */
#include "core/xmpp/jid.h"

#include "core/base/mem.h"
#include "core/base/text.h"

#include <string.h>
#include <stringprep.h>

enum { LOCAL = 1, DOMAIN = 2, RESOURCE = 4 };

/* In which parts an ASCII character may be, a digit of these bits for each: what nodeprep lets through, what host names and
 * addresses in brackets are made of, and all but control characters. */
static const char parts_of[] = "0000000000000000"
			       "0000000000000000"
			       "4545554455555774"
			       "7777777777654545"
			       "4777777777777777"
			       "7777777777775757"
			       "5777777777777777"
			       "7777777777755550";

struct profile { /* a row for each part of an address */
	int part;
	const Stringprep_profile *prep;
};

static const struct profile local_part = { LOCAL, stringprep_xmpp_nodeprep };
static const struct profile domain_part = { DOMAIN, stringprep_nameprep };
static const struct profile resource_part = { RESOURCE, stringprep_xmpp_resourceprep };

static bool fits(unsigned char ascii, int part)
{
	return ((parts_of[ascii] - '0') & part) != 0;
}

static int prepare_unicode(const struct profile *profile, const char *from, size_t size, char *ret, size_t *ret_size)
{
	if (!text_is_clean(from, size))
		return -1;
	char room[4 * LIMIT_JID_PART + 1]; /* decomposed on the way it may be longer */
	memcpy(room, from, size);
	room[size] = '\0';
	if (stringprep(room, sizeof(room), 0, profile->prep) != STRINGPREP_OK)
		return -1;
	size_t n = strlen(room);
	if (n == 0 || n > LIMIT_JID_PART)
		return -1;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)room[i] < 0x80 && !fits((unsigned char)room[i], profile->part))
			return -1;
	memcpy(ret, room, n + 1);
	*ret_size = n;
	return 0;
}

/* from, NUL-terminated, goes into ret, which has room for LIMIT_JID_PART + 1 bytes. */
static int prepare(const struct profile *profile, const char *from, size_t size, char *ret, size_t *ret_size)
{
	if (size == 0 || size > LIMIT_JID_PART)
		return -1;
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)from[i];
		if (c >= 0x80)
			return prepare_unicode(profile, from, size, ret, ret_size);
		if (!fits(c, profile->part))
			return -1;
		ret[i] = (char)(c >= 'A' && c <= 'Z' && profile->part != RESOURCE ? c + ('a' - 'A') : c);
	}
	ret[size] = '\0';
	*ret_size = size;
	return 0;
}

struct parts {
	const char *local, *domain, *resource; /* local and resource NULL if none */
	size_t local_size, domain_size, resource_size;
};

/* The first '/' ends the address, and only before it an '@' means something. */
static struct parts cut(const char *text)
{
	struct parts p = { .domain = text };
	const char *slash = strchr(text, '/');
	size_t size = slash ? (size_t)(slash - text) : strlen(text);
	if (slash) {
		p.resource = slash + 1;
		p.resource_size = strlen(p.resource);
	}
	const char *at = memchr(text, '@', size);
	if (at) {
		p.local = text;
		p.local_size = (size_t)(at - text);
		p.domain = at + 1;
	}
	p.domain_size = size - (size_t)(p.domain - text);
	if (p.domain_size > 1 && p.domain[p.domain_size - 1] == '.')
		p.domain_size--;
	return p;
}

/* "b..": one dot at the end is stripped, and what has another would be another address each time it is read. */
static bool has_empty_label(const char *domain)
{
	return *domain == '.' || strstr(domain, "..") || domain[strlen(domain) - 1] == '.';
}

/* Writes "local@domain"; *ret_domain is where the domain begins. */
static int prepare_bare(const struct parts *p, char *ret, size_t *ret_domain, size_t *ret_size)
{
	size_t local = 0, domain = 0;
	if (p->local) {
		if (prepare(&local_part, p->local, p->local_size, ret, &local) < 0)
			return -1;
		ret[local++] = '@';
	}
	if (prepare(&domain_part, p->domain, p->domain_size, ret + local, &domain) < 0 || has_empty_label(ret + local))
		return -1;
	*ret_domain = local;
	*ret_size = local + domain;
	return 0;
}

int jid_parse(struct jid *ret, const char *text)
{
	struct parts p = cut(text);
	char bare[sizeof(ret->bare)], resource[LIMIT_JID_PART + 1];
	size_t domain, size, resource_size = 0;
	if (prepare_bare(&p, bare, &domain, &size) < 0)
		return -1;
	if (p.resource && prepare(&resource_part, p.resource, p.resource_size, resource, &resource_size) < 0)
		return -1;
	memcpy(ret->bare, bare, size + 1);
	memcpy(ret->room, bare, size + 1);
	ret->local = domain ? ret->room : NULL;
	if (domain)
		ret->room[domain - 1] = '\0';
	ret->domain = ret->room + domain;
	ret->resource = p.resource ? memcpy(ret->room + size + 1, resource, resource_size + 1) : NULL;
	return 0;
}

int jid_bare(const char *text, char ret[2 * LIMIT_JID_PART + 2])
{
	struct parts p = cut(text);
	char bare[2 * LIMIT_JID_PART + 2];
	size_t domain, size;
	if (prepare_bare(&p, bare, &domain, &size) < 0)
		return -1;
	memcpy(ret, bare, size + 1);
	return 0;
}

bool jid_same_bare(const char *a, const char *b)
{
	char bare_a[2 * LIMIT_JID_PART + 2], bare_b[2 * LIMIT_JID_PART + 2];
	return jid_bare(a, bare_a) == 0 && jid_bare(b, bare_b) == 0 && strcmp(bare_a, bare_b) == 0;
}

const char *jid_resource(const char *text)
{
	const char *slash = strchr(text, '/');
	return slash ? slash + 1 : NULL;
}

/* Nameprep without what it prohibits: B.1 (soft hyphens, joiners) goes, B.2 folds, then NFKC. Its tables can only be borrowed:
 * their sizes are not public. */
static int fold(char *text, size_t room)
{
	Stringprep_profile rows[8] = { { 0 } };
	size_t n = 0;
	for (const Stringprep_profile *row = stringprep_nameprep; row->operation && n < 7; row++)
		if (row->operation == STRINGPREP_MAP_TABLE || row->operation == STRINGPREP_NFKC)
			rows[n++] = *row;
	return stringprep(text, room, 0, rows) == STRINGPREP_OK ? 0 : -1;
}

/* In place: outer blanks go, inner ones become one space. */
static size_t squeeze(char *text)
{
	size_t n = 0;
	for (const char *at = text; *at; at++) {
		bool blank = strchr(" \t\r\n", *at) != NULL;
		if (blank && (n == 0 || text[n - 1] == ' '))
			continue;
		text[n++] = (char)(blank ? ' ' : *at);
	}
	if (n > 0 && text[n - 1] == ' ')
		n--;
	text[n] = '\0';
	return n;
}

int jid_fold_name(const char *text, char *ret, size_t room)
{
	char folded[8 * LIMIT_NAME];
	size_t size = strlen(text);
	if (size >= sizeof(folded) / 2 || !text_is_clean(text, size))
		return -1;
	memcpy(folded, text, size + 1);
	if (fold(folded, sizeof(folded)) < 0)
		return -1;
	size = squeeze(folded);
	if (size + 1 > room)
		return -1;
	memcpy(ret, folded, size + 1);
	return 0;
}
