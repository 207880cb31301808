#include "tests/peers/libcoap_server.h"

#include "core/base/err.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static socklen_t address_of(const char *text, int port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return sizeof(*v4);
	}
	must(inet_pton(AF_INET6, text, &v6->sin6_addr) == 1);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	return sizeof(*v6);
}

/* A port that is free, and so is the next. */
static int free_port(const char *address)
{
	for (;;) {
		struct sockaddr_storage at;
		socklen_t size = address_of(address, 0, &at);
		int fd = socket(at.ss_family, SOCK_DGRAM, 0), next = socket(at.ss_family, SOCK_DGRAM, 0);
		must(bind(fd, (struct sockaddr *)&at, size) == 0);
		must(getsockname(fd, (struct sockaddr *)&at, &size) == 0);
		int port = ntohs(((struct sockaddr_in *)&at)->sin_port); /* at the same place in both families */
		size = address_of(address, port + 1, &at);
		int free = port < 65535 && bind(next, (struct sockaddr *)&at, size) == 0;
		close(fd);
		close(next);
		if (free)
			return port;
	}
}

/* An empty confirmable message is answered with RST (RFC 7252 section 4.3). */
static void wait_until_it_answers(const struct libcoap_server *s)
{
	static const char ping[] = { 0x40, 0, 1, 2 };
	struct sockaddr_storage at;
	socklen_t size = address_of(s->address, s->port, &at);
	struct pollfd fd = { .fd = socket(at.ss_family, SOCK_DGRAM, 0), .events = POLLIN };
	char room[16];
	must(connect(fd.fd, (struct sockaddr *)&at, size) == 0);
	do {
		send(fd.fd, ping, sizeof(ping), MSG_NOSIGNAL);
		must(waitpid(s->pid, NULL, WNOHANG) == 0);
		poll(&fd, 1, 20);
	} while (recv(fd.fd, room, sizeof(room), MSG_DONTWAIT) != 4);
	close(fd.fd);
}

void libcoap_server_restart(struct libcoap_server *s)
{
	char port[8];
	const char *argv[32] = { "coap-server-openssl", "-A", s->address, "-p", port, "-d", "10" };
	size_t n = 7;
	snprintf(port, sizeof(port), "%d", s->port);
	for (size_t i = 0; s->args[i]; i++)
		argv[n++] = s->args[i];
	s->pid = fork();
	must(s->pid >= 0);
	if (s->pid == 0) {
		int null = open("/dev/null", O_RDWR);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], (char **)(void *)argv);
		_exit(127);
	}
	wait_until_it_answers(s);
}

void libcoap_server_begin(struct libcoap_server *s, const char *address, const char *const *args)
{
	*s = (struct libcoap_server){ .address = address, .port = free_port(address) };
	for (size_t i = 0; args && args[i]; i++)
		s->args[i] = args[i];
	libcoap_server_restart(s);
}

void libcoap_server_kill(struct libcoap_server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
}

bool libcoap_server_has_ipv6(void)
{
	struct sockaddr_storage at;
	socklen_t size = address_of("::1", 0, &at);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&at, size) == 0;
	close(fd);
	return ok;
}
