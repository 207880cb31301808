#include "core/conf/build.h"

#include "core/base/mem.h"
#include "core/conf/buses.h"
#include "core/conf/devices.h"
#include "core/conf/template.h"

#include <string.h>

const struct protocol *build_protocol(const struct protocol *const *protocols, const char *name)
{
	for (; name && *protocols; protocols++)
		if (strcmp((*protocols)->name, name) == 0)
			return *protocols;
	return NULL;
}

const struct house *build_known(const struct build *b)
{
	return b->known ? b->known : b->c->house;
}

bool build_replaces(const struct build *b, const struct device *there, const char *id)
{
	return b->found && b->known != b->c->house && text_same(there->id, id) &&
	       text_same(there->found, b->found->key) && text_same(there->bus->id, b->found->bus);
}

void build_house(struct build *b, const struct file_node *root)
{
	const struct file_node *buses = file_find(root, "buses"), *devices = file_find(root, "devices");
	if (!buses && !devices)
		return;
	if (!b->c->house) {
		b->c->house = house_new();
		b->c->house->free_options = setting_drop;
	}
	if (buses && file_kind(buses) == FILE_LIST)
		buses_build(b, buses);
	if (devices && file_kind(devices) == FILE_LIST)
		devices_build(b, devices);
}

void build_end(struct build *b)
{
	struct local *local;
	for (size_t at = 0; (local = map_next(&b->locals, &at));) {
		mem_free(local->text);
		mem_free(local);
	}
	map_free(&b->locals);
	map_free(&b->devices);
	template_free_all(b);
}
