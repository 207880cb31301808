#include "core/loop/notify.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

Test(notify, sends_one_datagram_to_the_socket_of_systemd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)), 0); /* the kernel gives a name */
	socklen_t size = sizeof(address);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	char name[sizeof(address.sun_path) + 1] = "@";
	memcpy(name + 1, address.sun_path + 1, size - offsetof(struct sockaddr_un, sun_path) - 1);
	setenv("NOTIFY_SOCKET", name, 1);
	notify_send("READY=1");
	char got[32] = "";
	cr_assert_eq(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 7);
	cr_assert_str_eq(got, "READY=1");
	close(fd);
	notify_send("STATUS=nobody listens");
	setenv("NOTIFY_SOCKET", "relative", 1);
	notify_send("READY=1");
	unsetenv("NOTIFY_SOCKET");
	notify_send("READY=1");
}

Test(notify, knows_the_watchdog_that_is_meant_for_this_process)
{
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	cr_assert_eq(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	cr_assert_eq(notify_watchdog_ms(), 15000);
	setenv("WATCHDOG_PID", "1", 1);
	cr_assert_eq(notify_watchdog_ms(), 0);
	char pid[16];
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	cr_assert_eq(notify_watchdog_ms(), 15000);
	setenv("WATCHDOG_USEC", "soon", 1);
	cr_assert_eq(notify_watchdog_ms(), 0);
}
