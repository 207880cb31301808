#include "bridges/guard.h"

#include "bridges/mqtt_check.h"
#include "core/base/limits.h"
#include "core/base/mem.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(guard, .timeout = 60);

/* The library's socket, and the broker at the other end of what was its connection. */
struct ends {
	struct guard guard;
	int library, broker;
	uint8_t *got; /* what the library would have read */
	size_t got_size;
};

static void begin(struct ends *s, bool version_5)
{
	int pair[2];
	struct err e;
	*s = (struct ends){ 0 };
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	s->library = pair[0];
	s->broker = pair[1];
	cr_assert_eq(guard_begin(&s->guard, s->library, version_5, &e), 0);
	s->got = mem_new(8 * 1024 * 1024);
}

static void end(struct ends *s)
{
	guard_end(&s->guard);
	close(s->library);
	close(s->broker);
	mem_free(s->got);
}

static void read_as_library(struct ends *s)
{
	ssize_t n;
	while ((n = read(s->library, s->got + s->got_size, 65536)) > 0)
		s->got_size += (size_t)n;
}

static enum guard_result pump(struct ends *s)
{
	enum guard_result fed;
	guard_read(&s->guard);
	while ((fed = guard_feed(&s->guard)) == GUARD_FED)
		read_as_library(s);
	return fed;
}

static enum guard_result send_all(struct ends *s, const uint8_t *bytes, size_t size, size_t piece)
{
	enum guard_result fed = GUARD_NOTHING;
	for (size_t at = 0; at < size && fed != GUARD_BAD;) {
		size_t most = size - at < piece ? size - at : piece;
		ssize_t n = send(s->broker, bytes + at, most, MSG_NOSIGNAL | MSG_DONTWAIT);
		cr_assert(n > 0 || errno == EAGAIN);
		at += n > 0 ? (size_t)n : 0;
		fed = pump(s);
	}
	while (fed != GUARD_BAD && !guard_is_full(&s->guard)) { /* what the kernel still has */
		size_t before = s->guard.size - s->guard.at, skipping = (size_t)s->guard.skipping;
		fed = pump(s);
		if (before == s->guard.size - s->guard.at && skipping == s->guard.skipping)
			break;
	}
	return fed;
}

/* CONNACK, SUBACK with two answers, PUBLISH QoS 1 with a user property, PUBACK in three lengths, PINGRESP */
static const uint8_t session[] = { 0x20, 6,   0, 0,    3, 0x21, 0, 20, 0x90, 5, 0, 1,   0,   1,   0,    0x32, 18,  0,
				   1,    'a', 0, 2,    8, 0x26, 0, 1,  'k',  0, 2, 'v', 'w', 'p', 'a',  'y',  '!', 0x40,
				   2,    0,   9, 0x40, 3, 0,    9, 0,  0x40, 4, 0, 9,   0,   0,   0xD0, 0 };

Test(guard, hands_on_what_is_good_wherever_it_is_split)
{
	for (size_t piece = 1; piece <= sizeof(session); piece++) {
		struct ends s;
		begin(&s, true);
		cr_expect_eq(send_all(&s, session, sizeof(session), piece), GUARD_NOTHING, "%s", s.guard.why);
		cr_expect_eq(s.got_size, sizeof(session));
		cr_expect_arr_eq(s.got, session, sizeof(session));
		end(&s);
	}
}

Test(guard, hands_on_nothing_before_it_is_whole)
{
	struct ends s;
	begin(&s, true);
	for (size_t i = 0; i + 1 < 8; i++) {
		cr_expect_eq(send_all(&s, session + i, 1, 1), GUARD_NOTHING);
		cr_expect_eq(s.got_size, 0);
	}
	send_all(&s, session + 7, 1, 1);
	cr_expect_eq(s.got_size, 8);
	end(&s);
}

#define ROW(...)                                                                                                       \
	{                                                                                                              \
		(const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })                             \
	}
static const struct {
	const uint8_t *bytes;
	size_t size;
} bad_5[] = {
	ROW(0x30, 6, 0, 1, 'a', 2, 0x99, 1), /* an unknown property: libmosquitto would end the process */
	ROW(0x30, 6, 0, 1, 'a', 2, 0x00, 1),
	ROW(0x30, 6, 0, 1, 'a', 2, 0x26, 0),                /* a property that does not end in its packet */
	ROW(0x30, 5, 0, 1, 'a', 9, 0x01),                   /* properties that do not */
	ROW(0x30, 8, 0, 1, 'a', 0xFF, 0xFF, 0xFF, 0xFF, 1), /* a length without end */
	ROW(0x30, 3, 0, 9, 'a'),                            /* a topic that does not */
	ROW(0x32, 4, 0, 1, 'a', 0),                         /* half of a packet identifier */
	ROW(0x40, 6, 0, 1, 0, 2, 0x99, 1),                  /* PUBACK, SUBACK, UNSUBACK, DISCONNECT, AUTH with it */
	ROW(0x90, 6, 0, 1, 2, 0x99, 1, 0),
	ROW(0xB0, 5, 0, 1, 2, 0x99, 1),
	ROW(0xE0, 4, 0, 2, 0x99, 1),
	ROW(0xF0, 4, 0, 2, 0x99, 1),
	ROW(0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1), /* a length of five bytes */
	ROW(0x30, 0xFF, 0xFF, 0xFF, 0x7F),    /* 256 MB */
};
static const uint8_t connack_5[] = { 0x20, 3, 0, 0, 0 }, connack_3[] = { 0x20, 2, 0, 0 };

