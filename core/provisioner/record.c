#include "core/provisioner/record.h"

#include "core/base/limits.h"
#include "core/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record record_of(const struct registration *thing)
{
	return (struct record){
		.name = thing->name,
		.names = &thing->names,
		.key = thing->keyed ? &thing->holder.print : NULL,
		.group = thing->group,
		.spent = thing->group && thing->group->spent,
		.owner = thing->owner ? thing->owner->jid : NULL,
		.since = thing->since,
	};
}

struct record_time record_time_print(int64_t ms)
{
	struct record_time t;
	snprintf(t.text, sizeof(t.text), "%lld", (long long)ms);
	return t;
}

int64_t record_time_parse(const char *text)
{
	char *end;
	errno = 0;
	long long ms = text ? strtoll(text, &end, 10) : 0;
	return text && *text && !*end && !errno && ms > 0 && ms < 253402300800000 ? ms : 0;
}

void record_save(struct change *c, const struct record *r)
{
	struct text names = { 0 };
	text_add(&names, "");
	for (size_t i = 0; r->names && i < r->names->n; i++)
		text_addf(&names, "%s\t%s\n", r->names->list[i].language, r->names->list[i].text);
	char group_key[1 + sizeof(struct fingerprint)];
	if (r->group)
		snprintf(group_key, sizeof(group_key), "%s%s", r->spent ? "-" : "", r->group->holder.print.hex);
	struct record_time since = record_time_print(r->since);
	const char *values[] = {
		c->thing->jid,
		r->name,
		names.data,
		r->key ? r->key->hex : NULL,
		r->group ? r->group->id : NULL,
		r->group ? group_key : NULL,
		r->owner,
		since.text,
	};
	change_save(c, STORE_REG_PUT, values);
	text_free(&names);
}

void record_names_add(struct names *names, const char *language, const char *text)
{
	char clean[LIMIT_NAME + 1], of[36];
	text_quote(clean, sizeof(clean), text, strlen(text));
	text_quote(of, sizeof(of), language, strlen(language));
	bool blank = clean[strspn(clean, " ")] == '\0';
	for (size_t i = 0; i < names->n && !blank; i++)
		blank = strcmp(names->list[i].language, of) == 0 && strcmp(names->list[i].text, clean) == 0;
	if (!blank && names->n < LIMIT_LANGUAGES)
		names_add(names, of, clean);
}

void record_names_parse(struct names *names, const char *lines)
{
	struct text part = { 0 };
	while (lines && *lines) {
		size_t size = strcspn(lines, "\n"), language = strcspn(lines, "\t\n");
		if (language < size) {
			text_clear(&part);
			text_add_n(&part, lines, size);
			part.data[language] = '\0';
			record_names_add(names, part.data, part.data + language + 1);
		}
		lines += size + (lines[size] == '\n');
	}
	text_free(&part);
}
