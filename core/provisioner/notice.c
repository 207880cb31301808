#include "core/provisioner/notice.h"

#include "core/base/limits.h"

enum { STATES_SIZE = LIMIT_STANZA_OUT / 2 }; /* then the next message begins: one more item always fits */

static struct text *begin(struct provisioner *p, const char *name, const char *type, const char *to, bool urgent)
{
	struct text *t = link_begin(p->link, NULL, urgent);
	if (!t)
		return NULL;
	const struct writer_address from = { .domain = p->link->domain };
	char id[24];
	snprintf(id, sizeof(id), "p%llu", (unsigned long long)++p->serial);
	writer_stanza(t, name, type, &from, to, id);
	return t;
}

bool notice_presence(struct provisioner *p, const char *to, const char *type, bool urgent)
{
	struct text *t = begin(p, "presence", type, to, urgent);
	if (!t)
		return false;
	if (type)
		writer_raw(t, "/>");
	else
		writer_raw(t, "><status>Send me: help</status></presence>");
	return link_end(p->link);
}

bool notice_owner(struct provisioner *p, const struct registration *thing, bool urgent)
{
	struct text *t = begin(p, "message", NULL, thing->jid, urgent);
	if (!t)
		return false;
	writer_raw(t, "><owner xmlns='" SIOT "'");
	writer_attribute(t, "jid", thing->owner->jid);
	writer_raw(t, "/></message>");
	return link_end(p->link);
}

bool notice_disowned(struct provisioner *p, const struct registration *thing, bool urgent)
{
	struct text *t = begin(p, "message", NULL, thing->jid, urgent);
	if (!t)
		return false;
	writer_raw(t, "><disowned xmlns='" SIOT_X "'/></message>");
	return link_end(p->link);
}

bool notice_chat(struct provisioner *p, const char *to, const char *text)
{
	struct text *t = begin(p, "message", "chat", to, true);
	if (!t)
		return false;
	writer_raw(t, "><body>");
	writer_text(t, text);
	writer_raw(t, "</body></message>");
	return link_end(p->link);
}

bool notice_pending(struct provisioner *p, const char *to, const char *thing, const char *words)
{
	struct text *t = begin(p, "message", "chat", to, true);
	if (!t)
		return false;
	writer_raw(t, "><body>");
	writer_text(t, words);
	writer_raw(t, "</body><pending-friend-notification xmlns='" SIOT "' xmlns:x='" SIOT_X "'");
	writer_attribute(t, "x:thing", thing);
	writer_raw(t, "/></message>");
	return link_end(p->link);
}

bool notice_states_add(struct notice_states *s, const char *requestor, bool friend)
{
	if (s->open && s->open->size - s->from > STATES_SIZE)
		notice_states_end(s);
	if (!s->open) {
		s->open = begin(s->p, "message", NULL, s->thing->jid, s->urgent);
		if (!s->open)
			return false;
		s->from = s->open->size;
		writer_raw(s->open, "><friendship-states xmlns='" SIOT "'>");
	}
	writer_raw(s->open, "<item");
	writer_attribute(s->open, "jid", requestor);
	writer_attribute(s->open, "friend", friend ? "yes" : "no");
	writer_raw(s->open, "/>");
	return true;
}

void notice_states_end(struct notice_states *s)
{
	if (!s->open)
		return;
	writer_raw(s->open, "</friendship-states></message>");
	s->open = NULL;
	link_end(s->p->link);
}

void notice_label(struct text *t, const struct registration *thing, const char *language)
{
	const char *name = registry_name(thing, language);
	if (name == thing->jid)
		text_add(t, name);
	else
		text_addf(t, "\"%s\" (%s)", name, thing->jid);
}
