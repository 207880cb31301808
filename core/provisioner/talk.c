#include "core/provisioner/talk.h"

#include "core/base/mem.h"
#include "core/provisioner/asker.h"
#include "core/provisioner/claims.h"
#include "core/provisioner/contacts.h"
#include "core/provisioner/decisions.h"
#include "core/provisioner/ledger.h"
#include "core/provisioner/notice.h"
#include "core/provisioner/nudge.h"

#include <string.h>

static const char blanks[] = " \t\r\n";

struct line { /* cut in place */
	char *word;
	const char *rest; /* trimmed; "" if nothing */
};

struct talk_word {
	const char *word;
	void (*say)(struct asker take_asker, const char *rest);
	const char *help;
};

static void end(struct asker *a, struct text *words)
{
	asker_say(a, words->data ? words->data : "");
	text_free(words);
	asker_free(a);
}

static void say_claim(struct asker asker, const char *rest)
{
	if (*rest) {
		claims_try(asker, rest, NULL);
		return;
	}
	asker_say(&asker, "Please send the key as well: claim XXXX-XXXX-XXXX-XXXX-XXXX-XXXX");
	asker_free(&asker);
}

/* A bare yes or no is about the one who waits, if it is one and the owner was told his address: not about somebody who came while
 * he was typing. */
static struct decision *only_one(const struct owner *owner)
{
	if (!owner || owner->n_waiting != 1)
		return NULL;
	struct decision *d = list_of(owner->waiting.next, struct decision, in_waiting);
	return d->named && ledger_verdict(d) == VERDICT_PENDING ? d : NULL;
}

static void ask_whom(struct asker *asker, struct owner *owner)
{
	struct text words = { 0 };
	if (owner)
		nudge_describe(&words, owner, false, asker->language);
	if (words.size) {
		list_each (at, &owner->waiting)
			ledger_told(list_of(at, struct decision, in_waiting));
	} else {
		text_add(&words, "Nobody waits for an answer.");
	}
	end(asker, &words);
}

static void decide(struct asker asker, const char *rest, bool friend)
{
	struct owner *owner = registry_owner(&asker.p->registry, asker.bare);
	const struct decision *only = *rest ? NULL : only_one(owner);
	if (!*rest && !only) {
		ask_whom(&asker, owner);
		return;
	}
	size_t size = strcspn(rest, blanks);
	const char *thing = rest + size + strspn(rest + size, blanks);
	char *who = mem_text_n(rest, size);
	struct update *u = decisions_begin(asker);
	if (only)
		decisions_add(u, only->requestor, only->thing->jid, friend);
	else
		decisions_add(u, who, *thing ? thing : NULL, friend);
	mem_free(who);
	decisions_end(u);
}

static void say_yes(struct asker asker, const char *rest)
{
	decide(asker, rest, true);
}

static void say_no(struct asker asker, const char *rest)
{
	decide(asker, rest, false);
}

static void say_pending(struct asker asker, const char *rest)
{
	(void)rest;
	ask_whom(&asker, registry_owner(&asker.p->registry, asker.bare));
}

static void say_things(struct asker asker, const char *rest)
{
	enum { LINES = 50 };
	(void)rest;
	const struct owner *owner = registry_owner(&asker.p->registry, asker.bare);
	struct text words = { 0 };
	size_t n = 0;
	text_add(&words,
		 owner ? "You own:" : "You own no thing here. To get one, send: claim and the key on its label");
	struct list *at = owner ? owner->things.next : NULL;
	for (; owner && at != &owner->things && n < LINES; at = at->next, n++) {
		text_add(&words, "\n");
		notice_label(&words, list_of(at, struct registration, in_owner), asker.language);
	}
	if (owner && owner->n_things > n)
		text_addf(&words, "\nand %zu more", owner->n_things - n);
	end(&asker, &words);
}

static void say_help(struct asker asker, const char *rest);

static const struct talk_word table[] = {
	{ "claim", say_claim, "claim KEY - a thing is yours from now on; the key is on its label" },
	{ "yes", say_yes, "yes, yes ADDRESS - who waits may see the thing" },
	{ "no", say_no, "no, no ADDRESS - may not, or not any more" },
	{ "pending", say_pending, "pending - who waits for your answer" },
	{ "things", say_things, "things - what is yours" },
	{ "help", say_help, "help - these lines" },
};

static void say_help(struct asker asker, const char *rest)
{
	struct text words = { 0 };
	(void)rest;
	text_add(&words, "I keep who owns which thing, and who may see it. Words I know:");
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		text_addf(&words, "\n%s", table[i].help);
	end(&asker, &words);
}

/* The first line that is not empty and not a quotation. */
static struct line cut(char *body)
{
	char *at = body + strspn(body, blanks);
	while (*at == '>') {
		at += strcspn(at, "\n");
		at += strspn(at, blanks);
	}
	at[strcspn(at, "\n")] = '\0';
	char *rest = at + strcspn(at, blanks);
	char *next = rest + strspn(rest, blanks);
	*rest = '\0';
	for (char *last = at + strlen(at); last > at + 1 && strchr(".!?:,", last[-1]);)
		*--last = '\0';
	for (char *last = next + strlen(next); last > next && strchr(blanks, last[-1]);)
		*--last = '\0';
	return (struct line){ .word = at, .rest = next };
}

static void say(struct asker asker, const struct line *line)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (!text_same_word(table[i].word, line->word))
			continue;
		table[i].say(asker, line->rest);
		return;
	}
	say_help(asker, line->rest);
}

static bool is_for_people(const struct incoming *in)
{
	return in->type[0] == '\0' || text_same(in->type, "chat") || text_same(in->type, "normal");
}

/* Programs do not chat: neither with things, which send us siot and nothing else, nor for ever with another robot. */
void talk_take(void *self, struct incoming *in)
{
	struct provisioner *p = self;
	const struct element *body = element_child(in->stanza, "body", ELEMENT_CLIENT);
	if (text_same(in->type, "error"))
		contacts_take_bounce(p, in);
	if (!body || !is_for_people(in) || registry_find(&p->registry, in->from_bare))
		return;
	if (!quota_take(&p->words, in->from_bare, ""))
		return;
	char *copy = mem_text(body->text);
	struct line line = cut(copy);
	if (*line.word)
		say(asker_take(p, in), &line);
	mem_free(copy);
}
