/* What things and the service say to each other in the tests of core/xmpp, in few words. */
#pragma once

#include "tests/lib/stage.h"

#include <criterion/criterion.h>
#include <string.h>

#define TEMP      "boiler.temp@things.test"
#define SET       "boiler.set@things.test"
#define TEMP_ASKS "from='" TEMP "/thing' to='prov.test'"

enum { ID_ROOM = 64 };

static inline struct stage *up(void)
{
	struct stage *s = stage_new(false);
	fake_link_up(s->link, NULL);
	return s;
}

static inline void has(const char *text, const char *fragment)
{
	cr_expect(strstr(text, fragment), "'%s' is not in '%s'", fragment, text);
}

static inline void has_not(const char *text, const char *fragment)
{
	cr_expect(!strstr(text, fragment), "'%s' is in '%s'", fragment, text);
}

/* Nothing of the kind was sent, and what the store still does brings nothing of it. */
static inline void silent(struct stage *s, const char *fragment)
{
	stage_settle(s);
	const char *text = fake_link_find(s->link, fragment);
	cr_expect_null(text, "'%s' is in '%s'", fragment, text);
}

static inline void id_of(const char *text, char ret[ID_ROOM])
{
	cr_assert_eq(sscanf(strstr(text, " id='"), " id='%63[^']'", ret), 1);
}

/* Answers an iq of ours as the service would. */
static inline void answer(struct stage *s, const char *asked, const char *type, const char *payload)
{
	char id[ID_ROOM], local[64];
	id_of(asked, id);
	cr_assert_eq(sscanf(strstr(asked, " from='"), " from='%63[^@]@", local), 1);
	fake_link_give(s->link, "<iq type='%s' from='" SERVICE "' to='%s@things.test/thing' id='%s'>%s</iq>", type,
		       local, id, payload);
}

/* The oldest one that contains the fragment. */
static inline void service_answers(struct stage *s, const char *asked, const char *payload)
{
	answer(s, stage_wait(s, asked), "result", payload);
}

static inline void service_refuses(struct stage *s, const char *asked, const char *type, const char *condition)
{
	char payload[256];
	snprintf(payload, sizeof(payload), "<error type='%s'><%s xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
		 type, condition);
	answer(s, stage_wait(s, asked), "error", payload);
}

static inline void service_says(struct stage *s, const char *to, const char *payload)
{
	fake_link_give(s->link, "<message from='" SERVICE "' to='%s'>%s</message>", to, payload);
}

static inline void give_owner(struct stage *s, const char *local)
{
	fake_link_give(s->link,
		       "<message from='" SERVICE "' to='%s@things.test'><owner xmlns='urn:xmpp:siot:1' jid='" OWNER
		       "'/></message>",
		       local);
	stage_settle(s);
}

static inline void give_state(struct stage *s, const char *to, const char *jid, const char *word)
{
	fake_link_give(s->link,
		       "<message from='" SERVICE "' to='%s'><friendship-states xmlns='urn:xmpp:siot:1'>"
		       "<item jid='%s' friend='%s'/></friendship-states></message>",
		       to, jid, word);
}

static inline void subscribe(struct stage *s, const char *from, const char *to)
{
	fake_link_give(s->link, "<presence type='subscribe' from='%s' to='%s'/>", from, to);
}

static inline void is_friend(struct stage *s, const char *word)
{
	char payload[128];
	snprintf(payload, sizeof(payload), "<is-friend-result xmlns='urn:xmpp:siot:1' friend='%s'/>", word);
	service_answers(s, "is-friend-query", payload);
}

static inline bool may(struct stage *s, const char *local, const char *jid, enum right right)
{
	return gate_may(stage_thing(s, local), jid, right);
}

/* Until they come: three things, in any order. */
static inline void answer_registers(struct stage *s)
{
	for (int i = 0; i < 3; i++)
		service_answers(s, "<register", "");
}
