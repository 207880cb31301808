#include "bridges/hafound.h"
#include "core/base/mem.h"
#include "core/conf/conf.h"
#include "core/drivers.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What anybody may say to be found: the topic in the first line, the message behind it. Whatever becomes of it is a configuration
 * without a mistake, for one mistake would cost its device all that it has. */

static void note(void *ctx, const char *source, const char *why, bool strange)
{
	(void)ctx, (void)strange;
	must(*source && *why);
}

static void load(const struct text *devices)
{
	char name[40];
	struct conf c;
	int fd = memfd_create("found", 0);
	must(fd >= 0);
	dprintf(fd,
		"buses = ( { id = \"b\"; protocol = \"mqtt\"; version = \"3.1.1\"; host = \"h\"; } );\ndevices = ( %s "
		");\n",
		devices->data);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	const struct protocol **protocols = drivers_protocols();
	must(conf_load(&c, name, protocols) == 0);
	must(c.n_errors == 0);
	conf_free(&c);
	mem_free(protocols);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct setting_values all = { 0 };
	struct hafound f = {
		.rule = { .prefix = "homeassistant", .filter = &all, .most = 10, .hidden = true, .sources = true }
	};
	const uint8_t *end = memchr(bytes, '\n', size);
	size_t line = end ? (size_t)(end - bytes) : 0;
	if (!end || line > 200 || memchr(bytes, '\0', line))
		return 0;
	char *topic = mem_format("homeassistant/%.*s/config", (int)line, (const char *)bytes);
	struct text devices = { 0 };
	const struct hafound_device *d;
	f.note = note;
	hafound_begin(&f);
	hafound_take(&f, topic, end + 1, size - line - 1);
	while ((d = hafound_next(&f))) {
		text_add(&devices, devices.size ? ", " : "");
		hafound_print_head(d, "b", &devices);
		text_add(&devices, " points = ( ");
		must(hafound_print_points(&f, d, ", ", &devices) == d->n_points);
		text_add(&devices, " ); }");
	}
	if (devices.size)
		load(&devices);
	text_free(&devices);
	hafound_end(&f);
	mem_free(topic);
	return 0;
}
