#include "core/conf/manual.h"

#include "core/conf/rows.h"

#include <inttypes.h>

static const char *const types_said[SETTING_TYPES] = {
	[SETTING_TEXT] = "text",
	[SETTING_BOOL] = "true or false",
	[SETTING_INT] = "whole number",
	[SETTING_INT32] = "whole number",
	[SETTING_DECIMAL] = "number",
	[SETTING_DURATION] = "duration",
	[SETTING_SIZE] = "size",
	[SETTING_WORD] = "word",
	[SETTING_SECRET] = "secret",
	[SETTING_NAMES] = "text, or by language",
	[SETTING_GROUP] = "group",
	[SETTING_LIST] = "list of groups",
	[SETTING_VALUES] = "list of values",
	[SETTING_BLOCKS] = "list of groups",
	[SETTING_LATER] = "as there",
};

static void add_words(const struct setting *row, struct text *to)
{
	for (size_t i = 0; row->words[i]; i++)
		text_addf(to, "%s`%s`", i ? ", " : "", row->words[i]);
}

static void add_type(const struct setting *row, struct text *to)
{
	bool integer = row->type == SETTING_INT || row->type == SETTING_INT32;
	if (row->type == SETTING_WORD) {
		add_words(row, to);
		return;
	}
	text_add(to, types_said[row->type]);
	if (integer && (row->min != 0 || row->max != 0))
		text_addf(to, ", %" PRId64 " to %" PRId64, row->min, row->max);
	if (integer && row->words) {
		text_add(to, ", or ");
		add_words(row, to);
	}
}

static void add_row(const char *path, const struct setting *row, struct text *to)
{
	text_addf(to, "| `%s%s`", path, row->key);
	if (row->type == SETTING_SECRET)
		text_addf(to, " or `%s%s_file`", path, row->key);
	text_add(to, " | ");
	add_type(row, to);
	text_add(to, " | ");
	if (row->flags & SETTING_REQUIRED)
		text_add(to, "required");
	else if (row->fallback)
		text_addf(to, "`%s`", row->fallback);
	text_add(to, " | ");
	for (const char *at = row->help ? row->help : ""; *at; at++)
		text_addf(to, "%s%c", *at == '|' ? "\\" : "", *at);
	text_add(to, " |\n");
}

static void add_rows(const char *path, const struct setting *rows, struct text *to)
{
	for (; rows && rows->key; rows++) {
		char inner[128];
		add_row(path, rows, to);
		snprintf(inner, sizeof(inner), "%s%s%s", path, rows->key, rows->type == SETTING_LIST ? "[]." : ".");
		if (rows->rows && rows->type != SETTING_BLOCKS)
			add_rows(inner, rows->rows, to);
	}
}

static void add_table(const char *title, const struct setting *rows, struct text *to)
{
	if (!rows || !rows->key)
		return;
	text_addf(to, "\n### %s\n\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n", title);
	add_rows("", rows, to);
}

static void add_poll(const struct protocol *p, struct text *to)
{
	const struct setting poll = { .type = SETTING_DURATION, .flags = SETTING_ZERO };
	if (p->poll_ms == 0) {
		text_add(to, "\nPoints are not polled unless `poll` is given.\n");
		return;
	}
	text_add(to, "\nThe default of `poll` is ");
	setting_print(&poll, &p->poll_ms, to);
	text_add(to, ".\n");
}

static void add_protocol(const struct protocol *p, struct text *to)
{
	char title[80];
	snprintf(title, sizeof(title), "Bus with `protocol = \"%s\"`", p->name);
	add_table(title, p->options, to);
	snprintf(title, sizeof(title), "Device on a bus with `%s`", p->name);
	add_table(title, p->device, to);
	snprintf(title, sizeof(title), "Point on a bus with `%s`", p->name);
	add_table(title, p->address, to);
	add_poll(p, to);
}

void manual_settings(const struct protocol *const *protocols, struct text *to)
{
	for (const struct setting *row = rows_file; row->key; row++)
		if (row->type == SETTING_GROUP) {
			char title[80];
			snprintf(title, sizeof(title), "`%s`: %s", row->key, row->help);
			add_table(title, row->rows, to);
		}
	add_table("Bus: a group in `buses`", rows_bus, to);
	add_table("Device: a group in `devices`", rows_device_bus, to);
	add_rows("", rows_device, to);
	add_table("Point: a group in a device's `points`", rows_point, to);
	add_table("Template: a file `templates.d/NAME.conf`", rows_template, to);
	for (; *protocols; protocols++)
		add_protocol(*protocols, to);
}
