#include "tests/peers/slave.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 300, QUEUE = 64, ADDRESSES = 65536, TABLES = 4, UNITS = 256 };

struct answer {
	int64_t due_us;
	uint8_t bytes[2 * ROOM];
	size_t n;
	bool close_after;
};

struct slave {
	pthread_t thread;
	pthread_mutex_t lock;
	int stop, listener, fd, other_end;
	int port;
	char path[64];
	bool rtu;

	uint8_t in[ROOM];
	size_t n_in;
	int64_t heard_us;
	struct answer queue[QUEUE];
	size_t first, n_queue;

	enum slave_fault fault;
	int times, argument;
	int unit_first, unit_last;
	unsigned asked, wrote, connections;
	unsigned asked_unit[UNITS];
	int64_t spoke_us, shortest_gap_us;
	uint8_t except[ADDRESSES];
	struct {
		bool written;
		uint16_t value;
	} cells[TABLES][ADDRESSES];
};

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

static uint16_t take16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, unsigned number)
{
	at[0] = (uint8_t)(number >> 8);
	at[1] = (uint8_t)number;
}

/* Nibble table, unlike the driver's: the two check each other. */
static uint16_t crc_of(const uint8_t *bytes, size_t n)
{
	static const uint16_t table[] = { 0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
					  0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400 };
	unsigned crc = 0xFFFF;
	for (size_t i = 0; i < n; i++) {
		crc = crc >> 4 ^ table[(crc ^ bytes[i]) & 15];
		crc = crc >> 4 ^ table[(crc ^ bytes[i] >> 4) & 15];
	}
	return (uint16_t)crc;
}

static uint16_t cell(const struct slave *s, enum slave_table table, uint16_t address)
{
	if (s->cells[table][address].written)
		return s->cells[table][address].value;
	if (table == SLAVE_COILS || table == SLAVE_DISCRETES)
		return address % 3 == 0;
	unsigned place = table == SLAVE_INPUTS ? 128U : 0;
	return (uint16_t)((place | (address & 127U)) << 8 | (s->asked & 255U));
}

static void put_cell(struct slave *s, enum slave_table table, uint16_t address, uint16_t value)
{
	s->cells[table][address].written = true;
	s->cells[table][address].value = value;
}

static size_t read_bits(struct slave *s, enum slave_table table, const uint8_t *asked, uint8_t *pdu)
{
	uint16_t first = take16(asked + 1), count = take16(asked + 3);
	pdu[1] = (uint8_t)((count + 7) / 8);
	memset(pdu + 2, 0, pdu[1]);
	for (uint16_t i = 0; i < count; i++)
		if (cell(s, table, (uint16_t)(first + i)))
			pdu[2 + i / 8] |= (uint8_t)(1 << i % 8);
	return 2U + pdu[1];
}

static size_t read_registers(struct slave *s, enum slave_table table, const uint8_t *asked, uint8_t *pdu)
{
	uint16_t first = take16(asked + 1), count = take16(asked + 3);
	count = (uint16_t)(count + (s->fault == SLAVE_OTHER_COUNT));
	pdu[1] = (uint8_t)(2 * count);
	for (uint16_t i = 0; i < count; i++)
		put16(pdu + 2 + 2 * i, cell(s, table, (uint16_t)(first + i)));
	return 2U + pdu[1];
}

static void write_cells(struct slave *s, const uint8_t *asked)
{
	uint16_t first = take16(asked + 1), second = take16(asked + 3);
	s->wrote++;
	if (asked[0] == 5)
		put_cell(s, SLAVE_COILS, first, second == 0xFF00);
	else if (asked[0] == 6)
		put_cell(s, SLAVE_HOLDINGS, first, second);
	for (uint16_t i = 0; asked[0] == 15 && i < second; i++)
		put_cell(s, SLAVE_COILS, (uint16_t)(first + i), asked[6 + i / 8] >> i % 8 & 1);
	for (uint16_t i = 0; asked[0] == 16 && i < second; i++)
		put_cell(s, SLAVE_HOLDINGS, (uint16_t)(first + i), take16(asked + 6 + 2 * i));
}

static size_t except(uint8_t function, uint8_t code, uint8_t *pdu)
{
	pdu[0] = function | 0x80;
	pdu[1] = code;
	return 2;
}

/* The PDU of the answer, right as far as the fault allows. */
static size_t make_pdu(struct slave *s, const uint8_t *asked, uint8_t *pdu)
{
	uint16_t first = take16(asked + 1);
	if (s->fault == SLAVE_EXCEPTION)
		return except(asked[0], (uint8_t)s->argument, pdu);
	if (s->except[first])
		return except(asked[0], s->except[first], pdu);
	pdu[0] = asked[0];
	switch (asked[0]) {
	case 1:
	case 2:
		return read_bits(s, asked[0] == 1 ? SLAVE_COILS : SLAVE_DISCRETES, asked, pdu);
	case 3:
	case 4:
		return read_registers(s, asked[0] == 3 ? SLAVE_HOLDINGS : SLAVE_INPUTS, asked, pdu);
	case 5:
	case 6:
	case 15:
	case 16:
		write_cells(s, asked);
		memcpy(pdu, asked, 5);
		return 5;
	default:
		return except(asked[0], 1, pdu);
	}
}

