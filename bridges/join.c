#include "bridges/join.h"

#include "bridges/mqtt_check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STRANGERS_MOST = 16 /* others who connect to our port */, HELLO_WAIT_S = 5, HELLO_PIECE = 4096 };

static int socket_error(struct err *e)
{
	return err_set(e, "no socket: %s", strerror(errno));
}

int join_begin(struct join *j, struct err *e)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof(at);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*j = (struct join){ .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .inner = -1 };
	if (j->listener < 0 || bind(j->listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(j->listener, STRANGERS_MOST) < 0 || getsockname(j->listener, (struct sockaddr *)&at, &size) < 0)
		return socket_error(e);
	j->port = ntohs(at.sin_port);
	return 0;
}

void join_drop(struct join *j)
{
	if (j->listener >= 0)
		close(j->listener);
	if (j->inner >= 0)
		close(j->inner);
	if (j->hello.size) /* there is a password in it */
		explicit_bzero(j->hello.data, j->hello.size);
	text_free(&j->hello);
	j->listener = j->inner = -1;
}

/* Anybody on this machine may connect to our port: the library is who comes from where its socket is. */
static int accept_library(const struct join *j, int library_fd)
{
	struct sockaddr_in own, from;
	socklen_t own_size = sizeof(own);
	if (getsockname(library_fd, (struct sockaddr *)&own, &own_size) < 0)
		return -1;
	for (int i = 0; i < STRANGERS_MOST; i++) {
		socklen_t from_size = sizeof(from);
		int fd = accept4(j->listener, (struct sockaddr *)&from, &from_size, SOCK_CLOEXEC);
		if (fd < 0 || (from.sin_port == own.sin_port && from.sin_addr.s_addr == own.sin_addr.s_addr))
			return fd;
		close(fd);
	}
	errno = ECONNREFUSED;
	return -1;
}

static bool is_whole(const struct text *hello)
{
	size_t header, body;
	return mqtt_check_header((const uint8_t *)hello->data, hello->size, &header, &body) == 1 &&
	       hello->size >= header + body;
}

/* The whole CONNECT: the library writes it while it connects. */
static int read_hello(struct join *j, int fd)
{
	struct timeval patience = { .tv_sec = HELLO_WAIT_S };
	char piece[HELLO_PIECE];
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (!is_whole(&j->hello)) {
		ssize_t n = recv(fd, piece, sizeof(piece), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		text_add_n(&j->hello, piece, (size_t)n);
	}
	explicit_bzero(piece, sizeof(piece));
	return 0;
}

int join_end(struct join *j, int library_fd, struct err *e)
{
	int pair[2], fd = accept_library(j, library_fd);
	int result = fd < 0 ? -1 : read_hello(j, fd);
	if (result == 0)
		result = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair);
	if (result == 0) {
		j->inner = pair[1];
		result = dup3(pair[0], library_fd, O_CLOEXEC) < 0 ? -1 : 0;
		close(pair[0]);
	}
	if (result < 0)
		socket_error(e);
	if (fd >= 0)
		close(fd);
	return result;
}
