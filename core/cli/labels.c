#include "core/cli/labels.h"

#include "core/base/json.h"
#include "core/base/mem.h"
#include "core/cli/daemon.h"
#include "core/cli/kept.h"
#include "core/cli/label_sheet.h"

#include <string.h>

static char *copy(const char *text)
{
	return mem_text(text ? text : "");
}

/* A label is one line of a table, too. */
static char *copy_line(const char *text)
{
	return text_plain(text ? text : "");
}

static void free_label(struct label *l)
{
	mem_free(l->jid);
	mem_free(l->name);
	mem_free(l->key);
	mem_free(l->device);
	mem_free(l->device_name);
	mem_free(l->service);
}

static void add(struct labels *all, struct label take)
{
	all->list = mem_resize(all->list, (all->n + 1) * sizeof(*all->list));
	all->list[all->n++] = take;
}

/* The labels of one device follow each other. The one of the device itself is known first and comes before them, if something of
 * it can still be claimed by its key. */
struct source {
	struct labels *all;
	size_t first;        /* of the device's */
	struct label device; /* all NULL: none yet */
};

static void end_device(struct source *s)
{
	bool open = false;
	struct label own = s->device;
	for (size_t i = s->first; i < s->all->n; i++)
		open = open || *s->all->list[i].key;
	if (open && *own.key) {
		add(s->all, own);
		memmove(&s->all->list[s->first + 1], &s->all->list[s->first], (s->all->n - 1 - s->first) * sizeof(own));
		s->all->list[s->first] = own;
	} else {
		free_label(&own);
	}
	s->device = (struct label){ 0 };
	s->first = s->all->n;
}

static void take_line(void *ctx, const json_t *line, const char *text)
{
	struct source *s = ctx;
	const char *device = daemon_text(line, "device"), *service = daemon_text(line, "service");
	const char *device_name = daemon_text(line, "device_name");
	(void)text;
	if (s->device.device && strcmp(s->device.device, device) != 0)
		end_device(s);
	if (!s->device.device)
		s->device = (struct label){ copy(""),     copy_line(device_name), copy(daemon_text(line, "group_key")),
					    copy(device), copy_line(device_name), copy(service) };
	add(s->all,
	    (struct label){ copy(daemon_text(line, "thing")), copy_line(daemon_text(line, "name")),
			    copy(daemon_text(line, "key")), copy(device), copy_line(device_name), copy(service) });
}

static void take_thing(struct source *s, const struct kept *k, const struct thing *t)
{
	const char *language = k->conf.gateway.language, *service = k->conf.provisioning.service;
	add(s->all,
	    (struct label){ mem_format("%s@%s", t->local, k->conf.xmpp.domain),
			    copy_line(names_find(&t->names, language)), copy(t->owner ? NULL : t->key),
			    copy(t->device->id), copy_line(names_find(&t->device->names, language)), copy(service) });
}

/* Things follow each other as their points do. */
static void take_device(struct source *s, const struct kept *k, const struct device *d)
{
	s->device = (struct label){ copy(""),
				    copy_line(names_find(&d->names, k->conf.gateway.language)),
				    copy(d->group_key),
				    copy(d->id),
				    copy_line(names_find(&d->names, k->conf.gateway.language)),
				    copy(k->conf.provisioning.service) };
	for (size_t i = 0; i < d->n_points; i++)
		if (d->points[i]->thing && d->points[i] == d->points[i]->thing->points[0])
			take_thing(s, k, d->points[i]->thing);
	end_device(s);
}

void labels_claim(const struct label *l, struct text *ret)
{
	if (*l->key && *l->service)
		text_addf(ret, "xmpp:%s?message;body=claim%%20%s", l->service, l->key);
}

static void print_text(const struct cli *c, const struct labels *all)
{
	const char *device = "";
	for (size_t i = 0; i < all->n; i++) {
		const struct label *l = &all->list[i];
		if (strcmp(device, l->device) != 0)
			fprintf(c->out, "%s\n", l->device_name);
		device = l->device;
		if (*l->jid)
			fprintf(c->out, "  %-29s  %s  %s\n", *l->key ? l->key : "(claimed)", l->jid, l->name);
		else
			fprintf(c->out, "  %s  claims all of these:\n", l->key);
	}
}

static void print_tsv(const struct cli *c, const struct labels *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (*all->list[i].jid)
			fprintf(c->out, "%s\t%s\t%s\n", all->list[i].jid, all->list[i].key, all->list[i].name);
}

static void print_json(const struct cli *c, const struct labels *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct label *l = &all->list[i];
		struct text line = { 0 }, claim = { 0 };
		labels_claim(l, &claim);
		json_begin(&line, NULL, '{');
		json_put(&line, "thing", *l->jid ? l->jid : NULL);
		json_put(&line, "device", l->device);
		json_put(&line, "name", l->name);
		json_put(&line, "key", *l->key ? l->key : NULL);
		json_put(&line, "claim", claim.data);
		json_end(&line, '}');
		fprintf(c->out, "%s\n", line.data);
		text_free(&line);
		text_free(&claim);
	}
}

static void print_svg(const struct cli *c, const struct labels *all)
{
	label_sheet_svg(c->out, all);
}

static void print_html(const struct cli *c, const struct labels *all)
{
	label_sheet_html(c->out, all, "jidgate labels");
}

static const struct format {
	const char *word;
	void (*print)(const struct cli *c, const struct labels *all);
	bool codes; /* it has QR codes */
} formats[] = {
	{ "text", print_text, false }, { "tsv", print_tsv, false },  { "json", print_json, false },
	{ "svg", print_svg, true },    { "html", print_html, true },
};

static const struct format *chosen(const struct cli *c)
{
	const char *word = c->json ? "json" : "text";
	if (c->n_args)
		word = c->n_args == 2 && text_same(c->args[0], "--format") ? c->args[1] : NULL;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (text_same(formats[i].word, word))
			return &formats[i];
	return NULL;
}

static void print(const struct cli *c, struct labels *all)
{
	const struct format *f = chosen(c);
	bool unknown = false;
	for (size_t i = 0; i < all->n; i++)
		unknown = unknown || (*all->list[i].key && !*all->list[i].service);
	if (f->codes && unknown)
		fprintf(c->err, "jidgate: no provisioning service is known: labels without QR codes\n");
	f->print(c, all);
	for (size_t i = 0; i < all->n; i++)
		free_label(&all->list[i]);
	mem_free(all->list);
}

static int print_kept(struct cli *c, struct kept *k)
{
	const struct house *h = k->conf.house;
	struct labels all = { 0 };
	struct source s = { .all = &all };
	for (size_t i = 0; i < h->n_devices; i++)
		if (!h->devices[i]->broken)
			take_device(&s, k, h->devices[i]);
	print(c, &all);
	return CLI_DONE;
}

/* The daemon knows more than its store says: what it found, and the service that it found. */
int labels_run(struct cli *c)
{
	struct err why;
	struct labels all = { 0 };
	struct source s = { .all = &all };
	const struct daemon_lines lines = { take_line, &s, false };
	if (!chosen(c))
		return cli_fail(c, CLI_USAGE, "labels takes nothing, or --format and text, tsv, json, svg or html");
	int end = daemon_ask(c, "labels", NULL, 0, &lines, &why);
	if (end == DAEMON_NONE)
		return kept_do(c, print_kept);
	if (s.device.device)
		end_device(&s);
	print(c, &all);
	return end == DAEMON_DONE ? CLI_DONE : cli_fail(c, CLI_FAILED, "%s", why.text);
}
