#include "core/loop/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Size of the address, 0 if path is none: "/run/..." or "@abstract". */
static socklen_t make_address(struct sockaddr_un *address, const char *path)
{
	size_t size = path ? strlen(path) : 0;
	if (size < 2 || size >= sizeof(address->sun_path) || (path[0] != '/' && path[0] != '@'))
		return 0;
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(address->sun_path, path, size);
	if (path[0] == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

void notify_send(const char *state)
{
	struct sockaddr_un address;
	socklen_t size = make_address(&address, getenv("NOTIFY_SOCKET"));
	if (size == 0)
		return;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address, size);
	close(fd);
}

static int64_t number(const char *text)
{
	if (!text || text[0] < '0' || text[0] > '9')
		return -1;
	char *end;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	return errno || *end ? -1 : (int64_t)n;
}

int64_t notify_watchdog_ms(void)
{
	int64_t usec = number(getenv("WATCHDOG_USEC"));
	const char *pid = getenv("WATCHDOG_PID");
	if (usec <= 0 || (pid && number(pid) != (int64_t)getpid()))
		return 0;
	return usec / 2000;
}
