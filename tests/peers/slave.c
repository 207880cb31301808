#include "tests/peers/slave_inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static const char *const fault_names[SLAVE_FAULTS] = {
	[SLAVE_FAULTLESS] = "none",
	[SLAVE_LATE] = "late",
	[SLAVE_SILENT] = "silent",
	[SLAVE_WRONG_UNIT] = "wrong-unit",
	[SLAVE_WRONG_FUNCTION] = "wrong-function",
	[SLAVE_WRONG_TRANSACTION] = "wrong-transaction",
	[SLAVE_WRONG_PROTOCOL] = "wrong-protocol",
	[SLAVE_WRONG_LENGTH] = "wrong-length",
	[SLAVE_TRUNCATED] = "truncated",
	[SLAVE_WRONG_CRC] = "wrong-crc",
	[SLAVE_EXTRA] = "extra",
	[SLAVE_LYING_COUNT] = "lying-count",
	[SLAVE_OTHER_COUNT] = "other-count",
	[SLAVE_EXCEPTION] = "exception",
	[SLAVE_CLOSING] = "closing",
	[SLAVE_ECHO] = "echo",
	[SLAVE_NOISE] = "noise",
	[SLAVE_BABBLING] = "babbling",
	[SLAVE_SLOW] = "slow",
	[SLAVE_TWICE] = "twice",
	[SLAVE_OTHER_WRITE] = "other-write",
};

enum slave_fault slave_fault_named(const char *name)
{
	int i = 0;
	while (i < SLAVE_FAULTS && strcmp(fault_names[i], name) != 0)
		i++;
	return (enum slave_fault)i;
}

