#include "core/xmpp/account_trouble.h"

#include "core/base/text.h"

#include <string.h>

static const struct account_trouble troubles[] = {
	{ "", NULL, false, false, 0, 0 },
	{ "refused", NULL, true, true, 120000, 60000 },
	{ "password", NULL, true, true, 120000, 60000 },
	{ "not-authorized", "the server refuses this account", true, true, 120000, 60000 },
	{ "conflict", "another program is logged in as this thing", true, false, 30000, 30000 },
	{ "policy-violation", "the server does not like what this thing does", true, false, 30000, 30000 },
	{ "certificate", NULL, false, true, 60000, 60000 },
	{ "no-tls", NULL, false, true, 60000, 60000 },
	{ "host-unknown", "the server does not serve this domain", false, true, 120000, 60000 },
};

const struct account_trouble *account_trouble_find(const char *word)
{
	for (size_t i = 1; i < sizeof(troubles) / sizeof(*troubles); i++)
		if (strcmp(troubles[i].word, word) == 0)
			return &troubles[i];
	return &troubles[0];
}

const struct account_trouble *account_trouble_read(const struct element *error, struct err *ret)
{
	const struct element *text = element_child(error, "text", NULL), *condition = error->first;
	while (condition && condition == text)
		condition = condition->next;
	const char *name = condition ? condition->name : "undefined-condition";
	const struct account_trouble *trouble = account_trouble_find(name);
	char quoted[160] = "", word[64];
	text_quote(word, sizeof(word), name, strlen(name));
	if (text)
		text_quote(quoted, sizeof(quoted), text->text, strlen(text->text));
	err_set(ret, "%s (%s%s%s)", trouble->sentence ? trouble->sentence : "the server closed the stream", word,
		*quoted ? ": " : "", quoted);
	return trouble;
}
