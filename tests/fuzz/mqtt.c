#include "bridges/guard.h"
#include "bridges/mqtt_check.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * What a broker sends, in pieces: the guard hands on whole packets that it has checked, and nothing else. The first byte is the
 * version and the size of the pieces.
 */

static void look(const uint8_t *bytes, size_t size, bool version_5)
{
	size_t header = 0, body = 0;
	if (mqtt_check_header(bytes, size, &header, &body) == 1) {
		must(header >= 2 && header <= 5 && header <= size && body < 256u * 1024 * 1024);
		size_t there = size - header < body ? size - header : body;
		mqtt_check_cut(bytes[0] >> 4, bytes + header, there, version_5);
		if (there == body)
			mqtt_check_properties(bytes[0] >> 4, bytes + header, body);
	}
}

static void drain(int library)
{
	uint8_t room[4096];
	while (recv(library, room, sizeof(room), MSG_DONTWAIT) > 0)
		continue;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	int pair[2];
	if (size < 1 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) < 0)
		return 0;
	bool version_5 = bytes[0] & 1;
	size_t piece = 1 + (bytes[0] >> 1) % 64, fed = 0;
	struct guard g = { .inner = -1 };
	guard_begin(&g, version_5);
	guard_join(&g, pair[0]);
	look(bytes + 1, size - 1, version_5);
	for (size_t at = 1; at < size && !g.why; at += piece) {
		size_t n = size - at < piece ? size - at : piece;
		uint8_t *room = guard_room(&g);
		if (!room)
			break;
		memcpy(room, bytes + at, n);
		guard_put(&g, n);
		for (int packets, rounds = 0; (packets = guard_feed(&g, 8)) > 0 && rounds < 1000; rounds++) {
			fed += (size_t)packets;
			drain(pair[1]);
		}
	}
	must(fed <= size); /* a packet has two bytes at least, and a part of a cut one is none */
	guard_end(&g);
	close(pair[1]);
	return 0;
}
