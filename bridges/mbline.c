#include "bridges/mbline.h"

#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { ADDRESSES_MOST = 8, PTY_FIRST = 136, PTY_LAST = 143 /* major numbers of pseudo terminals */ };

struct mbline {
	const struct mbaddress_rtu *rtu; /* one of the two */
	const struct mbaddress_tcp *tcp;
	struct sockaddr_storage addresses[ADDRESSES_MOST];
	size_t n_addresses;
	int stop; /* eventfd, readable for ever once stopped */
	int fd;   /* -1: not open */
	int lock; /* RTU: a second descriptor that holds the lock from before the port is touched */
	modbus_t *port;
};

int64_t mbline_now(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static struct mbline *line_new(void)
{
	struct mbline *l = mem_new(sizeof(*l));
	l->fd = l->lock = -1;
	l->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	must(l->stop >= 0);
	return l;
}

struct mbline *mbline_new_rtu(const struct mbaddress_rtu *options)
{
	struct mbline *l = line_new();
	l->rtu = options;
	return l;
}

struct mbline *mbline_new_tcp(const struct mbaddress_tcp *options)
{
	struct mbline *l = line_new();
	l->tcp = options;
	return l;
}

void mbline_free(struct mbline *l)
{
	if (!l)
		return;
	mbline_shut(l);
	close(l->stop);
	mem_free(l);
}

void mbline_addresses(struct mbline *l, const struct sockaddr_storage *list, size_t n)
{
	l->n_addresses = n < ADDRESSES_MOST ? n : ADDRESSES_MOST;
	memcpy(l->addresses, list, l->n_addresses * sizeof(*list));
}

void mbline_stop(struct mbline *l)
{
	uint64_t one = 1;
	must(write(l->stop, &one, sizeof(one)) == sizeof(one));
}

bool mbline_is_stopped(const struct mbline *l)
{
	struct pollfd stop = { l->stop, POLLIN, 0 };
	return poll(&stop, 1, 0) > 0;
}

/* Until one of the events, the stop or the time. fd may be -1: then only stop and time. */
static int wait_for(struct mbline *l, int fd, short events, int64_t until_us)
{
	for (;;) {
		struct pollfd fds[] = { { l->stop, POLLIN, 0 }, { fd, events, 0 } };
		int64_t left = until_us - mbline_now();
		if (left < 0)
			left = 0;
		struct timespec most = { .tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000 };
		int n = ppoll(fds, 2, &most, NULL);
		must(n >= 0 || errno == EINTR);
		if (n > 0 && fds[0].revents)
			return MBLINE_STOPPED;
		if (n > 0)
			return MBLINE_OK;
		if (n == 0)
			return MBLINE_TIMEOUT;
	}
}

int mbline_pause(struct mbline *l, int64_t until_us)
{
	int status = until_us > mbline_now() ? wait_for(l, -1, 0, until_us) : MBLINE_OK;
	return status == MBLINE_STOPPED ? status : MBLINE_OK;
}

/* Other programs are kept out by flock and, on real ports, by TIOCEXCL. A pseudo terminal outlives us with that flag set
 * when we are killed, and would keep us out too. */
static int lock_port(struct mbline *l, struct err *e)
{
	const char *device = l->rtu->device;
	l->lock = open(device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (l->lock < 0)
		return err_set(e, "cannot open '%s': %s", device,
			       errno == EBUSY ? "in use by another program" : strerror(errno));
	if (flock(l->lock, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, "cannot open '%s': %s", device,
			       errno == EWOULDBLOCK ? "in use by another program" : strerror(errno));
	return 0;
}

static void keep_others_out(int fd)
{
	struct stat st;
	if (fstat(fd, &st) == 0 && (major(st.st_rdev) < PTY_FIRST || major(st.st_rdev) > PTY_LAST))
		ioctl(fd, TIOCEXCL);
}

/* sends: as while we send, else as while we listen */
static int set_rts(const struct mbline *l, bool sends)
{
	int rts = TIOCM_RTS;
	return ioctl(l->fd, sends == (l->rtu->rs485 == MBADDRESS_RS485_RTS_UP) ? TIOCMBIS : TIOCMBIC, &rts);
}

static bool switches_rts(const struct mbline *l)
{
	return l->rtu && l->rtu->rs485 >= MBADDRESS_RS485_RTS_UP;
}

static int set_direction(struct mbline *l, struct err *e)
{
	if (switches_rts(l) && set_rts(l, false) < 0)
		return err_set(e, "rs485: '%s' has no RTS to switch (%s); use \"none\"", l->rtu->device,
			       strerror(errno));
	if (switches_rts(l) || l->rtu->rs485 == MBADDRESS_RS485_NONE ||
	    modbus_rtu_set_serial_mode(l->port, MODBUS_RTU_RS485) == 0)
		return 0;
	return err_set(e, "rs485: the kernel's driver of '%s' cannot switch the direction (%s); use \"none\"",
		       l->rtu->device, strerror(errno));
}

static int open_port(struct mbline *l, struct err *e)
{
	const struct mbaddress_mode *mode = &mbaddress_modes[l->rtu->mode];
	if (lock_port(l, e) < 0)
		return -1;
	l->port = modbus_new_rtu(l->rtu->device, (int)l->rtu->baud, mode->parity, 8, mode->stop_bits);
	if (!l->port || modbus_connect(l->port) < 0)
		return err_set(e, "cannot set up '%s': %s", l->rtu->device, modbus_strerror(errno));
	l->fd = modbus_get_socket(l->port);
	keep_others_out(l->fd);
	return set_direction(l, e);
}

static int finish_connecting(struct mbline *l, int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);
	int status = wait_for(l, fd, POLLOUT, mbline_now() + l->tcp->timeout_ms * 1000);
	if (status != MBLINE_OK)
		return status == MBLINE_STOPPED ? ECANCELED : ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return error;
}

/* 0 or what went wrong, as errno */
static int connect_to(struct mbline *l, const struct sockaddr_storage *address)
{
	int one = 1;
	socklen_t size = address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	int error = connect(fd, (const struct sockaddr *)address, size) == 0 ? 0 : errno;
	if (error == EINPROGRESS)
		error = finish_connecting(l, fd);
	if (error)
		close(fd);
	else
		l->fd = fd;
	return error;
}

static int open_connection(struct mbline *l, struct err *e)
{
	int error = EADDRNOTAVAIL;
	for (size_t i = 0; i < l->n_addresses && error && error != ECANCELED; i++)
		error = connect_to(l, &l->addresses[i]);
	return error ? err_set(e, "%s port %lld: %s", l->tcp->host, (long long)l->tcp->port, strerror(error)) : 0;
}

/* The kernel may end a wait 50 us late to save wake-ups; the silences of a fast line are not much longer. */
static void wait_exactly(void)
{
	prctl(PR_SET_TIMERSLACK, 1L);
}

int mbline_open(struct mbline *l, struct err *e)
{
	wait_exactly();
	mbline_shut(l);
	if ((l->tcp ? open_connection : open_port)(l, e) == 0)
		return 0;
	mbline_shut(l);
	return -1;
}

static void shut_port(struct mbline *l)
{
	if (l->fd >= 0) {
		tcflush(l->fd, TCIOFLUSH); /* else close may wait for bytes that nobody takes */
		modbus_close(l->port);
	}
	modbus_free(l->port);
	if (l->lock >= 0)
		close(l->lock);
	l->port = NULL;
	l->lock = -1;
}

void mbline_shut(struct mbline *l)
{
	if (l->rtu)
		shut_port(l);
	else if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

bool mbline_is_open(const struct mbline *l)
{
	return l->fd >= 0;
}

static int lost(const struct mbline *l, ssize_t n, struct err *e)
{
	const char *why = n < 0 ? strerror(errno) : l->tcp ? "closed by the device" : "unplugged";
	err_set(e, "%s: %s", l->tcp ? l->tcp->host : l->rtu->device, why);
	return MBLINE_LOST;
}

/* A serial port without bytes reads as 0, and so does one that was unplugged: poll knows the difference. */
static bool is_later(const struct mbline *l, ssize_t n)
{
	struct pollfd port = { l->fd, POLLIN, 0 };
	if (n == 0 && l->rtu)
		return poll(&port, 1, 0) <= 0 || !(port.revents & (POLLHUP | POLLERR));
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

static ssize_t put(const struct mbline *l, const uint8_t *bytes, size_t n)
{
	return l->tcp ? send(l->fd, bytes, n, MSG_NOSIGNAL) : write(l->fd, bytes, n);
}

static int send_all(struct mbline *l, const uint8_t *bytes, size_t n, int64_t until_us, struct err *e)
{
	while (n > 0) {
		ssize_t sent = put(l, bytes, n);
		if (sent <= 0 && !is_later(l, sent))
			return lost(l, sent, e);
		if (sent > 0) {
			bytes += sent;
			n -= (size_t)sent;
			continue;
		}
		int status = wait_for(l, l->fd, POLLOUT, until_us);
		if (status != MBLINE_OK)
			return status;
	}
	return MBLINE_OK;
}

/* The line is ours until the last bit has left the port, and not longer: the device answers soon. */
int mbline_send(struct mbline *l, const uint8_t *bytes, size_t n, int64_t until_us, struct err *e)
{
	if (!switches_rts(l))
		return send_all(l, bytes, n, until_us, e);
	if (set_rts(l, true) < 0)
		return lost(l, -1, e);
	int status = send_all(l, bytes, n, until_us, e);
	if (status == MBLINE_OK)
		tcdrain(l->fd);
	if (set_rts(l, false) < 0 && status == MBLINE_OK)
		return lost(l, -1, e);
	return status;
}

int mbline_receive(struct mbline *l, uint8_t *bytes, size_t room, int64_t until_us, size_t *ret_n, struct err *e)
{
	for (;;) {
		int status = wait_for(l, l->fd, POLLIN, until_us);
		if (status != MBLINE_OK)
			return status;
		ssize_t n = read(l->fd, bytes, room);
		if (n > 0) {
			*ret_n = (size_t)n;
			return MBLINE_OK;
		}
		if (!is_later(l, n))
			return lost(l, n, e);
	}
}

int mbline_discard(struct mbline *l, struct err *e)
{
	uint8_t bytes[512];
	for (int turns = 0; turns < 64; turns++) { /* a babbler is not worth more */
		ssize_t n = read(l->fd, bytes, sizeof(bytes));
		if (is_later(l, n))
			return MBLINE_OK;
		if (n <= 0)
			return lost(l, n, e);
	}
	return MBLINE_OK;
}
