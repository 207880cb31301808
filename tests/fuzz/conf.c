#include "core/base/mem.h"
#include "core/conf/conf.h"
#include "core/drivers.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A configuration file: it is taken, or there is a sentence about it; what was taken can be shown. */

static bool names_a_file(const char *bytes, size_t size)
{
	static const char *const words[] = { "include", "_file", "template" };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (memmem(bytes, size, words[i], strlen(words[i])))
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char name[40];
	struct conf c;
	struct text shown = { 0 };
	if (names_a_file((const char *)bytes, size))
		return 0; /* whatever there is on this machine */
	int fd = memfd_create("conf", 0);
	must(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	const struct protocol **protocols = drivers_protocols();
	int status = conf_load(&c, name, protocols);
	must(status == 0 || c.n_errors > 0);
	must(c.n_errors == 0 || c.errors.size > 0);
	if (status == 0)
		conf_show(&c, protocols, &shown);
	text_free(&shown);
	conf_free(&c);
	mem_free(protocols);
	close(fd);
	return 0;
}
