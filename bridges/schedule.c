#include "bridges/schedule.h"

static const char *const kinds[] = { "away", "timeout", "refused", "garbled", NULL };

#define AT(member) offsetof(struct schedule_fault, member)

const struct setting schedule_rows[] = {
	{ "kind", SETTING_WORD, AT(kind), .words = kinds, .min = TROUBLE_AWAY, .flags = SETTING_REQUIRED,
	  .help = "what goes wrong" },
	{ "after", SETTING_DURATION, AT(after_ms), "0s", .help = "when it begins, from the start of the bus" },
	{ "lasts", SETTING_DURATION, AT(lasts_ms), "0s", .help = "how long it lasts; 0s: for ever" },
	{ "every", SETTING_DURATION, AT(every_ms), "0s", .help = "how long until it begins again; 0s: it does not" },
	{ 0 },
};

static bool holds(const struct schedule_fault *f, int64_t at_ms)
{
	int64_t since = at_ms - f->after_ms;
	if (since >= 0 && f->every_ms)
		since %= f->every_ms;
	return since >= 0 && (!f->lasts_ms || since < f->lasts_ms);
}

enum trouble schedule_at(const struct schedule *s, int64_t at_ms)
{
	for (size_t i = 0; i < s->n; i++)
		if (holds(&s->list[i], at_ms))
			return (enum trouble)s->list[i].kind;
	return TROUBLE_NONE;
}
