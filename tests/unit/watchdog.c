/* What systemd hears: fed while everything is alive, hungry while something hangs, and each text once. */
#include "core/watchdog.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { EVERY_MS = 15000 }; /* half of what systemd waits */

static struct {
	char path[64];
	int fd;
	bool alive;
	struct loop *loop;
	struct watchdog dog;
} here;

static bool is_alive(void *ctx)
{
	return *(bool *)ctx;
}

static void begin(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	snprintf(here.path, sizeof(here.path), "/tmp/jidgate-notify-%d", (int)getpid());
	memcpy(to.sun_path, here.path, strlen(here.path) + 1);
	here.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(bind(here.fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	setenv("NOTIFY_SOCKET", here.path, 1);
	setenv("WATCHDOG_USEC", "30000000", 1);
	unsetenv("WATCHDOG_PID");
	here.alive = true;
	here.loop = loop_new();
	watchdog_begin(&here.dog, here.loop, is_alive, &here.alive);
}

static void end(void)
{
	watchdog_end(&here.dog);
	loop_free(here.loop);
	close(here.fd);
	unlink(here.path);
}

TestSuite(watchdog, .init = begin, .fini = end);

static const char *heard(void)
{
	static char text[256];
	ssize_t size = recv(here.fd, text, sizeof(text) - 1, 0);
	text[size > 0 ? size : 0] = '\0';
	return text;
}

static void pass(void)
{
	loop_skip(here.loop, EVERY_MS);
	loop_turn(here.loop);
}

Test(watchdog, is_fed_while_all_is_alive_and_not_while_something_hangs)
{
	for (int i = 0; i < 3; i++) {
		pass();
		cr_expect_str_eq(heard(), "WATCHDOG=1");
		cr_expect_str_eq(heard(), "");
	}
	here.alive = false;
	for (int i = 0; i < 3; i++) {
		pass();
		cr_expect_str_eq(heard(), "");
	}
	here.alive = true;
	pass();
	cr_expect_str_eq(heard(), "WATCHDOG=1");
}

Test(watchdog, says_a_status_when_it_has_changed_and_nothing_after_goodbye)
{
	watchdog_status(&here.dog, "one");
	watchdog_status(&here.dog, "one");
	watchdog_status(&here.dog, "two");
	watchdog_ready(&here.dog);
	cr_expect_str_eq(heard(), "STATUS=one");
	cr_expect_str_eq(heard(), "STATUS=two");
	cr_expect_str_eq(heard(), "READY=1");
	watchdog_stopping(&here.dog);
	cr_expect_str_eq(heard(), "STOPPING=1");
	cr_expect_eq(here.dog.timer.place, 0, "no meal while the parts close");
}
