/* Starts and stops in which something does not do its part. The list of drivers is this file's own. */
#include "core/base/mem.h"
#include "core/drivers.h"
#include "core/gateway.h"
#include "tests/unit/store_place.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

static int stubborn_open(struct bridge *b, struct err *e)
{
	(void)e;
	bridge_up(b);
	raise(SIGTERM);
	return 0;
}

static void stubborn_close(struct bridge *b)
{
	loop_skip(b->loop, 10000);
}

static const struct bridge_driver stubborn = {
	.protocol = { .name = "stubborn" }, .size = 1, .open = stubborn_open, .close = stubborn_close
};
const struct bridge_driver *const driver_list[] = { &stubborn, NULL };

static int run(const char *state, struct err *e)
{
	static const struct protocol *const protocols[] = { &stubborn.protocol, NULL };
	struct conf conf;
	struct log log;
	char path[128];
	snprintf(path, sizeof(path), "/tmp/jidgate-breach-%d.conf", (int)getpid());
	FILE *f = fopen(path, "w");
	cr_assert(f);
	fprintf(f,
		"gateway = { name = \"x\"; state = \"%s\"; };\n"
		"xmpp = { domain = \"t.test\"; host = \"127.0.0.1\"; port = 1; secret = \"x\"; };\n"
		"buses = ( { id = \"s\"; protocol = \"stubborn\"; } );\n"
		"devices = ( { id = \"d\"; bus = \"s\"; name = \"D\"; points = ( { id = \"t\"; name = \"T\"; type = "
		"\"real\"; } ); } );\n",
		state);
	fclose(f);
	cr_assert_eq(conf_load(&conf, path, protocols), 0, "%s", conf.errors.data);
	unlink(path);
	log_init(&log, LOG_LEVEL_ERROR, NULL);
	int status = gateway_run(&conf, protocols, &log, e);
	conf_free(&conf);
	return status;
}

Test(breach_gateway, says_why_it_cannot_start)
{
	struct err e = { "" };
	cr_expect_lt(run("/nowhere/at/all", &e), 0);
	cr_expect(strstr(e.text, "/nowhere/at/all"), "%s", e.text);
}

/* What was to be kept is on disk; the rest is the kernel's. */
Test(breach_gateway, ends_without_a_driver_that_does_not_close)
{
	struct err e = { "" };
	char folder[] = "/tmp/jidgate-breach-XXXXXX";
	int status;
	cr_assert(mkdtemp(folder));
	pid_t child = fork();
	if (child == 0) {
		run(folder, &e);
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 1, "%x", (unsigned)status);
	remove_all(folder);
}
