#include "core/cli/labels.h"

#include "core/base/text.h"
#include "core/cli/kept.h"

#include <string.h>

/* A thing that is owned has no key any more: the field stays empty. */
static const char *key_of(const struct thing *t)
{
	return t->key && !t->owner ? t->key : "";
}

static void print_name(const struct cli *c, const struct kept *k, const struct names *names)
{
	const char *name = names_find(names, k->conf.gateway.language);
	for (; name && *name; name++)
		fputc(*name == '\t' || *name == '\n' || *name == '\r' ? ' ' : *name, c->out);
	fputc('\n', c->out);
}

static void print_tsv(const struct cli *c, const struct kept *k, const struct thing *t)
{
	fprintf(c->out, "%s@%s\t%s\t", t->local, k->conf.xmpp.domain, key_of(t));
	print_name(c, k, &t->names);
}

static void print_text(const struct cli *c, const struct kept *k, const struct thing *t)
{
	fprintf(c->out, "  %-29s  %s@%s  ", *key_of(t) ? key_of(t) : "(claimed)", t->local, k->conf.xmpp.domain);
	print_name(c, k, &t->names);
}

/* One key for the whole device, while something of it can still be claimed by it. */
static void print_device(const struct cli *c, const struct kept *k, const struct device *d)
{
	bool open = false;
	print_name(c, k, &d->names);
	for (size_t i = 0; i < d->n_points; i++)
		open = open || (d->points[i]->thing && *key_of(d->points[i]->thing));
	if (d->group_key && open)
		fprintf(c->out, "  %s  claims all of these:\n", d->group_key);
}

static const struct format {
	const char *word;
	void (*device)(const struct cli *c, const struct kept *k, const struct device *d);
	void (*thing)(const struct cli *c, const struct kept *k, const struct thing *t);
} formats[] = {
	{ "text", print_device, print_text },
	{ "tsv", NULL, print_tsv },
};

static void print_all(const struct cli *c, const struct kept *k, const struct format *f)
{
	const struct house *h = k->conf.house;
	for (size_t i = 0; i < h->n_devices; i++) {
		const struct device *d = h->devices[i];
		const struct thing *before = NULL;
		if (d->broken)
			continue;
		if (f->device)
			f->device(c, k, d);
		for (size_t j = 0; j < d->n_points; j++) {
			const struct thing *t = d->points[j]->thing;
			if (t && t != before)
				f->thing(c, k, t);
			before = t ? t : before;
		}
	}
}

static const struct format *chosen(const struct cli *c)
{
	const char *word = c->n_args == 0                                        ? "text"
			   : c->n_args == 2 && text_same(c->args[0], "--format") ? c->args[1]
										 : NULL;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (text_same(formats[i].word, word))
			return &formats[i];
	return NULL;
}

static int print(struct cli *c, struct kept *k)
{
	print_all(c, k, chosen(c));
	return CLI_DONE;
}

int labels_run(struct cli *c)
{
	if (!chosen(c))
		return cli_fail(c, CLI_USAGE, "labels takes nothing, or --format text, or --format tsv");
	return kept_do(c, print);
}
