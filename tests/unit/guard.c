#include "bridges/guard.h"

#include "bridges/mqtt_check.h"
#include "core/base/limits.h"
#include "core/base/mem.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(guard, .timeout = 60);

/* The library's end of the pair, and what it would have read. */
struct ends {
	struct guard guard;
	int library;
	uint8_t *got;
	size_t got_size;
};

static void begin(struct ends *s, bool version_5)
{
	int pair[2];
	*s = (struct ends){ 0 };
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	guard_begin(&s->guard, version_5);
	guard_join(&s->guard, pair[1]);
	s->library = pair[0];
	s->got = mem_new(8 * 1024 * 1024);
}

static void end(struct ends *s)
{
	guard_end(&s->guard);
	close(s->library);
	mem_free(s->got);
}

static void read_as_library(struct ends *s)
{
	ssize_t n;
	while ((n = read(s->library, s->got + s->got_size, 65536)) > 0)
		s->got_size += (size_t)n;
}

/* The broker says it in pieces: 0 if all of it is good. */
static int send_all(struct ends *s, const uint8_t *bytes, size_t size, size_t piece)
{
	int fed = 0;
	for (size_t at = 0, n; at < size && fed >= 0; at += n) {
		uint8_t *room = guard_room(&s->guard);
		cr_assert(room);
		n = size - at < piece ? size - at : piece;
		n = n < GUARD_READ ? n : GUARD_READ;
		memcpy(room, bytes + at, n);
		guard_put(&s->guard, n);
		while ((fed = guard_feed(&s->guard, 16)) > 0)
			read_as_library(s);
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
		cr_expect_eq(send_all(&s, session, sizeof(session), piece), 0, "%s", s.guard.why);
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
		cr_expect_eq(send_all(&s, session + i, 1, 1), 0);
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
		cr_expect_eq(send_all(&s, bad_5[i].bytes, bad_5[i].size, 99), -1, "row %zu", i);
		cr_expect(s.guard.why && *s.guard.why);
		cr_expect_eq(s.got_size, sizeof(connack_5), "row %zu", i);
		end(&s);
	}
}

Test(guard, does_not_talk_to_who_does_not_begin_with_a_connack)
{
	struct ends s;
	begin(&s, false);
	cr_expect_eq(send_all(&s, (const uint8_t *)"HTTP/1.1 400 Bad Request\r\n", 26, 99), -1);
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
		cr_expect_eq(send_all(&s, bytes, n, pieces[k % 3]), 0);
		cr_expect_eq(send_all(&s, (const uint8_t *)"\xD0\x00", 2, 99), 0);
		cr_assert_eq(mqtt_check_header(s.got + 4, s.got_size - 4, &header, &body), 1);
		cr_expect_eq(body, size + 3 <= GUARD_BODY_MOST ? size + 3 : GUARD_BODY_MOST, "%zu", size);
		cr_expect_eq(s.got_size, 4 + header + body + 2);
		cr_expect_arr_eq(s.got + s.got_size - 2, "\xD0\x00", 2);
		cr_expect_gt(GUARD_BODY_MOST / 2, LIMIT_PAYLOAD, "a cut message must not pass for a whole one");
		end(&s);
	}
	mem_free(bytes);
}

Test(guard, hands_on_no_more_packets_than_are_asked_for)
{
	enum { MANY = 40 };
	struct ends s;
	begin(&s, false);
	send_all(&s, connack_3, sizeof(connack_3), 99);
	for (size_t i = 0; i < MANY; i++) {
		memcpy(guard_room(&s.guard), "\xD0\x00", 2);
		guard_put(&s.guard, 2);
	}
	cr_expect_eq(guard_feed(&s.guard, 16), 16);
	read_as_library(&s);
	cr_expect_eq(s.got_size, sizeof(connack_3) + 16 * 2);
	cr_expect_eq(guard_feed(&s.guard, 30), MANY - 16);
	cr_expect_eq(guard_feed(&s.guard, 30), 0);
	end(&s);
}

Test(guard, keeps_no_more_than_there_is_room_for)
{
	static const uint8_t half[] = { 0x30, 0x80, 0x80, 0x10 }; /* of 256 KiB, the most that is handed on whole */
	struct ends s;
	size_t put = 0;
	begin(&s, false);
	send_all(&s, connack_3, sizeof(connack_3), 99);
	send_all(&s, half, sizeof(half), 99);
	for (uint8_t *room; (room = guard_room(&s.guard)) && guard_feed(&s.guard, 16) == 0; put += GUARD_READ) {
		memset(room, 'a', GUARD_READ);
		guard_put(&s.guard, GUARD_READ);
	}
	cr_expect_leq(put, GUARD_BODY_MOST + GUARD_READ);
	end(&s);
}

Test(guard, lets_no_broker_leave_messages_of_qos_2_unfinished_for_ever)
{
	static const uint8_t publish[] = { 0x34, 6, 0, 1, 'a', 0, 1, 'x' }, pubrel[] = { 0x62, 2, 0, 1 };
	struct ends s;
	begin(&s, false);
	send_all(&s, connack_3, sizeof(connack_3), 99);
	for (int i = 0; i < 1000; i++) {
		cr_assert_eq(send_all(&s, publish, sizeof(publish), 99), 0);
		cr_assert_eq(send_all(&s, pubrel, sizeof(pubrel), 99), 0);
	}
	for (int i = 0; i < GUARD_UNFINISHED; i++)
		cr_assert_eq(send_all(&s, publish, sizeof(publish), 99), 0);
	cr_expect_eq(send_all(&s, publish, sizeof(publish), 99), -1);
	cr_expect_str_eq(s.guard.why, "the broker does not finish its messages of QoS 2");
	end(&s);
}

Test(guard, collects_what_the_library_writes)
{
	struct ends s;
	uint8_t got[64];
	begin(&s, true);
	cr_expect_eq(guard_collect(&s.guard, got, sizeof(got)), 0);
	cr_assert_eq(write(s.library, session, sizeof(session)), (ssize_t)sizeof(session));
	cr_expect_eq(guard_collect(&s.guard, got, sizeof(got)), sizeof(session));
	cr_expect_arr_eq(got, session, sizeof(session));
	close(s.library);
	cr_expect_eq(guard_collect(&s.guard, got, sizeof(got)), 0, "it has given up");
	s.library = -1;
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
