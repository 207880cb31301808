#include "core/conf/conf.h"

#include "core/base/mem.h"
#include "core/conf/build.h"
#include "core/conf/ident.h"
#include "core/conf/rows.h"
#include "core/conf/show.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void check_name(struct conf *c, const struct file_node *at, const char *key, const char *text,
		       int (*check)(const char *text, struct err *e))
{
	struct err e;
	if (text && check(text, &e) < 0)
		fault_error(c, file_name(at), file_line(at), "%s: %s", key, e.text);
}

static void check_xmpp(struct conf *c, const struct file_node *root)
{
	const struct file_node *at = file_find(root, "xmpp");
	struct conf_xmpp *x = &c->xmpp;
	if (!x->given)
		return;
	check_name(c, at, "xmpp.domain", x->domain, ident_domain);
	if (x->mode == MODE_COMPONENT && !file_find(at, "secret") && !file_find(at, "secret_file"))
		fault_error(c, file_name(at), file_line(at), "xmpp: 'secret_file' is missing: %s",
			    setting_find(rows_xmpp, "secret")->help);
}

static void check_service(struct conf *c, const struct file_node *root)
{
	const struct file_node *at = file_find(root, "provisioning");
	if (at)
		check_name(c, at, "provisioning.service", c->provisioning.service, ident_jid);
	at = file_find(root, "provisioner");
	if (at)
		check_name(c, at, "provisioner.domain", c->provisioner.domain, ident_domain);
}

static void load_main(struct build *b, const struct file_node *root)
{
	struct conf *c = b->c;
	const struct fill f = { c, "", "", "", NULL };
	const struct fill_layer layer = { rows_file, c };
	fill_block(&f, root, &layer, 1);
	rows_complete(c);
	check_xmpp(c, root);
	check_service(c, root);
	build_house(b, root);
}

static void load_more(struct build *b, const char *name)
{
	struct file *file = file_load(b->c, name);
	if (!file)
		return;
	const struct fill f = { b->c, "", "a file of devices.d", "", NULL };
	const struct fill_layer layer = { rows_devices_d, NULL };
	fill_block(&f, file_root(file), &layer, 1);
	build_house(b, file_root(file));
	file_free(file);
}

static int is_conf(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);
	return entry->d_name[0] != '.' && n > 5 && strcmp(entry->d_name + n - 5, ".conf") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* the same in every locale */
}

static void load_devices_d(struct build *b, const char *main_file)
{
	const char *slash = strrchr(main_file, '/');
	char *directory = mem_format("%.*sdevices.d", slash ? (int)(slash + 1 - main_file) : 0, main_file);
	struct dirent **entries = NULL;
	int n = scandir(directory, &entries, is_conf, by_name);
	if (n < 0 && errno != ENOENT)
		fault_error(b->c, directory, 0, "cannot read it: %s", strerror(errno));
	for (int i = 0; i < n; i++) {
		char *name = mem_format("%s/%s", directory, entries[i]->d_name);
		load_more(b, name);
		mem_free(name);
		mem_free(entries[i]);
	}
	mem_free(entries);
	mem_free(directory);
}

static void warn_of_gaps(struct conf *c, const char *file)
{
	if (!c->house && !c->provisioner.given)
		fault_warn(c, file, 0, "neither devices nor a provisioner: there is nothing to do");
	if (c->house && !c->xmpp.given)
		fault_warn(c, file, 0, "no xmpp section: nobody can reach the things");
}

static void begin(struct conf *c, const char *file)
{
	*c = (struct conf){ .file = mem_text(file) };
	setting_defaults(rows_file, c);
}

static int finish(struct build *b, struct file *take_file)
{
	struct conf *c = b->c;
	struct err e;
	file_free(take_file);
	if (c->house && house_make_things(c->house, &e) < 0)
		fault_error(c, b->main_file, 0, "%s", e.text);
	build_end(b);
	fault_end(c);
	return c->n_errors > b->n_spared ? -1 : 0;
}

int conf_load(struct conf *c, const char *file, const struct protocol *const *protocols)
{
	struct build b = { .c = c, .protocols = protocols, .main_file = file };
	begin(c, file);
	struct file *f = file_load(c, file);
	if (f) {
		load_main(&b, file_root(f));
		load_devices_d(&b, file);
		if (c->n_errors == b.n_spared)
			warn_of_gaps(c, file);
	}
	return finish(&b, f);
}

int conf_parse(struct conf *c, const char *file, const char *text, const struct protocol *const *protocols)
{
	struct build b = { .c = c, .protocols = protocols, .main_file = file };
	begin(c, file);
	struct file *f = file_parse(c, file, text);
	if (f)
		load_main(&b, file_root(f));
	return finish(&b, f);
}

char *conf_control(const char *file)
{
	struct conf c = { 0 };
	setting_defaults(rows_file, &c);
	struct file *f = file_load(&c, file);
	if (f) {
		const struct fill all = { &c, "", "", "", NULL };
		const struct fill_layer layer = { rows_file, &c };
		fill_block(&all, file_root(f), &layer, 1);
	}
	char *guess = f ? NULL : file_guess(file, "control");
	char *control = guess ? guess : mem_text(c.gateway.control);
	file_free(f);
	conf_free(&c);
	return control;
}

void conf_show(const struct conf *c, const struct protocol *const *protocols, struct text *to)
{
	show_conf(c, protocols, to);
}

/* A device that is left out is said loudly. */
void conf_log(const struct conf *c, struct log *log)
{
	char *copy = mem_text(c->errors.data ? c->errors.data : ""), *rest = copy, *line;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			(strstr(line, ": warning: ") ? log_warn : log_error)(log, "%s", line);
	mem_free(copy);
}

void conf_free(struct conf *c)
{
	setting_free(rows_file, c);
	house_free(c->house);
	text_free(&c->errors);
	mem_free(c->file);
	*c = (struct conf){ 0 };
}
