#include "core/conf/found.h"

#include "core/base/mem.h"
#include "core/conf/build.h"
#include "core/conf/devices.h"
#include "core/conf/fault.h"

#include <string.h>

/* "bus 'broker': 'homeassistant/0x17'" where the name of a file stands else. */
static char *name_of(const struct found_block *block)
{
	char key[64];
	return mem_format("bus '%.60s': found '%s'", block->bus,
			  text_quote(key, sizeof(key), block->key, strlen(block->key)));
}

static void take_out(struct house *h, size_t from)
{
	for (size_t i = from; i < h->n_devices; i++) {
		struct device *d = h->devices[i];
		if (house_find_device(h, d->id) == d)
			map_drop(&h->by_id, d->id);
		house_free_device(h, d);
	}
	h->n_devices = from;
}

static int make_things(struct conf *c, const char *name, size_t from)
{
	struct err e;
	for (size_t i = from; i < c->house->n_devices; i++)
		if (house_make_things_of(c->house, c->house->devices[i], &e) < 0) {
			fault_error(c, name, 0, "%s", e.text);
			return -1;
		}
	return 0;
}

static char *write_file(const struct found_block *block)
{
	return mem_format("devices = ( { bus = \"%s\"; %s );\n", block->bus, block->text + 1);
}

/* And nothing beside it. */
static bool is_device(const struct file_node *root)
{
	const struct file_node *devices = file_find(root, "devices");
	return file_length(root) == 1 && devices && file_length(devices) == 1;
}

int found_build(struct conf *c, const struct house *known, const struct found_block *block,
		const struct protocol *const *protocols)
{
	struct build b = { .c = c, .protocols = protocols, .main_file = c->file, .known = known, .found = block };
	size_t before = c->n_errors, n_devices = c->house->n_devices;
	char *name = name_of(block), *text = *block->text == '{' ? write_file(block) : mem_text("\n");
	struct file *file = file_of_text(c, name, text);
	if (file && is_device(file_root(file)))
		devices_build(&b, file_find(file_root(file), "devices"));
	else if (c->n_errors == before)
		fault_error(c, name, 0, "it is no device");
	if (c->n_errors > before || make_things(c, name, n_devices) < 0)
		take_out(c->house, n_devices);
	file_free(file);
	build_end(&b);
	mem_free(name);
	mem_free(text);
	return c->n_errors > before ? -1 : 0;
}
