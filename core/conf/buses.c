#include "core/conf/buses.h"

#include "core/base/mem.h"
#include "core/conf/ident.h"
#include "core/conf/nearest.h"
#include "core/conf/rows.h"

#include <stdio.h>

static void say_protocols(const struct fill *f, const struct file_node *n, const struct protocol *const *protocols)
{
	const char *words[32] = { NULL };
	struct text said = { 0 };
	for (size_t i = 0; protocols[i] && i < sizeof(words) / sizeof(*words) - 1; i++)
		words[i] = protocols[i]->name;
	nearest_say(words, file_text(n), &said);
	fill_fault(f, n, "protocol", "must be %s", said.data);
	text_free(&said);
}

static void check_id(const struct build *b, const struct fill *f, const struct file_node *n, const char *id)
{
	struct err e;
	const struct bus *first = house_find_bus(b->c->house, id);
	if (ident_check(id, &e) < 0)
		fill_fault(f, n, "id", "%s", e.text);
	else if (first)
		fill_fault(f, n, "id", "the bus at %s:%d has it already", first->file, first->line);
}

static void fill_bus(const struct build *b, const struct fill *f, const struct file_node *n, struct bus *bus,
		     struct rows_bus *head)
{
	const struct protocol *protocol = build_protocol(b->protocols, file_text_of(n, "protocol"));
	size_t before = b->c->n_errors;
	struct err e;
	if (!protocol) {
		const struct file_node *word = file_find(n, "protocol");
		if (!word)
			fill_fault(f, n, NULL, "'protocol' is missing: %s", setting_find(rows_bus, "protocol")->help);
		else if (file_kind(word) == FILE_TEXT)
			say_protocols(f, word, b->protocols);
		else
			fill_fault(f, word, "protocol", "must be a word in quotes");
		return; /* its keys mean nothing without the protocol's rows */
	}
	bus->protocol = protocol->name;
	bus->options = setting_new(protocol->options, protocol->options_size);
	const struct fill_layer layers[] = { { rows_bus, head }, { protocol->options, bus->options } };
	fill_block(f, n, layers, 2);
	if (b->c->n_errors == before && protocol->check_bus && protocol->check_bus(bus, &e) < 0)
		fill_fault(f, n, NULL, "%s", e.text);
}

static void build_bus(struct build *b, const struct file_node *n, size_t i)
{
	char name[80];
	const char *id = file_text_of(n, "id");
	if (id)
		snprintf(name, sizeof(name), "bus '%.60s'", id);
	else
		snprintf(name, sizeof(name), "bus %zu", i + 1);
	const struct fill f = { b->c, name, name, "", NULL };
	struct bus *bus = mem_new(sizeof(*bus));
	struct rows_bus head = { 0 };
	bus->id = mem_text(id ? id : "");
	bus->file = house_file(b->c->house, file_name(n));
	bus->line = file_line(n);
	if (id)
		check_id(b, &f, n, id);
	fill_bus(b, &f, n, bus, &head);
	setting_free(rows_bus, &head);
	house_add_bus(b->c->house, bus);
}

void buses_build(struct build *b, const struct file_node *list)
{
	for (size_t i = 0; i < file_length(list); i++) {
		const struct file_node *n = file_at(list, i);
		if (file_kind(n) == FILE_GROUP)
			build_bus(b, n, i);
		else
			fault_error(b->c, file_name(n), file_line(n), "a bus is a group { id = ...; ... }");
	}
}