static int64_t now_us(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static void enqueue(struct slave *s, const uint8_t *bytes, size_t n, int64_t due_us, bool close_after)
{
	if (s->n_queue == QUEUE)
		return;
	struct answer *last = s->n_queue ? &s->queue[(s->first + s->n_queue - 1) % QUEUE] : NULL;
	struct answer *a = &s->queue[(s->first + s->n_queue++) % QUEUE];
	memcpy(a->bytes, bytes, n);
	a->n = n;
	a->close_after = close_after;
	a->due_us = last && last->due_us > due_us ? last->due_us : due_us;
}

static void send_off(struct slave *s, const uint8_t *frame, size_t n)
{
	int64_t due = now_us() + (s->fault == SLAVE_LATE ? s->argument * 1000LL : 0);
	if (s->fault != SLAVE_SLOW) {
		enqueue(s, frame, n, due, s->fault == SLAVE_CLOSING);
		return;
	}
	for (size_t i = 0; i < n; i++)
		enqueue(s, frame + i, 1, due + (int64_t)i * s->argument * 1000, false);
}

/* asked: the whole frame; unit: where unit and PDU begin in it. */
static void answer(struct slave *s, const uint8_t *asked, size_t n_asked, size_t unit)
{
	uint8_t frame[2 * ROOM];
	s->asked_unit[asked[unit]]++;
	if (asked[unit] < s->unit_first || asked[unit] > s->unit_last || asked[unit] == s->unit_missing)
		return;
	if (s->spoke_us && now_us() - s->spoke_us < s->shortest_gap_us)
		s->shortest_gap_us = now_us() - s->spoke_us;
	s->asked++;
	size_t n = slave_frame(s, asked, n_asked, unit, frame);
	if (s->fault != SLAVE_SILENT)
		send_off(s, frame, n);
	if (s->times > 0 && --s->times == 0)
		s->fault = SLAVE_FAULTLESS;
}

/* Bytes of the question at the head of the input; 0: not yet whole. */
static size_t question_size(const struct slave *s)
{
	size_t n = s->n_in, unit = s->rtu ? 0 : 6;
	if (n < unit + 2)
		return 0;
	if (!s->rtu)
		return n < 6U + slave_word(s->in + 4) ? 0 : 6U + slave_word(s->in + 4);
	size_t size = 8;
	if (s->in[1] == 15 || s->in[1] == 16)
		size = n < 7 ? SIZE_MAX : 9U + s->in[6];
	if (s->in[1] == 22)
		size = 10;
	if (s->in[1] == 23)
		size = n < 11 ? SIZE_MAX : 13U + s->in[10];
	if (s->in[1] == 17)
		size = 4;
	if (s->in[1] == 43)
		size = 7;
	return n < size ? 0 : size;
}

static int baud_of(speed_t speed)
{
	static const struct {
		speed_t speed;
		int baud;
	} rows[] = { { B1200, 1200 },   { B2400, 2400 },   { B4800, 4800 },   { B9600, 9600 },
		     { B19200, 19200 }, { B38400, 38400 }, { B57600, 57600 }, { B115200, 115200 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].speed == speed)
			return rows[i].baud;
	return 0;
}

/* What an answer at another speed would look like. */
static void babble(struct slave *s)
{
	static const uint8_t bytes[] = { 0x00, 0xF8, 0x80, 0xFE, 0x1C };
	s->misheard++;
	enqueue(s, bytes, s->misheard % 2 ? 0 : sizeof(bytes), now_us(), false);
}

/* Both ends of a pseudo terminal have the same settings, those of who opened it for the master; but it forgets PARENB, and what
 * goes with it remains. */
static bool is_understood(const struct slave *s)
{
	struct termios t;
	if (!s->baud || tcgetattr(s->fd, &t) < 0)
		return true;
	char parity = !(t.c_iflag & INPCK) ? 'N' : t.c_cflag & PARODD ? 'O' : 'E';
	return baud_of(cfgetospeed(&t)) == s->baud && parity == s->parity;
}

static void hear(struct slave *s, const uint8_t *bytes, size_t n)
{
	if (!is_understood(s)) {
		babble(s);
		return;
	}
	if (s->rtu && now_us() - s->heard_us > 30000)
		s->n_in = 0;
	s->heard_us = now_us();
	if (s->n_in + n > ROOM)
		s->n_in = n = 0;
	memcpy(s->in + s->n_in, bytes, n);
	s->n_in += n;
	for (size_t size; (size = question_size(s)) > 0;) {
		bool good = !s->rtu || slave_crc(s->in, size - 2) == (s->in[size - 2] | s->in[size - 1] << 8);
		if (good)
			answer(s, s->in, size, s->rtu ? 0 : 6);
		s->n_in = good ? s->n_in - size : 0;
		memmove(s->in, s->in + size, s->n_in);
	}
}

static void hang_up(struct slave *s)
{
	if (s->fd >= 0) {
		shutdown(s->fd, SHUT_RDWR); /* close alone waits for the thread's poll to end */
		close(s->fd);
	}
	s->fd = -1;
	s->n_in = s->n_queue = 0;
}

static void take_connection(struct slave *s)
{
	int one = 1;
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	hang_up(s); /* as small devices do: the newest client has it */
	s->fd = fd;
	s->connections++;
}

static bool connects(const struct slave *s)
{
	return s->listener >= 0;
}

static void take_bytes(struct slave *s)
{
	uint8_t bytes[ROOM / 2];
	ssize_t n = read(s->fd, bytes, sizeof(bytes));
	if (n > 0)
		hear(s, bytes, (size_t)n);
	else if (connects(s) && (n == 0 || errno != EAGAIN))
		hang_up(s);
}

static void speak(struct slave *s)
{
	while (s->n_queue && s->queue[s->first].due_us <= now_us()) {
		struct answer *a = &s->queue[s->first];
		s->first = (s->first + 1) % QUEUE;
		s->n_queue--;
		s->spoke_us = now_us(); /* before: the other side may have it while write has not returned */
		if (s->fd >= 0 && write(s->fd, a->bytes, a->n) < 0 && connects(s))
			a->close_after = true;
		if (a->close_after && connects(s))
			hang_up(s);
	}
}

static void *run(void *ctx)
{
	struct slave *s = ctx;
	for (;;) {
		pthread_mutex_lock(&s->lock);
		struct pollfd fds[] = { { s->stop, POLLIN, 0 }, { s->listener, POLLIN, 0 }, { s->fd, POLLIN, 0 } };
		int64_t left = s->n_queue ? s->queue[s->first].due_us - now_us() : 1000000;
		pthread_mutex_unlock(&s->lock);
		struct timespec most = { left < 0 ? 0 : left / 1000000, left < 0 ? 0 : left % 1000000 * 1000 };
		ppoll(fds, 3, &most, NULL);
		pthread_mutex_lock(&s->lock);
		uint64_t told = 0;
		if (fds[0].revents && read(s->stop, &told, sizeof(told)) == sizeof(told) && told >= 1000) {
			pthread_mutex_unlock(&s->lock);
			return NULL;
		}
		if (fds[1].revents)
			take_connection(s);
		else if (fds[2].revents && fds[2].fd == s->fd)
			take_bytes(s);
		speak(s);
		pthread_mutex_unlock(&s->lock);
	}
}

static void die(const char *what)
{
	perror(what);
	abort();
}

static struct slave *slave_new(void)
{
	struct slave *s = calloc(1, sizeof(*s));
	s->listener = s->fd = s->other_end = -1;
	s->stop = eventfd(0, EFD_CLOEXEC);
	s->unit_last = UNITS - 1;
	s->unit_missing = -1;
	s->shortest_gap_us = INT32_MAX;
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

static struct slave *started(struct slave *s)
{
	if (pthread_create(&s->thread, NULL, run, s) != 0)
		die("slave thread");
	return s;
}

static struct slave *listening(int port, bool rtu)
{
	struct slave *s = slave_new();
	s->rtu = rtu;
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	int one = 1;
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s->listener, (struct sockaddr *)&at, size) < 0 || listen(s->listener, 8) < 0 ||
	    getsockname(s->listener, (struct sockaddr *)&at, &size) < 0)
		die("slave port");
	s->port = ntohs(at.sin_port);
	return started(s);
}

struct slave *slave_tcp(int port)
{
	return listening(port, false);
}

