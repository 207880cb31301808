/*
 * The slave that misbehaves, looked at byte by byte: what it says about a driver is worth what it does.
 */
#include "tests/peers/slave.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

TestSuite(modbus_peer, .timeout = 60);

enum { QUIET_MS = 60, LATE_MS = 120, ROOM = 64 };

/* Two holding registers from 10, as TCP and as RTU. */
static const uint8_t question_tcp[] = { 0, 7, 0, 0, 0, 6, 1, 3, 0, 10, 0, 2 };
static const uint8_t question_rtu[] = { 1, 3, 0, 10, 0, 2, 0xE4, 0x09 };

struct ear {
	struct slave *slave;
	int fd;
	bool rtu;
	uint8_t bytes[ROOM];
	size_t n;
	bool closed;
	int64_t first_ms, last_ms; /* after the question */
};

static int64_t now_ms(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

static struct ear ear_new(bool rtu)
{
	struct ear e = { .rtu = rtu, .slave = rtu ? slave_pty() : slave_tcp(0) };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	at.sin_port = htons((uint16_t)slave_port(e.slave));
	e.fd = rtu ? open(slave_path(e.slave), O_RDWR | O_NOCTTY) : socket(AF_INET, SOCK_STREAM, 0);
	cr_assert(e.fd >= 0 && (rtu || connect(e.fd, (struct sockaddr *)&at, sizeof(at)) == 0));
	return e;
}

static void ear_end(struct ear *e)
{
	close(e->fd);
	slave_free(e->slave);
}

/* All that comes until nothing comes for a while. */
static void listen_to_it(struct ear *e, int64_t begun)
{
	struct pollfd fd = { e->fd, POLLIN, 0 };
	while (!e->closed && poll(&fd, 1, e->n ? QUIET_MS : LATE_MS + QUIET_MS) > 0) {
		ssize_t n = read(e->fd, e->bytes + e->n, ROOM - e->n);
		e->closed = n <= 0;
		e->first_ms = e->n ? e->first_ms : now_ms() - begun;
		e->last_ms = now_ms() - begun;
		e->n += n > 0 ? (size_t)n : 0;
	}
}

static void ask(struct ear *e, enum slave_fault fault, int argument)
{
	int64_t begun = now_ms();
	const uint8_t *question = e->rtu ? question_rtu : question_tcp;
	size_t n = e->rtu ? sizeof(question_rtu) : sizeof(question_tcp);
	slave_fault(e->slave, fault, 1, argument);
	e->n = 0;
	cr_assert_eq(write(e->fd, question, n), (ssize_t)n);
	listen_to_it(e, begun);
}

/* CRC of all but the last two, bit by bit. */
static bool has_good_crc(const uint8_t *frame, size_t n)
{
	unsigned crc = 0xFFFF;
	for (size_t i = 0; i + 2 < n; i++) {
		crc ^= frame[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
	}
	return n > 2 && frame[n - 2] == (crc & 0xFF) && frame[n - 1] == crc >> 8;
}

/* The good answer to the nth question, where the frame begins at `at`. */
static void is_good(const struct ear *e, size_t at, uint8_t nth)
{
	const uint8_t tcp[] = { 0, 7, 0, 0, 0, 7, 1, 3, 4, 10, nth, 11, nth }, *body = tcp + (e->rtu ? 6 : 0);
	size_t n = e->rtu ? 7 : sizeof(tcp);
	cr_assert_geq(e->n, at + n);
	cr_assert_arr_eq(e->bytes + at, body, n);
	cr_assert(!e->rtu || has_good_crc(e->bytes + at, 9));
}

static size_t good_size(const struct ear *e)
{
	return e->rtu ? 9 : 13;
}

Test(modbus_peer, its_values_say_where_they_are_and_when_they_were_read)
{
	for (int rtu = 0; rtu < 2; rtu++) {
		struct ear e = ear_new(rtu);
		for (uint8_t nth = 1; nth <= 3; nth++) {
			ask(&e, SLAVE_FAULTLESS, 0);
			is_good(&e, 0, nth);
			cr_assert_eq(e.n, good_size(&e));
		}
		ear_end(&e);
	}
}

Test(modbus_peer, it_is_late_slow_or_silent)
{
	for (int rtu = 0; rtu < 2; rtu++) {
		struct ear e = ear_new(rtu);
		ask(&e, SLAVE_LATE, LATE_MS);
		is_good(&e, 0, 1);
		cr_assert_geq(e.first_ms, LATE_MS - 1);
		ask(&e, SLAVE_SLOW, 5);
		is_good(&e, 0, 2);
		cr_assert_geq(e.last_ms - e.first_ms, 5 * ((int64_t)good_size(&e) - 1) - 5, "byte by byte");
		ask(&e, SLAVE_SILENT, 0);
		cr_assert_eq(e.n, 0);
		ask(&e, SLAVE_FAULTLESS, 0);
		is_good(&e, 0, 4);
		ear_end(&e);
	}
}

Test(modbus_peer, it_spoils_one_thing_of_the_body_and_nothing_else)
{
	static const struct {
		enum slave_fault fault;
		int argument;
		size_t at; /* in the body: what differs */
		uint8_t is;
		int longer;
	} rows[] = {
		{ SLAVE_WRONG_UNIT, 0, 0, 2, 0 },    { SLAVE_WRONG_FUNCTION, 0, 1, 4, 0 },
		{ SLAVE_LYING_COUNT, 0, 2, 6, 0 },   { SLAVE_OTHER_COUNT, 0, 2, 6, 2 },
		{ SLAVE_EXCEPTION, 6, 1, 0x83, -4 },
	};
	for (int rtu = 0; rtu < 2; rtu++) {
		struct ear e = ear_new(rtu);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			size_t begin = rtu ? 0 : 6;
			ask(&e, rows[i].fault, rows[i].argument);
			cr_assert_eq(e.bytes[begin + rows[i].at], rows[i].is, "row %zu", i);
			cr_assert_eq((int)e.n, (int)good_size(&e) + rows[i].longer, "row %zu", i);
			cr_assert(!rtu || has_good_crc(e.bytes, e.n), "row %zu is right in itself", i);
			cr_assert(rtu || e.bytes[5] == e.n - 6, "row %zu", i);
		}
		cr_assert_eq(e.bytes[(rtu ? 0 : 6) + 2], 6, "the code of the exception");
		ear_end(&e);
	}
}

Test(modbus_peer, it_spoils_the_frame)
{
	struct ear tcp = ear_new(false), rtu = ear_new(true);
	ask(&tcp, SLAVE_WRONG_TRANSACTION, 0);
	cr_assert(tcp.bytes[1] == 6 && tcp.n == good_size(&tcp));
	ask(&tcp, SLAVE_WRONG_PROTOCOL, 0);
	cr_assert(tcp.bytes[3] == 1 && tcp.n == good_size(&tcp));
	ask(&tcp, SLAVE_WRONG_LENGTH, 0);
	cr_assert(tcp.bytes[5] == 6 && tcp.n == good_size(&tcp));
	ask(&rtu, SLAVE_WRONG_CRC, 0);
	cr_assert(rtu.n == good_size(&rtu) && !has_good_crc(rtu.bytes, rtu.n));
	ask(&rtu, SLAVE_ECHO, 0);
	cr_assert_arr_eq(rtu.bytes, question_rtu, sizeof(question_rtu));
	is_good(&rtu, sizeof(question_rtu), 2);
	ask(&rtu, SLAVE_NOISE, 0);
	cr_assert_eq(rtu.bytes[0], 0);
	is_good(&rtu, 1, 3);
	ear_end(&tcp);
	ear_end(&rtu);
}

Test(modbus_peer, it_sends_too_much_or_too_little)
{
	for (int rtu = 0; rtu < 2; rtu++) {
		struct ear e = ear_new(rtu);
		ask(&e, SLAVE_EXTRA, 0);
		is_good(&e, 0, 1);
		cr_assert_eq(e.n, good_size(&e) + 4);
		ask(&e, SLAVE_TWICE, 0);
		is_good(&e, 0, 2);
		is_good(&e, good_size(&e), 2);
		ask(&e, SLAVE_BABBLING, 0);
		cr_assert(e.n == good_size(&e) && !has_good_crc(e.bytes, e.n) && e.bytes[2] | e.bytes[3]);
		ask(&e, SLAVE_TRUNCATED, 0);
		cr_assert(e.n == good_size(&e) / 2 && !e.closed);
		ask(&e, SLAVE_CLOSING, 0);
		cr_assert(e.n == good_size(&e) / 2 && e.closed == !rtu);
		ear_end(&e);
	}
}

Test(modbus_peer, a_fault_lasts_as_often_as_told)
{
	struct ear e = ear_new(false);
	ask(&e, SLAVE_EXCEPTION, 6);
	slave_fault(e.slave, SLAVE_EXCEPTION, 2, 6);
	for (int i = 0; i < 3; i++) {
		e.n = 0;
		cr_assert_eq(write(e.fd, question_tcp, sizeof(question_tcp)), (ssize_t)sizeof(question_tcp));
		listen_to_it(&e, now_ms());
		cr_assert_eq(e.bytes[7], i < 2 ? 0x83 : 3, "busy twice, then not");
	}
	slave_except(e.slave, 11, 2);
	ask(&e, SLAVE_FAULTLESS, 0);
	cr_assert(e.bytes[7] == 0x83 && e.bytes[8] == 2, "one register refuses all that it is in");
	slave_except(e.slave, 11, 0);
	slave_except(e.slave, 12, 2);
	ask(&e, SLAVE_FAULTLESS, 0);
	cr_assert_eq(e.bytes[7], 3, "its neighbours do not");
	ear_end(&e);
}
