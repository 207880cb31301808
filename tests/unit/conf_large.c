/* A large configuration: what is kept of each point, and that nothing of libconfig's tree is. */
#include "core/conf/conf.h"

#include "core/base/mem.h"
#include "core/drivers.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
size_t __sanitizer_get_current_allocated_bytes(void); /* no header of it is installed with every compiler */
#endif

enum { DEVICES = 100, POINTS = 100, MOST_BYTES = 1500 }; /* libconfig's tree of such a point has 2300 more */

static size_t heap(void)
{
#ifdef __SANITIZE_ADDRESS__
	return __sanitizer_get_current_allocated_bytes();
#else
	return mallinfo2().uordblks;
#endif
}

static void write_points(FILE *f)
{
	for (int i = 0; i < POINTS; i++)
		fprintf(f,
			"%s{ id = \"p%d\"; name = \"Point %d\"; type = \"real\"; unit = \"W\"; decimals = 1; deadband = 0.5;\n"
			"  min = -40; max = 120; poll = \"1m\"; wave = \"constant\"; mean = 21.5; }\n",
			i ? "," : "", i, i);
}

static void write_conf(const char *path, bool units)
{
	FILE *f = fopen(path, "w");
	fprintf(f, "xmpp = { domain = \"things.test\"; secret = \"x\"; };\nbuses = ( { id = \"sim\"; protocol = \"sim\"; } );\n");
	fprintf(f, "devices = (\n");
	for (int d = 0; d < (units ? 1 : DEVICES); d++) {
		if (units)
			fprintf(f, "{ id = \"d${unit}\"; bus = \"sim\"; units = \"1-%d\"; points = (\n", DEVICES);
		else
			fprintf(f, "%s{ id = \"d%d\"; bus = \"sim\"; points = (\n", d ? "," : "", d);
		write_points(f);
		fprintf(f, "); }\n");
	}
	fprintf(f, ");\n");
	fclose(f);
	chmod(path, 0600);
}

static void load(bool units)
{
	char path[] = "/tmp/jidgate-large-XXXXXX";
	struct conf c;
	const struct protocol **protocols = drivers_protocols();
	close(mkstemp(path));
	write_conf(path, units);
	size_t before = heap();
	cr_assert_eq(conf_load(&c, path, protocols), 0, "%s", c.errors.data);
	size_t each = (heap() - before) / (DEVICES * POINTS);
	cr_expect_eq(c.house->things.n, DEVICES * POINTS);
	cr_expect_leq(each, MOST_BYTES, "%zu bytes a point", each);
	conf_free(&c);
	cr_expect_leq(heap(), before + 4096, "%zu bytes are left", heap() - before);
	mem_free(protocols);
	unlink(path);
}

Test(conf_large, keeps_of_a_point_only_what_is_needed)
{
	load(false);
}

Test(conf_large, keeps_of_a_point_of_many_units_only_what_is_needed)
{
	load(true);
}