struct slave *slave_rtu_tcp(int port)
{
	return listening(port, true);
}

static void make_raw(int fd)
{
	struct termios t;
	if (tcgetattr(fd, &t) < 0)
		die("slave terminal");
	cfmakeraw(&t);
	tcsetattr(fd, TCSANOW, &t);
}

struct slave *slave_pty(void)
{
	struct slave *s = slave_new();
	s->rtu = true;
	s->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (s->fd < 0 || grantpt(s->fd) < 0 || unlockpt(s->fd) < 0 || ptsname_r(s->fd, s->path, sizeof(s->path)) != 0)
		die("slave pty");
	s->other_end =
		open(s->path, O_RDWR | O_NOCTTY | O_CLOEXEC); /* else the master's end hangs up between clients */
	make_raw(s->other_end);
	return started(s);
}

struct slave *slave_tty(const char *path)
{
	struct slave *s = slave_new();
	s->rtu = true;
	s->fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (s->fd < 0)
		die(path);
	make_raw(s->fd);
	return started(s);
}

static void tell(struct slave *s, uint64_t what)
{
	if (write(s->stop, &what, sizeof(what)) != sizeof(what))
		die("slave");
}

void slave_free(struct slave *s)
{
	if (!s)
		return;
	tell(s, 1000);
	pthread_join(s->thread, NULL);
	hang_up(s);
	if (s->listener >= 0)
		close(s->listener);
	if (s->other_end >= 0)
		close(s->other_end);
	close(s->stop);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int slave_port(const struct slave *s)
{
	return s->port;
}

const char *slave_path(const struct slave *s)
{
	return s->path;
}

void slave_fault(struct slave *s, enum slave_fault fault, int times, int argument)
{
	pthread_mutex_lock(&s->lock);
	s->fault = fault;
	s->times = times;
	s->argument = argument;
	pthread_mutex_unlock(&s->lock);
}

void slave_except(struct slave *s, uint16_t address, uint8_t code)
{
	pthread_mutex_lock(&s->lock);
	s->except[address] = code;
	pthread_mutex_unlock(&s->lock);
}

void slave_lacks(struct slave *s, int function)
{
	pthread_mutex_lock(&s->lock);
	s->lacks[function] = true;
	pthread_mutex_unlock(&s->lock);
}

void slave_sticks(struct slave *s, uint16_t address)
{
	pthread_mutex_lock(&s->lock);
	s->sticks[address] = true;
	pthread_mutex_unlock(&s->lock);
}

void slave_units(struct slave *s, int first, int last)
{
	pthread_mutex_lock(&s->lock);
	s->unit_first = first;
	s->unit_last = last;
	pthread_mutex_unlock(&s->lock);
}

void slave_units_but(struct slave *s, int unit)
{
	pthread_mutex_lock(&s->lock);
	s->unit_missing = unit;
	pthread_mutex_unlock(&s->lock);
}

void slave_line(struct slave *s, int baud, const char *mode)
{
	pthread_mutex_lock(&s->lock);
	s->baud = baud;
	s->parity = mode[1];
	pthread_mutex_unlock(&s->lock);
}

void slave_identify(struct slave *s, const char *maker, const char *product, const char *revision)
{
	const char *words[] = { maker, product, revision };
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < 3; i++)
		snprintf(s->identity[i], sizeof(s->identity[i]), "%s", words[i]);
	pthread_mutex_unlock(&s->lock);
}

void slave_set(struct slave *s, enum slave_table table, uint16_t address, uint16_t value)
{
	pthread_mutex_lock(&s->lock);
	slave_put_cell(s, table, address, value);
	pthread_mutex_unlock(&s->lock);
}

bool slave_get(struct slave *s, enum slave_table table, uint16_t address, uint16_t *ret)
{
	pthread_mutex_lock(&s->lock);
	bool written = s->cells[table][address].written;
	*ret = s->cells[table][address].value;
	pthread_mutex_unlock(&s->lock);
	return written;
}

static unsigned look_at(struct slave *s, const unsigned *counter)
{
	pthread_mutex_lock(&s->lock);
	unsigned n = *counter;
	pthread_mutex_unlock(&s->lock);
	return n;
}

unsigned slave_asked(struct slave *s)
{
	return look_at(s, &s->asked);
}

unsigned slave_asked_unit(struct slave *s, int unit)
{
	return look_at(s, &s->asked_unit[unit]);
}

unsigned slave_wrote(struct slave *s)
{
	return look_at(s, &s->wrote);
}

unsigned slave_connections(struct slave *s)
{
	return look_at(s, &s->connections);
}

int slave_shortest_gap(struct slave *s)
{
	pthread_mutex_lock(&s->lock);
	int gap = (int)s->shortest_gap_us;
	pthread_mutex_unlock(&s->lock);
	return gap;
}

void slave_hang_up(struct slave *s)
{
	pthread_mutex_lock(&s->lock);
	hang_up(s);
	pthread_mutex_unlock(&s->lock);
	tell(s, 1);
}
