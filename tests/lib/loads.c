#include "tests/lib/loads.h"

#include "core/base/mem.h"
#include "core/conf/conf.h"
#include "core/drivers.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void loads_devices(const char *devices, size_t n_devices)
{
	char path[] = "/tmp/jidgate-loads-XXXXXX";
	int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	dprintf(fd, "buses = ( { id = \"broker\"; protocol = \"mqtt\"; host = \"192.0.2.1\"; } );\ndevices = (\n%s);\n",
		devices);
	const struct protocol **protocols = drivers_protocols();
	struct conf c;
	cr_expect_eq(conf_load(&c, path, protocols), 0, "%s", c.errors.data);
	cr_expect_eq(c.n_errors, 0, "%s", c.errors.data);
	cr_expect_eq(c.house->n_devices, n_devices);
	conf_free(&c);
	mem_free(protocols);
	close(fd);
	unlink(path);
}