Test(guard, keeps_back_what_the_library_must_not_see)
{
	for (size_t i = 0; i < sizeof(bad_5) / sizeof(bad_5[0]); i++) {
		struct ends s;
		begin(&s, true);
		send_all(&s, connack_5, sizeof(connack_5), 99);
		cr_expect_eq(send_all(&s, bad_5[i].bytes, bad_5[i].size, 99), GUARD_BAD, "row %zu", i);
		cr_expect(s.guard.why && *s.guard.why);
		cr_expect_eq(s.got_size, sizeof(connack_5), "row %zu", i);
		end(&s);
	}
}

Test(guard, does_not_talk_to_who_does_not_begin_with_a_connack)
{
	struct ends s;
	begin(&s, false);
	cr_expect_eq(send_all(&s, (const uint8_t *)"HTTP/1.1 400 Bad Request\r\n", 26, 99), GUARD_BAD);
	cr_expect_str_eq(s.guard.why, "whoever answers there does not speak MQTT");
	end(&s);
}

static size_t large_publish(uint8_t *to, size_t payload, uint8_t topic_size)
{
	size_t body = 2 + topic_size + payload, at = 0;
	to[at++] = 0x30;
	for (size_t left = body; left; left >>= 7)
		to[at++] = (uint8_t)((left & 0x7F) | (left > 0x7F ? 0x80 : 0));
	to[at++] = 0;
	to[at++] = topic_size;
	memset(to + at, 'a', topic_size + payload);
	return at + topic_size + payload;
}

Test(guard, cuts_what_is_too_large_and_goes_on_behind_it)
{
	static const size_t sizes[] = { 1000, GUARD_BODY_MOST - 3, GUARD_BODY_MOST - 2, GUARD_BODY_MOST + 1, 3000000 };
	static const size_t pieces[] = { 977, 65536, 4000000 };
	uint8_t *bytes = mem_new(4000000);
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]) * 3; k++) {
		struct ends s;
		size_t size = sizes[k / 3], n = large_publish(bytes, size, 1), header, body;
		begin(&s, false);
		send_all(&s, connack_3, sizeof(connack_3), 99);
		cr_expect_eq(send_all(&s, bytes, n, pieces[k % 3]), GUARD_NOTHING);
		cr_expect_eq(send_all(&s, (const uint8_t *)"\xD0\x00", 2, 99), GUARD_NOTHING);
		cr_assert_eq(mqtt_check_header(s.got + 4, s.got_size - 4, &header, &body), 1);
		cr_expect_eq(body, size + 3 <= GUARD_BODY_MOST ? size + 3 : GUARD_BODY_MOST, "%zu", size);
		cr_expect_eq(s.got_size, 4 + header + body + 2);
		cr_expect_arr_eq(s.got + s.got_size - 2, "\xD0\x00", 2);
		cr_expect_gt(GUARD_BODY_MOST / 2, LIMIT_PAYLOAD, "a cut message must not pass for a whole one");
		end(&s);
	}
	mem_free(bytes);
}

Test(guard, carries_out_what_the_library_writes)
{
	enum { MANY = 3000000 };
	struct ends s;
	uint8_t *bytes = mem_new(MANY), *got = mem_new(MANY + 65536);
	size_t sent = 0, arrived = 0;
	for (size_t i = 0; i < MANY; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
	begin(&s, true);
	while (arrived < MANY) {
		ssize_t n = sent < MANY ? write(s.library, bytes + sent, MANY - sent) : 0;
		sent += n > 0 ? (size_t)n : 0;
		guard_flush(&s.guard);
		n = read(s.broker, got + arrived, 65536);
		arrived += n > 0 ? (size_t)n : 0;
	}
	cr_expect_eq(arrived, MANY);
	cr_expect_arr_eq(got, bytes, MANY);
	cr_expect_not(guard_has_output(&s.guard));
	end(&s);
	mem_free(bytes);
	mem_free(got);
}

Test(guard, knows_that_the_broker_is_gone)
{
	struct ends s;
	begin(&s, true);
	send(s.broker, connack_5, sizeof(connack_5), 0);
	shutdown(s.broker, SHUT_WR);
	pump(&s);
	cr_expect_not(s.guard.closed && s.got_size == 0, "what came before the end is not lost");
	pump(&s);
	cr_expect(s.guard.closed);
	cr_expect_eq(s.got_size, sizeof(connack_5));
	end(&s);
}

/* Any bytes, with a weight on what looks like packets: it hands on whole packets that it has checked, or refuses. */
Test(guard, survives_any_bytes)
{
	uint8_t bytes[512];
	unsigned seed = 7;
	for (int round = 0; round < 20000; round++) {
		size_t size = (size_t)rand_r(&seed) % sizeof(bytes), at = 0;
		bool version_5 = rand_r(&seed) % 2;
		for (size_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)(rand_r(&seed) % 3 ? rand_r(&seed) % 48 : rand_r(&seed));
		size_t header, body;
		uint8_t *exact = mem_copy(bytes, size);
		while (at < size && mqtt_check_header(exact + at, size - at, &header, &body) == 1 &&
		       size - at >= header + body) {
			mqtt_check_properties(exact[at], exact + at + header, body);
			mqtt_check_cut(exact[at], exact + at + header, body, version_5);
			at += header + body;
		}
		mem_free(exact);
	}
}