static void spoil_pdu(const struct slave *s, uint8_t *pdu)
{
	bool read = pdu[0] <= 4;
	if (s->fault == SLAVE_WRONG_FUNCTION)
		pdu[0] = (uint8_t)(pdu[0] == 3 ? 4 : 3);
	if (s->fault == SLAVE_LYING_COUNT && read)
		pdu[1] = (uint8_t)(pdu[1] + 2);
	if (s->fault == SLAVE_OTHER_WRITE && !read)
		pdu[2] ^= 1;
}

static size_t frame_rtu(const struct slave *s, const uint8_t *asked, const uint8_t *pdu, size_t n, uint8_t *at)
{
	at[0] = (uint8_t)(asked[0] + (s->fault == SLAVE_WRONG_UNIT));
	memcpy(at + 1, pdu, n);
	uint16_t crc = crc_of(at, n + 1);
	if (s->fault == SLAVE_WRONG_CRC)
		crc ^= 0x0100;
	at[n + 1] = (uint8_t)crc;
	at[n + 2] = (uint8_t)(crc >> 8);
	return n + 3;
}

static size_t frame_tcp(const struct slave *s, const uint8_t *asked, const uint8_t *pdu, size_t n, uint8_t *at)
{
	memcpy(at, asked, 4);
	if (s->fault == SLAVE_WRONG_TRANSACTION)
		put16(at, take16(at) - 1U);
	if (s->fault == SLAVE_WRONG_PROTOCOL)
		at[3] = 1;
	put16(at + 4, (unsigned)(n + 1 - (s->fault == SLAVE_WRONG_LENGTH)));
	at[6] = (uint8_t)(asked[6] + (s->fault == SLAVE_WRONG_UNIT));
	memcpy(at + 7, pdu, n);
	return n + 7;
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

static size_t spoil_frame(const struct slave *s, const uint8_t *asked, size_t n_asked, uint8_t *frame, size_t n)
{
	if (s->fault == SLAVE_TRUNCATED || s->fault == SLAVE_CLOSING)
		return n / 2;
	if (s->fault == SLAVE_EXTRA) {
		memset(frame + n, 0xA5, 4);
		return n + 4;
	}
	if (s->fault == SLAVE_TWICE) {
		memcpy(frame + n, frame, n);
		return 2 * n;
	}
	size_t before = s->fault == SLAVE_ECHO ? n_asked : s->fault == SLAVE_NOISE ? 1 : 0;
	memmove(frame + before, frame, n);
	memcpy(frame, asked, before);
	if (s->fault == SLAVE_NOISE)
		frame[0] = 0;
	for (size_t i = 0; s->fault == SLAVE_BABBLING && i < n; i++)
		frame[i] = (uint8_t)(s->asked * 37 + i * 101 + 13);
	return n + before;
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
	uint8_t pdu[ROOM], frame[2 * ROOM];
	s->asked_unit[asked[unit]]++;
	if (asked[unit] < s->unit_first || asked[unit] > s->unit_last)
		return;
	if (s->spoke_us && now_us() - s->spoke_us < s->shortest_gap_us)
		s->shortest_gap_us = now_us() - s->spoke_us;
	s->asked++;
	size_t n = make_pdu(s, asked + unit + 1, pdu);
	spoil_pdu(s, pdu);
	n = s->rtu ? frame_rtu(s, asked, pdu, n, frame) : frame_tcp(s, asked, pdu, n, frame);
	n = spoil_frame(s, asked, n_asked, frame, n);
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
		return n < 6U + take16(s->in + 4) ? 0 : 6U + take16(s->in + 4);
	size_t size = 8;
	if (s->in[1] == 15 || s->in[1] == 16)
		size = n < 7 ? SIZE_MAX : 9U + s->in[6];
	return n < size ? 0 : size;
}

static void hear(struct slave *s, const uint8_t *bytes, size_t n)
{
	if (s->rtu && now_us() - s->heard_us > 30000)
		s->n_in = 0;
	s->heard_us = now_us();
	if (s->n_in + n > ROOM)
		s->n_in = n = 0;
	memcpy(s->in + s->n_in, bytes, n);
	s->n_in += n;
	for (size_t size; (size = question_size(s)) > 0;) {
		bool good = !s->rtu || crc_of(s->in, size - 2) == (s->in[size - 2] | s->in[size - 1] << 8);
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

static void take_bytes(struct slave *s)
{
	uint8_t bytes[ROOM / 2];
	ssize_t n = read(s->fd, bytes, sizeof(bytes));
	if (n > 0)
		hear(s, bytes, (size_t)n);
	else if (!s->rtu && (n == 0 || errno != EAGAIN))
		hang_up(s);
}

static void speak(struct slave *s)
{
	while (s->n_queue && s->queue[s->first].due_us <= now_us()) {
		struct answer *a = &s->queue[s->first];
		s->first = (s->first + 1) % QUEUE;
		s->n_queue--;
		s->spoke_us = now_us(); /* before: the other side may have it while write has not returned */
		if (s->fd >= 0 && write(s->fd, a->bytes, a->n) < 0 && !s->rtu)
			a->close_after = true;
		if (a->close_after && !s->rtu)
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

struct slave *slave_tcp(int port)
{
	struct slave *s = slave_new();
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

void slave_units(struct slave *s, int first, int last)
{
	pthread_mutex_lock(&s->lock);
	s->unit_first = first;
	s->unit_last = last;
	pthread_mutex_unlock(&s->lock);
}

void slave_set(struct slave *s, enum slave_table table, uint16_t address, uint16_t value)
{
	pthread_mutex_lock(&s->lock);
	put_cell(s, table, address, value);
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
